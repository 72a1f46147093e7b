"""Rules: what a wording means in its context, case by case of the lexicon's own advice."""

from pathlib import Path

import pytest

from nlp import corpus
from nlp.rules import PatternSet, RuleBook, compile_pattern, fold, fold_many
from nlp.taxonomy import TaxonomyError, load_taxonomy

LEXICON = Path(__file__).parents[2] / "nlp" / "lexicon"


@pytest.fixture(scope="module")
def rules() -> RuleBook:
    return RuleBook(load_taxonomy(LEXICON))


def _statuses(rules: RuleBook, text: str, code: str) -> set[str]:
    return {hit.status for hit in rules.read(fold(text)).hazards if hit.code == code}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("电动车充电时起火", "fire"),
        ("插上就蹿火苗", "fire"),
        ("拔下来一看插头都烧得焦黑", "fire"),
        ("现场不能排除电池起火的可能", "fire"),  # a double negative keeps the finding
        ("没有合格证,但是一通电就冒烟", "fire"),  # 但 ends the negation
        ("外壳带电,一摸手就麻", "electric_shock"),
        ("煤气报警器不报警", "protection_failure"),  # 不 belongs to the finding
        ("检出导体电阻不合格", "electric_shock"),
        ("皮肤起了一层泡", "burn_thermal"),
        ("孩子把磁力珠吞下去了", "choking"),
        ("頭盔一摔就碎", "protection_failure"),  # traditional characters
        ("电池冒烟了！！！", "fire"),
    ],
)
def test_asserted(rules: RuleBook, text: str, code: str) -> None:
    assert "asserted" in _statuses(rules, text, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("经检查未发现起火", "fire"),
        ("骑了三年没有自燃过", "fire"),
        ("甲醛超标一项未检出", "chemical_toxic"),
    ],
)
def test_denied(rules: RuleBook, text: str, code: str) -> None:
    assert "asserted" not in _statuses(rules, text, code)
    assert "negated" in _statuses(rules, text, code)


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("社区消防演练,模拟楼道起火", "fire", "hypothetical"),
        ("消防演练模拟电动车起火", "fire", "hypothetical"),  # 防 of 消防 denies nothing
        ("辟谣:小区充电宝爆炸系谣言", "explosion", "rumour"),
        ("群里都在传隔壁楼充电宝爆炸", "explosion", "rumour"),
    ],
)
def test_what_the_whole_text_is(rules: RuleBook, text: str, code: str, status: str) -> None:
    assert _statuses(rules, text, code) <= {status, "negated"}
    assert _statuses(rules, text, code)


@pytest.mark.parametrize("text", ["这是今年的爆款", "去吃火锅", "芯片卡脖子技术", "电商平台大促", "打电话给客服"])
def test_look_alikes_are_masked(rules: RuleBook, text: str) -> None:
    assert rules.read(fold(text)).hazards == ()


def test_a_test_item_counts_only_beside_a_failure(rules: RuleBook) -> None:
    assert _statuses(rules, "本次检验了温升、泄漏电流等项目", "electric_shock") == set()
    assert _statuses(rules, "泄漏电流不合格", "electric_shock") == {"asserted"}


@pytest.mark.parametrize(
    ("item", "product", "hazards"),
    [
        ("可迁移元素(铅)", "toy", ("chemical_toxic",)),
        ("浮力", "life_buoy", ("drowning",)),
        ("整车质量", "ebike", ("tamper_modification",)),
        ("硫含量", "diesel", ("environment",)),
        ("导体电阻", None, ("electric_shock",)),
        ("神秘项目", None, ()),
    ],
)
def test_a_failed_item_stands_for_its_hazard(
    rules: RuleBook, item: str, product: str | None, hazards: tuple[str, ...]
) -> None:
    assert rules.hazards_of_item(item, product) == hazards


def test_violations_are_found_unless_denied(rules: RuleBook) -> None:
    found = {hit.code for hit in rules.read(fold("查获无证生产的黑作坊,产品没有3C标志")).violations}
    assert {"unlicensed_production", "ccc_missing"} <= found
    assert rules.read(fold("本次检查未发现三无产品")).violations == ()


def test_folding_keeps_offsets() -> None:
    text = "ＡＢ　電池，冒煙！İ"
    assert len(fold(text)) == len(text)


def test_the_scan_loses_no_match_of_its_patterns(rules: RuleBook) -> None:
    """Anchors and windows only save time: on the corpus they find what the bare expressions find."""
    texts = [fold(example.text) for example in corpus.load()[::40]]
    for folded, found in zip(texts, rules.patterns.find_many(texts), strict=True):
        for group in rules.patterns.groups:
            expected = [
                (pattern.code, pattern.strength, *match.span())
                for name, pattern in rules.patterns.patterns
                if name == group
                for match in pattern.regex.finditer(folded)
                if match.end() > match.start()
            ]
            assert [(hit.code, hit.strength, hit.start, hit.end) for hit in found[group]] == expected, folded


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("哈哈", "哈哈哈哈哈"),  # neighbours that overlap count once
        ("(?:炸|爆)了", "锅炸了又爆了"),
        ("苯(?:超标|$)", "苯酚与苯"),  # the end of a window is no end of text
        ("死(?!机)", "死机了死"),
        (r"\d+批次", "共12345批次"),
        ("a.{0,3}b|c", "axxb c ab"),
        (r"\d", "没有锚的也要找:7"),
        ("(?:火|烟)+星?", "火烟火星火"),
    ],
)
def test_matches_are_those_of_the_bare_expression(source: str, text: str) -> None:
    pattern = compile_pattern("x", "strong", source, {})
    found = PatternSet({"x": [pattern]}).find_many(["无关", text])
    assert found[0]["x"] == () or source == r"\d"
    assert [(hit.start, hit.end) for hit in found[1]["x"]] == [match.span() for match in pattern.regex.finditer(text)]


def test_folding_many_is_folding_each() -> None:
    texts = ["", "ＡＢ　電池，冒煙！İ", "😱\ud800", "一\0二"]
    assert fold_many(texts) == [fold(text) for text in texts]


def test_a_pattern_file_names_its_mistakes() -> None:
    with pytest.raises(TaxonomyError, match="unknown strength"):
        compile_pattern("fire", "huge", "火", {})
    with pytest.raises(TaxonomyError, match="cannot compile"):
        compile_pattern("fire", "strong", "(火", {})
    with pytest.raises(TaxonomyError, match="cannot compile"):
        compile_pattern("fire", "strong", "<nothing>", {})


def test_a_trailing_option_takes_no_characters_of_its_own() -> None:
    pattern = compile_pattern("x", "strong", "菌落…(?:超标)?", {})
    found = PatternSet({"x": [pattern]}).find("菌落总数未见问题")["x"]
    assert [(hit.start, hit.end) for hit in found] == [(0, 2)]
