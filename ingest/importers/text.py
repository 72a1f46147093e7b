"""From bytes to clean text: which encoding a file is in, and the marks that no reader sees."""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator

INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0001-\U000e007f]"
)
"""Control, zero-width and bidi characters; tab and line ends are kept. Clause C3."""

DAMAGED = re.compile("[\ufffd\ud800-\udfff]|锟斤拷")
"""Traces of text that was lost before it came here. Clause C3."""


def is_plain(text: str) -> bool:
    """True when there is surely nothing INVISIBLE or DAMAGED in a text, nor any blank but the common one."""
    return text.isprintable() and "\ufffd" not in text and not ("锟" in text and "锟斤拷" in text)


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CASCADE = (
    ("utf-8", "strict"),
    ("gb18030", "strict"),
    ("big5", "strict"),
    ("utf-8", "replace"),
    ("gb18030", "replace"),
)


def split_bom(data: bytes) -> tuple[str | None, bytes]:
    """Return the encoding a byte order mark names, and the bytes after it."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding, data[len(mark) :]
    return None, data


def reading_order(marked: str | None = None, hint: str | None = None) -> list[tuple[str, str]]:
    """Return (encoding, error handling) in the order of clause C3, for a file with or without a mark.

    `hint` is a declared charset; it only decides which of two strict double-byte readings goes first, because
    a declaration is wrong as often as it is right.
    """
    order = list(_CASCADE)
    if marked and marked != "utf-8":
        order = [(marked, "strict"), *order, (marked, "replace")]
    if hint and hint.lower().replace("-", "").startswith("big5"):
        order.remove(("big5", "strict"))
        order.insert(order.index(("gb18030", "strict")), ("big5", "strict"))
    return order


def readings(data: bytes, hint: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Yield (encoding, error handling, text) for each reading of the whole that is possible."""
    marked, body = split_bom(data)
    for encoding, errors in reading_order(marked, hint):
        try:
            yield encoding, errors, body.decode(encoding, errors)
        except UnicodeDecodeError:
            continue


def is_misread(text: str, shows_header: Callable[[str], bool]) -> bool:
    """True when the text is Chinese that an earlier program read in the wrong encoding and saved so."""
    for wrote, read in (("latin-1", "gb18030"), ("cp1252", "utf-8"), ("latin-1", "utf-8"), ("gb18030", "utf-8")):
        try:
            original = text.encode(wrote, "replace").decode(read, "replace")
        except UnicodeError:
            continue
        if shows_header(original):
            return True
    return False


def fold(text: str) -> str:
    """Return the text as headers and coded words are compared: NFKC, no blanks, no invisible marks."""
    return "".join(INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())
