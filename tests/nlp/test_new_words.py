"""New words are proposed when they hold together, stand free and move with risk."""

from nlp.new_words import propose

RISK = [
    "昨晚充电宝鼓胖子了吓人",
    "邻居那块也鼓胖子,没敢用",
    "看见电池鼓胖子就扔了",
    "孩子拿着鼓胖子的电池玩",
    "商家说鼓胖子正常现象",
    "又一个鼓胖子!退货",
]
OTHER = ["今天天气真好", "充电宝颜色好看", "电池很耐用", "邻居家的孩子真乖", "商家发货很快", "退货流程很慢"]


def test_a_new_word_is_proposed_with_examples() -> None:
    words = propose(RISK, OTHER, known=["充电宝", "电池"])
    assert words[0].text == "鼓胖子"
    assert words[0].texts == 6
    assert all("鼓胖子" in example for example in words[0].examples)


def test_what_is_known_is_not_new() -> None:
    assert "鼓胖子" not in {word.text for word in propose(RISK, OTHER, known=["鼓胖子"])}
