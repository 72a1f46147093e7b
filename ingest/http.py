"""The one way out: every request leaves through a check of where it really goes.

A name is resolved once, all its addresses are checked, and the connection goes to a checked address; each redirect
is checked anew. Private networks are open only where an administrator named the host or the network
(`Settings.outbound_allow`), because bureaus' own receivers live there.
"""

import ipaddress
import socket
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

USER_AGENT = "ZhianRadar/0.1 (+product-quality-risk-monitoring; contact: the operating bureau)"
MAX_REDIRECTS = 5
MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_SECONDS = 30.0
PORTS = frozenset({80, 443})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Refused(Exception):
    """The request may not go out; the message says why, without the address's secrets."""


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


@dataclass(frozen=True)
class Guard:
    """What may be reached. `allow` holds hosts, addresses, networks in CIDR form, each with `:port` if need be."""

    allow: tuple[str, ...] = ()
    resolver: Callable[[str, int], Sequence[str]] = field(default=resolve, compare=False)

    def check(self, url: str) -> Target:
        """Return where `url` leads once every address behind it is known to be allowed. Raises `Refused`."""
        scheme, host, port = self.check_form(url)
        literal = as_address(host)
        if literal is not None:
            addresses = [str(literal)]
        else:
            try:
                addresses = list(self.resolver(host, port))
            except (OSError, UnicodeError) as failure:
                raise Refused("域名无法解析") from failure
        if not addresses:
            raise Refused("域名无法解析")
        return Target(scheme, host, port, tuple(self.check_address(one, host, port) for one in addresses))

    def check_form(self, url: str) -> tuple[str, str, int]:
        """Return scheme, host and port of `url` when its spelling and port are allowed, without resolving the name.

        Raises `Refused`; a literal address is checked too.
        """
        scheme, host, port = split_url(url)
        if port not in PORTS and not self._names_host(host, port) and not self._names_network(host):
            raise Refused(f"不允许访问端口 {port}")
        literal = as_address(host)
        if literal is not None:
            self.check_address(str(literal), host, port)
        return scheme, host, port

    def check_address(self, address: str, host: str = "", port: int = 0) -> Address:
        """Return the address when it is public, or an administrator allowed it or the host. Raises `Refused`."""
        try:
            found = ipaddress.ip_address(address.split("%")[0])
        except ValueError as failure:
            raise Refused("地址写法无法识别") from failure
        if self._names_host(host, port) or any(found in network for network in self._networks):
            return found
        real = embedded(found)
        if real != found and any(real in network for network in self._networks):
            return found
        if not is_public(found) or not is_public(real):
            raise Refused("不允许访问内网、本机或保留地址")
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
    """Return scheme, host in ASCII and port of an http(s) address. Raises `Refused` for anything doubtful.

    Where two parsers could disagree about the host (backslashes, user names, blanks, control characters), the
    address is refused instead of read one way here and another way by whoever connects.
    """
    if len(url) > 4000 or not url.isprintable() or any(character in url for character in "\\ \t\r\n"):
        raise Refused("网址含有不允许的字符")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as failure:
        raise Refused("网址写法有误") from failure
    if parts.scheme not in ("http", "https"):
        raise Refused("只允许 http 和 https")
    if "@" in parts.netloc:
        raise Refused("网址中不允许带用户名或口令")
    host = ascii_host(parts.hostname or "")
    return parts.scheme, host, port if port is not None else (443 if parts.scheme == "https" else 80)


def ascii_host(host: str) -> str:
    """Return the host as it goes on the wire: IDN dots and full-width forms folded, lower case. Raises `Refused`."""
    folded = unicodedata.normalize("NFKC", host).replace("。", ".").lower().rstrip(".")
    if not folded or "%" in folded:
        raise Refused("网址没有主机名")
    if folded.isascii():
        return folded
    try:
        return folded.encode("idna").decode("ascii")
    except UnicodeError as failure:
        raise Refused("域名写法有误") from failure


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
        raise Refused("地址写法无法识别") from failure


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
