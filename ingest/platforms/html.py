"""Reading HTML that strangers wrote: decoding, text, dates, and pages that only look like content."""

import re
from datetime import date
from typing import cast
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

import lxml.html
from lxml import etree

from ingest.platforms.page import NotContent

_CHARSET = re.compile(rb"charset\s{0,3}=\s{0,3}[\"']?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)


def decode(body: bytes, content_type: str = "") -> str:
    """Return the page's text: BOM, then strict UTF-8, then the declared charset, then GB18030; never fails.

    What a server declares is wrong often enough that bytes which are valid UTF-8 are taken as UTF-8. Bytes no
    reading fits become U+FFFD and are marked as damaged later, not guessed.
    """
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if body.startswith(mark):
            return body.decode(name, "replace")
    declared = _CHARSET.search(content_type.encode("latin-1", "replace")) or _CHARSET.search(body[:2048])
    names = ["utf-8"]
    if declared:
        name = declared.group(1).decode("ascii").lower()
        names.append("gb18030" if name in ("gb2312", "gbk") else name)
    names.append("gb18030")
    for name in names:
        try:
            return body.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    fewest = [body.decode(name, "replace") for name in ("utf-8", "gb18030")]
    return min(fewest, key=lambda text: text.count("\ufffd"))


def parse(body: bytes, content_type: str = "") -> lxml.html.HtmlElement:
    """Return the page as a tree whose blocks stand on lines of their own. Raises `NotContent` for what is no HTML."""
    text = decode(body, content_type).replace("\x00", "")
    if not text.strip():
        raise NotContent("empty", "页面为空")
    # Marked before parsing: one pass of a regex costs a tenth of a walk over the tree.
    text = _CELL.sub(r" \g<0>", _BLOCK.sub(r"\n\g<0>", text))
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, recover=True)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, AssertionError) as failure:
        raise NotContent("wrong_type", "不是可读的网页") from failure
    for dead in list(tree.iter("script", "style", "noscript", "template", etree.Comment)):
        if dead.getparent() is not None:
            cast(lxml.html.HtmlElement, dead).drop_tree()
    return tree


_BLOCK = re.compile(
    r"</?(?:p|div|br|li|h[1-6]|ul|ol|dl|dd|dt|section|article|header|footer|blockquote|pre|tr|table)\b", re.IGNORECASE
)
_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
_OUTSIDE_TABLES = etree.XPath(".//text()[not(ancestor::table)]")


def text_of(element: lxml.html.HtmlElement, *, tables: bool = True) -> str:
    """Return the text of an element of a parsed page, a line for each block; without `tables`, what stands outside."""
    pieces = element.itertext() if tables else cast(list[str], _OUTSIDE_TABLES(element))
    lines = [" ".join(words) for line in "".join(map(str, pieces)).split("\n") if (words := line.split())]
    return "\n".join(lines)


_DATE = re.compile(r"(?<!\d)(20\d{2})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)")
_COMPACT_DATE = re.compile(r"(?<!\d)(20\d{2})(\d{2})(\d{2})(?!\d)")
_PUBLISHED = re.compile(
    r"(?:发布|发文|公布|成文|更新|发表|公告|公开)(?:时间|日期)\s{0,3}[:：]?\s{0,3}"
    r"(20\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2})"
)


def find_date(text: str) -> date | None:
    """Return the first date written in `text`, or None; an impossible day is no date."""
    for pattern in (_DATE, _COMPACT_DATE):
        for found in pattern.finditer(text):
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                continue
    return None


def find_published(text: str) -> date | None:
    """Return the date behind 发布时间 or a word like it."""
    found = _PUBLISHED.search(text)
    return find_date(found.group(1)) if found else None


def absolute(page_url: str, href: str | None) -> str | None:
    """Return the address `href` means on `page_url`, canonical and without fragment; None when it is not http(s).

    Session ids are taken out: the same page under a thousand ids is one page.
    """
    if not href or len(href) > 2000 or href.strip().lower().startswith(("javascript:", "mailto:", "tel:", "data:")):
        return None
    try:
        parts = urlsplit(urldefrag(urljoin(page_url, href.strip()))[0])
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = parts.hostname.lower()
    if ":" in host:
        host = f"[{host}]"
    if port and (parts.scheme, port) not in (("http", 80), ("https", 443)):
        host = f"{host}:{port}"
    path = _SESSION_PATH.sub("", parts.path) or "/"
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _SESSION_KEY.match(pair))
    return urlunsplit((parts.scheme, host, path, query, ""))


_SESSION_PATH = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_SESSION_KEY = re.compile(
    r"(?:jsessionid|phpsessid|aspsessionid\w*|sid|sessionid|session_id|_t|timestamp|utm_\w+|spm|from_source)=",
    re.IGNORECASE,
)

_LOGIN = re.compile(
    r"请(?:先|您先)?登录|用户登录|统一身份认证|账号登录|登录后(?:查看|访问)|会话已过期|login required|sign in",
    re.IGNORECASE,
)
_CAPTCHA = re.compile(
    r"验证码|安全验证|人机验证|滑动(?:验证|滑块)|访问(?:过于)?频繁|异常访问|请求过于频繁|captcha|are you (?:a )?human"
    r"|正在进行安全检测|checking your browser|WAF|网站防火墙|拦截提示",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"404 not found|页面(?:不存在|找不到|已删除|走丢了)|您访问的页面|抱歉.{0,12}(?:不存在|无法访问|出错)|系统繁忙"
    r"|系统(?:错误|维护|升级)|服务器(?:错误|繁忙)|internal server error|bad gateway"
    r"|service unavailable|数据库(?:连接)?错误"
    r"|网站(?:维护|升级)中|信息不存在|文章不存在|栏目不存在",
    re.IGNORECASE,
)


def refuse_walls(tree: lxml.html.HtmlElement, text: str) -> None:
    """Raise `NotContent` for a page, of this text, that is a login wall, a captcha or an error served as a success.

    A notice may well speak of logging in or of verification codes; a wall says so in its title, or says hardly
    anything else.
    """
    title = (tree.findtext(".//title") or "").strip()
    password = tree.xpath("//input[@type='password' or @type='Password']")
    short = len(text) < 600
    for pattern, reason, message in (
        (_CAPTCHA, "captcha", "站点要求人机验证"),
        (_LOGIN, "login", "站点要求登录"),
        (_ERROR, "error_page", "站点返回出错页"),
    ):
        if pattern.search(title) or (short and pattern.search(text)):
            raise NotContent(reason, message)
    if password and short:
        raise NotContent("login", "站点要求登录")
