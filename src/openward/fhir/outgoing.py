"""Requests this server makes to addresses that others chose: a name is resolved once, checked, and the very address that was checked is called.

Nothing private, loopback or link-local is reached unless the installation allows that network; no redirect is followed; everything has an end.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ANSWER_AT_MOST = 64 * 1024
AT_ONCE = 256 * 1024
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SITE = ipaddress.ip_network("fec0::/10")  # the private networks of IPv6 before fc00::/7, which Python takes for public
OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "proxy-authorization"})


class Unreachable(Exception):
    """The address may not be called, or does not answer. The text names no patient and can be shown to who chose the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address to call."""

    scheme: str
    host: str
    port: int
    path: str
    address: str

    @property
    def named(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def networks(texts: Sequence[str]) -> list[Network]:
    """Networks or single addresses, as an administrator writes them. Raises ValueError."""
    return [ipaddress.ip_network(text, strict=False) for text in texts]


def check_form(url: str, allowed: Sequence[Network] = ()) -> SplitResult:
    """What can be said of an address without asking anyone. Raises Unreachable."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Unreachable("The address is not a URL.") from error
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise Unreachable("The address is not one of https.")
    if parts.username or parts.password or not url.isascii() or any(ord(character) < 33 for character in url):
        raise Unreachable("The address must hold neither a sign-in nor spaces.")
    literal = _literal(parts.hostname)
    if literal is not None:
        _check(literal, allowed)
    return parts


def target(url: str, allowed: Sequence[Network] = ()) -> Target:
    """Resolve and check. Every address of the name must be allowed, so that none can be slipped in. Raises Unreachable."""
    parts = check_form(url, allowed)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    assert parts.hostname
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("The name of the host is not known.") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    private = [_check(address, allowed) for address in addresses]
    if parts.scheme == "http" and not all(private):
        raise Unreachable("Only https leaves the house.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path, str(addresses[0]))


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether the address is one of the allowed networks; a public one is not and need not be. Raises Unreachable."""
    inner = _unwrapped(address)
    if any(inner in network for network in allowed if network.version == inner.version):
        return True
    if not inner.is_global or inner.is_multicast or inner.is_reserved or inner in SITE or not address.is_global and inner is address:
        raise Unreachable("The address is private to this network; the administrator can allow it (OPENWARD_PRIVATE_TARGETS).")
    return False


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only carries it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def header_fault(line: str) -> str | None:
    """What is wrong with a header a client wants sent along, such as `Authorization: Bearer …`."""
    name, colon, value = line.partition(":")
    if not colon or not name.isascii() or not name.replace("-", "").isalnum():
        return "A header is a name, a colon and a value."
    if name.lower() in OWN_HEADERS:
        return f"The header {name[:40]} is set by this server."
    if not value.isascii() or any(ord(character) < 32 for character in value):
        return f"The header {name[:40]} holds characters a header may not have."
    return None


def send(method: str, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, allowed: Sequence[Network] = ()) -> Answer:
    """One request and the beginning of its answer, all within `seconds`. Raises Unreachable."""
    with _asked(method, target(url, allowed), body, headers, seconds) as response:
        return Answer(response.status, response.read(ANSWER_AT_MOST))


def fetch(url: str, into: IO[bytes], headers: Mapping[str, str], *, seconds: float, at_most: int, allowed: Sequence[Network] = ()) -> int:
    """Write what stands at an address into a file; how many bytes.

    Raises Unreachable, also for more than `at_most` bytes, for fewer than were promised, and for another status than 200.
    """
    size = 0
    with _asked("GET", target(url, allowed), b"", headers, seconds) as response:
        if response.status != 200:
            raise Unreachable(f"The host answered {response.status}.")
        while piece := response.read(AT_ONCE):
            size += len(piece)
            if size > at_most:
                raise Unreachable(f"The file is larger than {at_most // 2**20:,} MB.")
            into.write(piece)
        if response.length:  # which http.client keeps to itself when it is asked for pieces
            raise Unreachable(f"The host broke off {response.length:,} bytes before the end of the file.")
    return size


@contextmanager
def _asked(method: str, to: Target, body: bytes, headers: Mapping[str, str], seconds: float) -> Iterator[http.client.HTTPResponse]:
    connection = _Pinned(to, seconds)
    ending = threading.Timer(seconds, connection.break_off)
    ending.daemon = True
    ending.start()
    try:
        connection.request(method, to.path, body, {"Host": to.named, "User-Agent": "Openward", **headers})
        yield connection.getresponse()
        if connection.is_over:  # what was read may be cut short and look whole
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"The host does not answer as it should ({type(error).__name__}).") from error
    finally:
        ending.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, whatever the name means by now; TLS is for the name."""

    def __init__(self, to: Target, seconds: float) -> None:
        super().__init__(to.host, to.port, timeout=seconds)
        self._to = to
        self.is_over = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._to.address, self._to.port), self.timeout)
        if self._to.scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._to.host)

    def break_off(self) -> None:
        """The time is up: whatever is being waited for ends now."""
        self.is_over = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
