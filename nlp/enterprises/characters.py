"""How close two Chinese characters are: by writing system, by sound, by shape.

Everything here keeps lengths, so that offsets into a folded text are offsets into the text itself.
"""

import unicodedata
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
# Distinctions many speakers do not make: the tongue position of the initial, the nasal of the final, n and l.
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_SERIES = ("一二三四五六七八九十百千万两", "东西南北中", "上下", "甲乙丙丁", "0123456789")
_CJK = range(0x4E00, 0xA000)
_BRACKETS = str.maketrans("〔【［｛〈《＜<[{﹙〕】］｝〉》＞>]}﹚", "(((((((((((" + ")))))))))))")


@cache
def folding_table() -> dict[int, str]:
    """Traditional -> simplified and full width -> half width, one character for one; Latin in lower case."""
    import opencc

    converter = opencc.OpenCC("t2s")
    characters = "".join(chr(code) for code in _CJK)
    converted = "".join(_one(converter.convert(char), char) for char in characters)
    # 乾 is converted to 干, but 乾县 is a place: what GB 2312 has is left alone.
    table = {
        ord(old): new for old, new in zip(characters, converted, strict=True) if old != new and not _in_gb2312(old)
    }
    for code in [*range(0x20, 0x7F), *range(0xFF01, 0xFF5F), *range(0x2460, 0x2474), 0x3000]:
        char = chr(code)
        folded = unicodedata.normalize("NFKC", char).lower()
        if len(folded) == 1 and folded != char:
            table[code] = folded
    for old, new in _BRACKETS.items():
        table[old] = chr(new) if isinstance(new, int) else str(new)
    return table


def fold(text: str) -> str:
    """`text` with width, case, brackets and traditional characters folded; the length stays the same."""
    return text.translate(folding_table())


@cache
def sound_table() -> dict[int, int]:
    """Each character -> a code point in the private area for its syllable without tone (first reading)."""
    from pypinyin import Style, pinyin

    characters = [chr(code) for code in _CJK]
    readings = pinyin(characters, style=Style.NORMAL, errors="default")
    syllables: dict[str, int] = {}
    table: dict[int, int] = {}
    for char, reading in zip(characters, readings, strict=True):
        if reading[0] != char:
            table[ord(char)] = syllables.setdefault(_near(reading[0]), 0xE000 + len(syllables))
    return table


@cache
def syllable(char: str) -> str:
    """The toneless pinyin of a character, '' when it has none."""
    from pypinyin import Style, pinyin

    reading = pinyin(char, style=Style.NORMAL, errors="ignore")
    return reading[0][0].replace("ü", "v") if reading else ""


def sound_key(text: str) -> str:
    """A key equal for texts that sound alike, near sounds (z/zh, n/l, in/ing) included; the length stays the same."""
    return text.translate(sound_table())


@cache
def look_alikes() -> dict[str, str]:
    """Each character -> those it is mistaken for by shape."""
    groups: dict[str, set[str]] = {}
    for line in _data_lines("look_alikes.txt"):
        for group in line.split():
            for char in group:
                groups.setdefault(char, set()).update(set(group) - {char})
    for line in _data_lines("look_alikes_drawn.txt"):
        for char in line[1:]:
            groups.setdefault(line[0], set()).add(char)
            groups.setdefault(char, set()).add(line[0])
    return {char: "".join(sorted(c for c in others if not _counts_apart(char, c))) for char, others in groups.items()}


def relation(one: str, other: str) -> str:
    """same, homophone, near_sound, look_alike or other."""
    if one == other:
        return "same"
    if other in look_alikes().get(one, ""):
        return "look_alike"
    a, b = syllable(one), syllable(other)
    if a and a == b:
        return "homophone"
    if a and _near(a) == _near(b):
        return "near_sound"
    return "other"


@cache
def _near(reading: str) -> str:
    reading = reading.replace("ü", "v")
    for full, flat in _INITIALS:
        if reading.startswith(full):
            reading = flat + reading[2:]
    if reading.startswith("n") and len(reading) > 1 and reading[1] in "aeiouv":
        reading = "l" + reading[1:]
    if reading.endswith(("ang", "eng", "ing")):
        reading = reading[:-1]
    return reading


def _counts_apart(one: str, other: str) -> bool:
    """二店 and 三店 are two shops, however alike the characters look."""
    return any(one in series and other in series for series in _SERIES)


def _in_gb2312(char: str) -> bool:
    return bool(char.encode("gb2312", errors="ignore"))


def _data_lines(name: str) -> list[str]:
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _one(converted: str, original: str) -> str:
    return converted if len(converted) == 1 else original
