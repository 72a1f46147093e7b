"""Personal data are hidden, what only looks like them stays."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.masking import mask, personal_data

CASES = Path(__file__).resolve().parent.parent / "cases"
MARKED = re.compile("⟦(.*?)⟧")
# How many characters of a piece must be starred before nobody can restore it.
HIDDEN = {
    "phone": 4, "landline": 4, "id_card": 11, "bank_card": 7, "mail": 1, "plate": 3, "name": 1, "address": 4,
}  # fmt: skip


def _positives() -> list[tuple[str, str, str]]:
    lines = (CASES / "personal_data.tsv").read_text(encoding="utf-8").splitlines()
    return [(kind, form, text) for kind, form, text in (line.split("\t") for line in lines if not line.startswith("#"))]


def _is_hidden(kind: str, marked: str) -> bool:
    found = MARKED.search(marked)
    assert found
    start = found.start()
    masked = mask(MARKED.sub(r"\1", marked))
    piece = masked[start : start + len(found.group(1))]
    return piece.count("*") >= HIDDEN[kind]


def test_the_table_has_a_hundred_of_eight_kinds_and_a_hundred_look_alikes() -> None:
    positives = _positives()
    assert len(positives) >= 100
    assert {kind for kind, _form, _text in positives} == set(HIDDEN)
    assert len(set((CASES / "look_alikes.txt").read_text(encoding="utf-8").splitlines())) >= 100


def test_every_standard_form_is_hidden() -> None:
    assert [text for kind, form, text in _positives() if form == "standard" and not _is_hidden(kind, text)] == []


def test_disguised_forms_are_hidden() -> None:
    disguised = [(kind, text) for kind, form, text in _positives() if form == "disguised"]
    seen = [text for kind, text in disguised if not _is_hidden(kind, text)]
    assert len(seen) <= len(disguised) * 0.05, seen


def test_look_alikes_stay() -> None:
    texts = (CASES / "look_alikes.txt").read_text(encoding="utf-8").splitlines()
    starred = [text for text in texts if mask(text) != text]
    assert len(starred) <= len(texts) * 0.02, starred


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("电话13812345678", "电话138****5678"),
        ("联系人：张三，手机139-0000-1111", "联系人：张*，手机139-****-1111"),
        ("家住青岛市市北区延安三路12号3单元502室。", "家住青岛市市北区延安三路**********。"),
        ("一三八一二三四五六七八", "一三八****五六七八"),
        ("联系人李四 13812345678", "联系人李* 138****5678"),
        ("王五 138 1234 5678", "王五 138 **** 5678"),
        ("赵六0571-88886666", "赵六0571-88****66"),
    ],
)
def test_what_stays_readable(text: str, shown: str) -> None:
    assert mask(text) == shown


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.sampled_from("电话手机13859-０１. 一二三身份证X卡号@a.com鲁A联系人：张三先生，。家住路号楼单元室订单"),
        max_size=80,
    )
)
def test_a_mask_keeps_the_length_and_is_final(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert mask(masked) == masked
    for item in personal_data(text):
        assert 0 <= item.start < item.end <= len(text)
        assert all(item.start <= at < item.end for at in item.hidden)
