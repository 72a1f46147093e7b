"""Strings found over whole batches are those a search text by text finds, each in its own text."""

from hypothesis import given
from hypothesis import strategies as st

from nlp.scan import Batch, Scanner

ALPHABET = "火烟ab0🤣"
STRINGS = st.lists(st.text(alphabet=ALPHABET, min_size=1, max_size=4), unique=True, max_size=30)
TEXTS = st.lists(st.text(alphabet=ALPHABET + "7漏\0", max_size=20), max_size=8)


def _found(scanner: Scanner, strings: list[str], texts: list[str]) -> list[tuple[int, int, str]]:
    batch = Batch.of(texts)
    places, numbers = scanner.find(batch)
    owners = batch.owners(places)
    starts = places - batch.begins[owners]
    return sorted(zip(owners.tolist(), starts.tolist(), (strings[at] for at in numbers.tolist()), strict=True))


@given(STRINGS, TEXTS)
def test_every_place_of_every_string_is_found(strings: list[str], texts: list[str]) -> None:
    expected = [
        (at, start, string)
        for at, text in enumerate(texts)
        for start in range(len(text))
        for string in strings
        if text.startswith(string, start)
    ]
    assert _found(Scanner(strings), strings, texts) == sorted(expected)


def test_characters_may_read_as_another() -> None:
    scanner = Scanner(["0a", "b"], {"7": "0", "9": "0"})
    assert _found(scanner, ["0a", "b"], ["7a0a8ab", "b9a"]) == [
        (0, 0, "0a"),
        (0, 2, "0a"),
        (0, 6, "b"),
        (1, 0, "b"),
        (1, 1, "0a"),
    ]


def test_shorter_strings_come_first_and_in_order() -> None:
    places, numbers = Scanner(["ab", "a"]).find(Batch.of(["ab", "aab"]))
    assert list(zip(places.tolist(), numbers.tolist(), strict=True)) == [(0, 1), (3, 1), (4, 1), (0, 0), (4, 0)]


def test_many_strings_of_many_characters_need_longer_keys() -> None:
    strings = [chr(0x4E00 + at) + chr(0x4E00 + at * 7 % 20000) for at in range(70_000 % 20_902)]
    strings += [left + chr(0x4E00 + at * 13 % 20000) for at, left in enumerate(strings)]
    scanner = Scanner(strings * 2)
    places, numbers = scanner.find(Batch.of(strings[::500]))
    assert {(strings * 2)[at] for at in numbers.tolist()} >= set(strings[::500])
    assert len(places) == len(numbers)
