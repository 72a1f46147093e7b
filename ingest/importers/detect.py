"""What a file is, by its content alone. Clause C2."""

import re
from pathlib import PurePath

from ingest.importers.ole import SIGNATURE
from ingest.importers.report import Rejected
from ingest.importers.text import readings, split_bom

EXTENSIONS = {
    "xlsx": ("xlsx", "xlsm"),
    "xls": ("xls", "et"),
    "csv": ("csv", "txt", "tsv"),
    "json": ("json", "jsonl", "ndjson", "txt"),
    "html": ("html", "htm"),
    "feed": ("xml", "rss", "atom", "rdf"),
    "xml": ("xml",),
    "pdf": ("pdf",),
}
"""The extensions that suit each type; another of these is a warning."""

_MAGIC = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"Rar!",
    b"\xfd7zXZ", b"\x7fELF", b"MZ", b"SQLite format 3", b"PAR1", b"RIFF", b"OggS", b"ID3", b"{\\rtf", b"%!PS",
    b"\xca\xfe\xba\xbe",
)  # fmt: skip
_HTML = re.compile(
    r"<!doctype\s+html|<(?:html|head|body|table|div|form|script|style|title|meta|p|span|center|h[1-6])[\s>/]", re.I
)


_BLANKS = b" \t\r\n\x00\x0b\x0c"
_LOOK = 4096


def detect(data: bytes) -> str:
    """Return xlsx, xls, pdf, json, html, feed or csv. Raises Rejected: empty_file, type_mismatch, corrupt."""
    _, body = split_bom(data)
    if not body[:_LOOK].strip(_BLANKS) and not body.strip(_BLANKS):  # stripping copies, and the file may be large
        raise Rejected("empty_file", "文件是空的")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "xlsx"
    if data.startswith(SIGNATURE):
        return "xls"
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(_MAGIC) and not _is_text(data):
        raise Rejected("type_mismatch", "不支持这种文件")
    start = _start(data)
    if start.startswith("<"):
        return _markup(start)
    if start.startswith("{") or re.match(r"\[\s*(?:[{\[\]\"]|-?\d|true|false|null|$)", start):
        return "json"
    if _has_object_lines(start):
        return "json"
    if not _is_text(data):
        raise Rejected("type_mismatch", "不是文本，也不是支持的表格文件")
    return "csv"


def suits(name: str, detected: str) -> bool:
    """True when the file's extension is one of its type's."""
    extension = PurePath(name).suffix.lower().lstrip(".")
    return extension in EXTENSIONS.get("json" if detected == "jsonl" else detected, ())


def _start(data: bytes) -> str:
    if data[:2] in (b"<\x00", b"\x00<") or data[:4] in (b"\x00\x00\x00<", b"\x4c\x6f\xa7\x94"):
        return "<?xml"
    for _, _, text in readings(data[:8192]):
        return text.replace("\x00", "").lstrip("\ufeff \t\r\n")
    return ""


def _markup(start: str) -> str:
    head = re.sub(r"<!--.*?-->", "", start[:8192], flags=re.S).lstrip()
    after = re.sub(r"^<\?xml[^>]*\?>", "", head).lstrip()
    if re.match(r"<!doctype\s+html[^\[>]*\[", after, re.I):
        return "feed"
    if _HTML.match(after):
        return "html"
    if head.startswith("<?xml") or re.match(r"<(?:!doctype|!entity|[A-Za-z_][\w.-]*:?[\w.-]*[\s>/])", after, re.I):
        return "feed"
    return "html" if _HTML.search(after) else "csv"


def _has_object_lines(start: str) -> bool:
    """True for one JSON object a line after a first line that is none."""
    lines = [line.strip() for line in start.splitlines()[:40] if line.strip()]
    return sum(line.startswith('{"') and line.endswith("}") for line in lines) * 2 >= max(len(lines), 2)


def _is_text(data: bytes) -> bool:
    """True unless the share of control bytes says that nobody ever read this as text."""
    marked, body = split_bom(data)
    if marked:
        return True
    sample = body[:65_536]
    controls = len(sample) - len(sample.translate(None, bytes(range(1, 9)) + bytes(range(14, 32)) + b"\x7f"))
    zeros = sample.count(0)
    return (controls * 20 <= len(sample) and zeros * 5 <= len(sample)) or (zeros > 0 and _is_wide(sample))


def _is_wide(sample: bytes) -> bool:
    """True for UTF-16 without a mark: many zero bytes, nearly all on one side, or text when read so."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even + odd and max(even, odd) > 10 * min(even, odd) and (even + odd) * 5 > len(sample):
        return True
    for encoding in ("utf-16-le", "utf-16-be"):
        text = sample[: len(sample) & ~1].decode(encoding, "replace")
        shown = sum(map(str.isprintable, text)) + sum(map(text.count, "\r\n\t"))
        if "\n" in text and shown * 100 >= len(text) * 98:
            return True
    return False
