"""Text as received -> clean text for matching, with the way back.

The original is what is stored and shown; matching, tagging and comparing work on the clean text. Because
evidence is shown on the original, each pass keeps a list of the places where lengths changed, and
`Normalised.to_original` walks back through them.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Edits:
    """Where one pass changed lengths: parallel, sorted lists of replaced and replacing spans."""

    old: tuple[Span, ...]
    new: tuple[Span, ...]

    def back(self, span: Span) -> Span:
        """Return the span of the pass's input that became `span` of its output."""
        start, end = span
        if not self.old:
            return span
        if start >= end:
            point = _move(start, self.new, self.old)[0]
            return point, point
        return _move(start, self.new, self.old)[0], _move(end - 1, self.new, self.old)[1]

    def forward(self, span: Span) -> Span:
        """Return the span of the pass's output that holds what `span` of its input became."""
        start, end = span
        if not self.old or start >= end:
            return span if not self.old else (_move(start, self.old, self.new)[0],) * 2
        return _move(start, self.old, self.new)[0], _move(end - 1, self.old, self.new)[1]


def _move(at: int, source: tuple[Span, ...], target: tuple[Span, ...]) -> Span:
    """Return where the character at offset `at` lies on the other side: its own place, or the whole edit's."""
    index = bisect_right(source, (at, 1 << 60)) - 1
    if index < 0:
        return at, at + 1
    if at < source[index][1]:
        return target[index]
    shifted = at + target[index][1] - source[index][1]
    return shifted, shifted + 1


@dataclass(frozen=True, slots=True)
class Normalised:
    """A clean text, its damaged spans (not to be read from), and the way back to the original.

    `damaged` are offsets into `text`; `damaged_original` the same runs in the text as received.
    """

    text: str
    damaged: tuple[Span, ...]
    damaged_original: tuple[Span, ...]
    passes: tuple[_Edits, ...]

    def to_original(self, span: Span) -> Span:
        """Return the span of the original text that `span` of the clean text was made from."""
        for edits in reversed(self.passes):
            span = edits.back(span)
        return span

    def readable(self, span: Span) -> bool:
        """True when no part of `span` lies in a damaged run."""
        return all(span[1] <= start or span[0] >= end for start, end in self.damaged)


def normalize(text: str) -> Normalised:
    """Return the clean text: NFKC, no invisible marks, simplified characters, no glosses, residue or spam lines.

    Damaged byte runs are marked, never repaired: a lost byte cannot be restored with certainty. Normalising a
    clean text again changes nothing.
    """
    damaged_original = _damaged(text)
    clean, passes = text, []

    def change(pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> None:
        nonlocal clean
        clean, edits = _substitute(clean, pattern, replace)
        if edits.old:
            passes.append(edits)

    if not clean.isascii():
        change(_odd_characters(), lambda found: _compatible(found.group()))
        clean = _simplify(clean.translate(_single_characters()))
        if "(" in clean and _GLOSS_CUE.search(clean):
            change(_GLOSS, _without_gloss)
    # A look for a substring costs a twentieth of a regex: most texts need none of what follows.
    if any(cue in clean for cue in _RESIDUE_CUES):
        change(_RESIDUE, lambda _found: " ")
    if _SPAM_CUE.search(clean):
        change(_LINE, lambda found: "" if _is_spam(found.group()) else found.group())
    if " " in clean and _SPACED_OUT_CUE.search(clean):
        change(_SPACED_OUT, lambda found: found.group().replace(" ", ""))
    if any(blank in clean for blank in ("\n", "\t", "  ", "\u00a0")):
        change(_BLANKS, lambda found: "\n" if "\n" in found.group() else " ")
    if clean != clean.strip():
        change(_ENDS, lambda _found: "")

    damaged = []
    for span in damaged_original:
        for edits in passes:
            span = edits.forward(span)
        if span[0] < span[1]:
            damaged.append(span)
    return Normalised(clean, tuple(damaged), damaged_original, tuple(passes))


def _substitute(text: str, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str]) -> tuple[str, _Edits]:
    pieces: list[str] = []
    old: list[Span] = []
    new: list[Span] = []
    done = length = 0
    for found in pattern.finditer(text):
        instead = replace(found)
        if instead == found.group():
            continue
        start, end = found.span()
        pieces += (text[done:start], instead)
        length += start - done
        old.append((start, end))
        new.append((length, length + len(instead)))
        length += len(instead)
        done = end
    if not old:
        return text, _Edits((), ())
    pieces.append(text[done:])
    return "".join(pieces), _Edits(tuple(old), tuple(new))


# --- characters -----------------------------------------------------------------------------------------------------

_INVISIBLE = (
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff"
)
_INVISIBLE_RUN = re.compile(f"[{_INVISIBLE}]+")
_LINE_ENDS = "\r\u0085\u2028\u2029"


@cache
def _single_characters() -> dict[int, str]:
    """Characters that NFKC turns into exactly one other; blanks of every width become a space."""
    table = {}
    for code in (*range(0x80, 0xD800), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800), *range(0x2F800, 0x2FA20)):
        character = chr(code)
        compatible = unicodedata.normalize("NFKC", character)
        if compatible != character and len(compatible) == 1:
            table[code] = compatible
    table.update(dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))  # a lone surrogate can be neither stored nor sent
    return table


@cache
def _odd_characters() -> re.Pattern[str]:
    """What changes length: invisible marks, line ends, a letter with its marks, characters NFKC spells out."""
    spelled_out = [
        chr(code)
        for code in (*range(0x80, 0xD800), *range(0xF900, 0x10000), *range(0x1F100, 0x1F300))
        if len(unicodedata.normalize("NFKC", chr(code))) != 1
    ]
    marks = "\u0300-\u036f\u3099\u309a"
    odd = "".join(re.escape(character) for character in spelled_out)
    return re.compile(f"[{_INVISIBLE}]+|\r\n|[{_LINE_ENDS}]|[^\\W\\d_][{marks}]+|[{odd}]")


def _compatible(found: str) -> str:
    if _INVISIBLE_RUN.fullmatch(found):
        return ""
    if found == "\r\n" or found in _LINE_ENDS:
        return "\n"
    # The width classes contain spaces with marks (¯ ´ ¸): a mark that hangs on nothing is noise.
    return unicodedata.normalize("NFKC", found)


@cache
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def _simplify(text: str) -> str:
    """Return the text in simplified characters, character for character."""
    converted: str = _converter().convert(text)
    if len(converted) == len(text):
        return converted
    return "".join(single if len(single := _converter().convert(one)) == 1 else one for one in text)


# --- pinyin glosses: 監(jiān)管 -> 监管 -------------------------------------------------------------------------------

_TONED = "āáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜńňǹḿ"
_GLOSS_CUE = re.compile(rf"[\u3400-\u9fff]\([a-z{_TONED}]")
_GLOSS = re.compile(rf"(?<=[\u3400-\u9fff])\([a-zɡ{_TONED}]{{1,7}}\)")
_TONE_MARK = re.compile(f"[{_TONED}]")


def _without_gloss(found: re.Match[str]) -> str:
    """Drop a gloss: one with a tone mark, or a bare syllable that is how the character before it is read."""
    gloss = found.group()
    if _TONE_MARK.search(gloss):
        return ""
    character = found.string[found.start() - 1]
    return "" if gloss[1:-1] in _readings(character) else gloss


@lru_cache(maxsize=4096)
def _readings(character: str) -> frozenset[str]:
    from pypinyin import Style, pinyin

    return frozenset(pinyin(character, style=Style.NORMAL, heteronym=True)[0])


# --- residue and spam -----------------------------------------------------------------------------------------------

_RESIDUE_CUES = ("mso", "Mso", "MSO", "X-NONE", "@font-face", "<!--")
_RESIDUE = re.compile(
    # A comment ends before the next begins: otherwise a text full of openings is read to its end from each.
    r"(?i)<!--(?:(?!<!--).){0,20000}?-->"
    r"|/\*[^*]{0,200}\*/|@font-face\s?\{[^}]{0,2000}\}|@list [^{]{0,80}\{[^}]{0,2000}\}"
    r"|(?:table|p|li|div|span|h\d)\.Mso[\w, .]{0,120}\{[^}]{0,4000}\}"
    r"|\bNormal\s{1,4}0\s{1,4}(?:[\d.]{1,6} ?磅\s{1,4})?(?:\d\s{1,4}|false\s{1,4}|true\s{1,4}){2,12}"
    r"EN-US\s{1,4}ZH-CN\s{1,4}X-NONE"
    r"|\bmso-[\w-]{1,60}:[^;\"'}]{0,200};?",
    re.DOTALL,
)
_LINE = re.compile(r"[^\n]+(?:\n|\Z)")
# Lines that mirror sites put around a notice they copied: never a sentence of the notice itself.
_SPAM_LINE = re.compile(
    r"^(?:上一[篇条页]|下一[篇条页]|相关(?:阅读|推荐|文章|新闻|链接)|推荐阅读|延伸阅读|热门(?:推荐|文章|标签)|猜你喜欢|更多精彩"
    r"|(?:点击|扫码|长按|微信搜索).{0,20}(?:关注|公众号|二维码|下载)|扫一扫|分享(?:到|至)|责任编辑|免责声明|版权(?:声明|归)|特别声明"
    r"|声明[:：]|本文(?:来源|地址|链接|标签|关键词)|(?:关键词|标签|tags?)[:：]|当前位置|您(?:的|现在的)位置|【?(?:打印|关闭|返回顶部|收藏本站)"
    r"|友情链接|网站地图|本站(?:部分)?(?:内容|文章)|转载请注明)"
)
_JUNK = re.compile(
    "国产精品|久久|亚洲|欧美|日韩|无码|免费观看|在线观看|高清视频|成人|激情|娱乐城|博彩|体育投注|开户送|彩票|棋牌|网站入口|下载app|官网登录"
    "|网站优化|关键词排名|伟哥|私服|代开发票|办证"
)
_SPAM_CUE = re.compile(
    r"[上下]一[篇条页]|相关|阅读|热门|猜你|精彩|二维码|公众号|扫一扫|分享|责任编辑|声明|版权|本文|关键词|标签|(?i:tags?:)|位置|打印"
    rf"|关闭|收藏|友情链接|网站地图|本站|转载|{_JUNK.pattern}"
)


def _is_spam(line: str) -> bool:
    stripped = line.strip()
    if len(stripped) <= 120 and _SPAM_LINE.match(stripped):
        return True
    return len(stripped) <= 400 and len(set(_JUNK.findall(stripped))) >= 3


# --- blanks ---------------------------------------------------------------------------------------------------------

_BLANKS = re.compile(r"[ \t\u00a0]*\n\s*|[ \t\u00a0]{2,}|[\t\u00a0]")
_ENDS = re.compile(r"\A\s+|\s+\Z")
_SPACED_OUT_CUE = re.compile(r"[\u3400-\u9fff] [\u3400-\u9fff] [\u3400-\u9fff] [\u3400-\u9fff]")
_SPACED_OUT = re.compile(r"(?<![\u3400-\u9fff])(?:[\u3400-\u9fff] ){3,}[\u3400-\u9fff](?![\u3400-\u9fff])")


# --- damage ---------------------------------------------------------------------------------------------------------

_HANZI = "\u3400-\u9fff"
_DAMAGE = re.compile(
    # What a decoder leaves for bytes it could not read; private characters; lone surrogates.
    r"[\ufffd\ue000-\uf8ff\ud800-\udfff]+|(?:锟斤拷|锟斤|斤拷)+|烫{3,}|屯{3,}"
    # UTF-8 read as Latin-1 or Windows-1252.
    r"|(?:[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u017e\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{1,3}){2,}"
    # GBK that lost one byte: a bare question mark, then wrong characters up to the byte that restores the step.
    rf"|[?？][;:,.；：，．][{_HANZI}]{{0,40}}[a-z](?![a-z])|[?？][!！]?[{_HANZI}]{{4,40}}[a-z](?=[^a-zA-Z0-9]|\Z)"
)
_STEPPED = re.compile(rf"[?？][!！]?([{_HANZI}]{{4,40}})[a-z]")
# Lead characters of UTF-8 text read as GBK: the bytes E4–E9 that begin most Chinese characters.
_MISREAD_CUE = re.compile("[鈥锛銆鐨鏄鍦鏈鐢鍜浜骞鍙鐩涓鑷浠鎴闂绗璐閲娴鍏鏂鍔鍒鍥鍗鍨]")
_MISREAD = re.compile(rf"[{_HANZI}\u20ac\u3000-\u303f\uff00-\uffef\ue000-\uf8ff]{{4,}}")


def _damaged(text: str) -> tuple[Span, ...]:
    """Return the runs that no reader should draw a conclusion from, in order, without overlap."""
    if text.isascii():
        return ()
    spans = [found.span() for found in _DAMAGE.finditer(text) if _is_damage(found.group())]
    if _MISREAD_CUE.search(text):
        spans += [found.span() for found in _MISREAD.finditer(text) if _is_misread(found.group())]
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _is_damage(run: str) -> bool:
    """A question mark before a long run is ordinary prose unless the run is full of rare characters."""
    stepped = _STEPPED.fullmatch(run)
    if stepped is None:
        return True
    characters = stepped.group(1)
    return sum(_is_rare(character) for character in characters) * 5 >= len(characters)


def _is_rare(character: str) -> bool:
    """True for a character outside the first level of GB 2312, where the 3,755 common ones stand."""
    try:
        return not 0xB0 <= character.encode("gb2312")[0] <= 0xD7
    except UnicodeEncodeError:
        return True


def _is_misread(run: str) -> bool:
    """True when the run is valid UTF-8 once its characters are turned back into GBK bytes."""
    for length in (len(run), len(run) - 1):
        try:
            data = run[:length].encode("gb18030")
        except UnicodeEncodeError:
            return False
        for cut in range(3):
            try:
                return len(data[: len(data) - cut].decode("utf-8")) >= 2
            except UnicodeDecodeError:
                continue
    return False
