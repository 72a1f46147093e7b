"""The one way out: every request leaves through a check of where it really goes.

A name is resolved once, all its addresses are checked, and the connection goes to a checked address; each redirect
is checked anew. Private networks are open only where an administrator named the host or the network
(`Settings.outbound_allow`), because bureaus' own receivers live there.
"""

import ipaddress
import socket
import ssl
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from types import TracebackType
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2

USER_AGENT = "ZhianRadar/0.1 (+product-quality-risk-monitoring; contact: the operating bureau)"
MAX_REDIRECTS = 5
MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_SECONDS = 30.0
PORTS = frozenset({80, 443})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class OutboundRefused(Exception):
    """The request may not go out; the message says why, without the address's secrets."""


class OutboundFailed(Exception):
    """The request went out and no whole answer came back: no route, a cut line, a bad certificate, a time-out."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked destination."""

    scheme: str
    host: str
    port: int
    addresses: tuple[Address, ...]


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return every address the system's resolver gives for `host`. Raises OSError when there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` holds at most the bytes asked for, `whole` says whether that was all."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


@dataclass(frozen=True)
class Guard:
    """What may be reached. `allow` holds hosts, addresses, networks in CIDR form, each with `:port` if need be."""

    allow: tuple[str, ...] = ()
    resolver: Callable[[str, int], Sequence[str]] = field(default=resolve, compare=False)

    def check(self, url: str) -> Target:
        """Return where `url` leads once every address behind it is known to be allowed. Raises `OutboundRefused`."""
        scheme, host, port = self.check_form(url)
        literal = as_address(host)
        if literal is not None:
            addresses = [str(literal)]
        else:
            try:
                addresses = list(self.resolver(host, port))
            except (OSError, UnicodeError) as failure:
                raise OutboundRefused("域名无法解析") from failure
        if not addresses:
            raise OutboundRefused("域名无法解析")
        return Target(scheme, host, port, tuple(self.check_address(one, host, port) for one in addresses))

    def check_form(self, url: str) -> tuple[str, str, int]:
        """Return scheme, host and port of `url` when its spelling and port are allowed, without resolving the name.

        Raises `OutboundRefused`; a literal address is checked too.
        """
        scheme, host, port = split_url(url)
        if port not in PORTS and not self._names_host(host, port) and not self._names_network(host):
            raise OutboundRefused(f"不允许访问端口 {port}")
        literal = as_address(host)
        if literal is not None:
            self.check_address(str(literal), host, port)
        return scheme, host, port

    def check_address(self, address: str, host: str = "", port: int = 0) -> Address:
        """Return the address when it is public or an administrator allowed it. Raises `OutboundRefused`."""
        try:
            found = ipaddress.ip_address(address.split("%")[0])
        except ValueError as failure:
            raise OutboundRefused("地址写法无法识别") from failure
        if self._names_host(host, port) or any(found in network for network in self._networks):
            return found
        real = embedded(found)
        if real != found and any(real in network for network in self._networks):
            return found
        if not is_public(found) or not is_public(real):
            raise OutboundRefused("不允许访问内网、本机或保留地址")
        return found

    @cached_property
    def _networks(self) -> tuple[Network, ...]:
        networks: list[Network] = []
        for entry in self.allow:
            try:
                networks.append(ipaddress.ip_network(entry.strip(), strict=False))
            except ValueError:
                continue
        return tuple(networks)

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(entry.strip().lower().rstrip(".") for entry in self.allow)

    def _names_host(self, host: str, port: int) -> bool:
        return bool(host) and (host in self._hosts or f"{host}:{port}" in self._hosts)

    def _names_network(self, host: str) -> bool:
        literal = as_address(host)
        return literal is not None and any(literal in network for network in self._networks)


def split_url(url: str) -> tuple[str, str, int]:
    """Return scheme, host in ASCII and port of an http(s) address. Raises `OutboundRefused` for anything doubtful.

    Where two parsers could disagree about the host (backslashes, user names, blanks, control characters), the
    address is refused instead of read one way here and another way by whoever connects.
    """
    if len(url) > 4000 or not url.isprintable() or any(character in url for character in "\\ \t\r\n"):
        raise OutboundRefused("网址含有不允许的字符")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as failure:
        raise OutboundRefused("网址写法有误") from failure
    if parts.scheme not in ("http", "https"):
        raise OutboundRefused("只允许 http 和 https")
    if "@" in parts.netloc:
        raise OutboundRefused("网址中不允许带用户名或口令")
    host = ascii_host(parts.hostname or "")
    return parts.scheme, host, port if port is not None else (443 if parts.scheme == "https" else 80)


def ascii_host(host: str) -> str:
    """Return the host as it goes on the wire: wide forms folded, lower case. Raises `OutboundRefused`."""
    folded = unicodedata.normalize("NFKC", host).replace("。", ".").lower().rstrip(".")
    if not folded or "%" in folded:
        raise OutboundRefused("网址没有主机名")
    if folded.isascii():
        return folded
    try:
        return folded.encode("idna").decode("ascii")
    except UnicodeError as failure:
        raise OutboundRefused("域名写法有误") from failure


def as_address(host: str) -> Address | None:
    """Return the address `host` spells, also in the decimal, octal, hex and short forms a C library reads."""
    try:
        return ipaddress.ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        pass
    if not host or not all(part and (part[:2] in ("0x", "0X") or part.isdigit()) for part in host.split(".")):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError as failure:
        raise OutboundRefused("地址写法无法识别") from failure


_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def embedded(address: Address) -> Address:
    """Return the IPv4 address inside a mapped, compatible, NAT64, 6to4 or Teredo address; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _NAT64) or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return address


def is_public(address: Address) -> bool:
    """True for an address on the open internet."""
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class GuardedClient:
    """The HTTP client for everything but crawls: checks, connects to the address it checked, checks each redirect."""

    def __init__(
        self,
        allow: Sequence[str] = (),
        timeout: float = TIMEOUT_SECONDS,
        *,
        resolver: Callable[[str, int], Sequence[str]] = resolve,
        verify: bool | ssl.SSLContext = True,
    ) -> None:
        self._guard = Guard(tuple(allow), resolver)
        self._timeout = timeout
        # Proxies and netrc of the environment would send the request where nothing was checked.
        self._client = httpx2.Client(trust_env=False, follow_redirects=False, verify=verify, http2=False)

    def __enter__(self) -> "GuardedClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int = MAX_BYTES) -> Answer:
        """Fetch `url`, following at most five redirects. Raises `OutboundRefused` and `OutboundFailed`."""
        sent = dict(headers or {})
        for _hop in range(MAX_REDIRECTS + 1):
            answer = self._send("GET", url, None, sent, self._timeout, max_bytes)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                return answer
            following = urljoin(url, location)
            if urlsplit(following).netloc != urlsplit(url).netloc:
                sent = {name: value for name, value in sent.items() if name.lower() not in _SECRET_HEADERS}
            url = following
        raise OutboundRefused(f"重定向超过 {MAX_REDIRECTS} 次")

    def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        max_bytes: int = 4096,
    ) -> tuple[int, Mapping[str, str], str]:
        """Send `content`; return status, headers and the first bytes of the answer as text. Redirects are not followed.

        Raises `OutboundRefused` and `OutboundFailed`.
        """
        answer = self._send("POST", url, content, dict(headers or {}), timeout or self._timeout, max_bytes)
        return answer.status, answer.headers, answer.body.decode("utf-8", "replace")

    def _send(
        self, method: str, url: str, content: bytes | None, headers: dict[str, str], timeout: float, max_bytes: int
    ) -> Answer:
        target = self._guard.check(url)
        parts = urlsplit(url)
        address = target.addresses[0]
        literal = f"[{address}]" if address.version == 6 else str(address)
        default = (target.scheme, target.port) in (("http", 80), ("https", 443))
        named = f"[{target.host}]" if ":" in target.host else target.host
        pinned = urlunsplit((target.scheme, f"{literal}:{target.port}", parts.path or "/", parts.query, ""))
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **headers}
        sent["Host"] = named if default else f"{named}:{target.port}"
        request = self._client.build_request(
            method,
            pinned,
            content=content,
            headers=sent,
            timeout=timeout,
            extensions={"sni_hostname": target.host},
        )
        deadline = monotonic() + timeout
        try:
            response = self._client.send(request, stream=True)
            try:
                body, whole = _read(response, max_bytes, deadline)
            finally:
                response.close()
        except httpx2.HTTPError as failure:
            raise OutboundFailed(type(failure).__name__) from failure
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(url, response.status_code, received, body, whole)


_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "webhook-signature", "x-signature"})


def _read(response: httpx2.Response, max_bytes: int, deadline: float) -> tuple[bytes, bool]:
    """Return at most `max_bytes` of the decoded body; a body that drips past the deadline is a failure."""
    body = bytearray()
    for piece in response.iter_bytes(65536):
        body += piece
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), False
        if monotonic() > deadline:
            raise httpx2.ReadTimeout("the answer took too long")
    return bytes(body), True
