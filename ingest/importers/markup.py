"""XML that may be read at all: no DTD, no entity, not too deep, in any encoding. Clause C2."""

import re
from xml.parsers import expat

from lxml import etree

from ingest.importers.report import Rejected
from ingest.importers.text import split_bom

MAX_DEPTH = 64
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")


def decode_xml(data: bytes, encodings: tuple[str, ...] = ()) -> str:
    """Return the text of an XML file, without its declaration. Raises Rejected: bad_encoding."""
    from ingest.importers.text import readings

    marked, body = split_bom(data)
    guesses = [marked] if marked else []
    if not marked and body[:4] in (b"<\x00?\x00", b"<\x00r\x00", b"<\x00f\x00", b"<\x00!\x00"):
        guesses.append("utf-16-le")
    if not marked and body[:4] in (b"\x00<\x00?", b"\x00<\x00r", b"\x00<\x00f", b"\x00<\x00!"):
        guesses.append("utf-16-be")
    if body[:4] == b"<\x00\x00\x00":
        guesses.insert(0, "utf-32-le")
    if body[:4] == b"\x00\x00\x00<":
        guesses.insert(0, "utf-32-be")
    if body[:4] == b"\x4c\x6f\xa7\x94":
        guesses.insert(0, "cp037")
    declared = _DECLARED.search(body[:300].decode("latin-1"))
    hint = declared[1] if declared else None
    if hint and hint.lower().replace("_", "-") in ("utf-7", "unicode-1-1-utf-7"):
        guesses.insert(0, "utf-7")
    for encoding in guesses:
        try:
            return _DECLARED.sub("", body.decode(encoding), count=1)
        except (UnicodeDecodeError, LookupError):
            continue
    for _, _, text in readings(body, hint):
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)
    raise Rejected("bad_encoding", "无法识别文字编码")


def check_xml(text: str) -> None:
    """Pass well-formed XML without a DTD. Raises Rejected: xml_forbidden, nesting_too_deep, corrupt."""
    parser = expat.ParserCreate("utf-8")
    depth = 0

    def forbid(*_: object) -> None:
        raise Rejected("xml_forbidden", "XML 含 DTD 或实体声明，拒绝读取")

    def start(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise Rejected("nesting_too_deep", f"嵌套超过 {MAX_DEPTH} 层")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = forbid
    parser.EntityDeclHandler = forbid
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as broken:
        if _DECLARATION.search(text.encode("utf-8", "replace")):
            raise Rejected("xml_forbidden", "XML 含 DTD 或实体声明，拒绝读取") from broken
        raise Rejected("corrupt", "XML 不完整或有错误") from broken


def parse_checked(data: bytes) -> etree._Element:
    """Return the root of an XML file that may be read. Raises Rejected: xml_forbidden, nesting_too_deep, corrupt."""
    # a control character makes XML unreadable; as an invisible mark it is taken out, and told, with the others
    text = _CONTROL.sub("\u200b", decode_xml(data))
    check_xml(text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as broken:
        raise Rejected("corrupt", "XML 不完整或有错误") from broken


def local_name(element: etree._Element) -> str:
    """Return the element's name without its namespace; empty for a comment."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def looks_like_xml(name: str, data: bytes) -> bool:
    """True for a part of a package that some program may read as XML."""
    if name.lower().endswith((".xml", ".rels", ".vml", ".svg")):
        return True
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\x00<"))


def check_part(data: bytes) -> None:
    """Pass one XML part of a workbook. The parts are large and well-formed, so most need only a byte search."""
    plain = not data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<", b"\x00\x00", b"\x4c\x6f"))
    head = data[:200].lower()
    if plain and (b"encoding" not in head or b"utf-8" in head or b"ascii" in head):
        if _DECLARATION.search(data):
            raise Rejected("xml_forbidden", "XML 含 DTD 或实体声明，拒绝读取")
        return
    text = decode_xml(data)
    if _DECLARATION.search(text.encode("utf-8", "replace")):
        raise Rejected("xml_forbidden", "XML 含 DTD 或实体声明，拒绝读取")
