"""Where a request comes from: the connection's own address, or what the operator's own proxies say. One function, for pages, `/fhir`, the trail and limits.

`OPENWARD_PROXIES` names those proxies. What anyone else writes into X-Forwarded-For, Forwarded (RFC 7239) or X-Forwarded-Proto is taken out of the request:
tries are counted by address, and an address one can choose is none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]
Networks = tuple[IPv4Network | IPv6Network, ...]
HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_FORWARDED_PROTO")
HOPS_AT_MOST = 20
LONGEST = 4096
SCHEMES = ("http", "https")


class WhereFrom:
    """The same for what reaches Django past `server.wsgi`."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        networks(settings.OPENWARD_PROXIES)  # what is written wrongly is said when the server starts

    def __call__(self, request: HttpRequest) -> HttpResponse:
        settle(request.META)
        return self.get_response(request)


def settle(environ: dict[str, Any]) -> None:
    """Put the client's own address and scheme into `REMOTE_ADDR` and `wsgi.url_scheme`, and take the headers out that tell of them."""
    if not environ.keys().isdisjoint(HEADERS):  # hardly ever, and every read asks
        _settle(environ)


def _settle(environ: dict[str, Any]) -> None:
    told = [environ.pop(name, None) for name in HEADERS]
    proxies: tuple[str, ...] = settings.OPENWARD_PROXIES
    if not proxies or not _is_proxy(environ.get("REMOTE_ADDR") or "", proxies):
        return
    forwarded_for, forwarded, proto = (one[-LONGEST:] if one is not None else None for one in told)
    environ["REMOTE_ADDR"] = _address(forwarded_for, forwarded, proxies) or environ["REMOTE_ADDR"]
    environ["wsgi.url_scheme"] = _scheme(proto or "", forwarded or "") or environ.get("wsgi.url_scheme", "http")


def _address(forwarded_for: str | None, forwarded: str | None, proxies: tuple[str, ...]) -> str | None:
    """None where nothing is said that can be believed: of two headers that differ the proxy did not write one, and nothing tells which."""
    found = set()
    if forwarded_for is not None:
        found.add(_client(_listed(forwarded_for), proxies))
    if forwarded is not None:
        found.add(_client([pairs.get("for", "") for pairs in _pairs(forwarded)], proxies))
    return found.pop() if len(found) == 1 else None


def networks(proxies: tuple[str, ...]) -> Networks:
    """Raises ImproperlyConfigured, which names what is neither address nor network."""
    found = []
    for one in proxies:
        try:
            found.append(ip_network(one, strict=False))
        except ValueError:
            raise ImproperlyConfigured(f"OPENWARD_PROXIES: {one} is neither an address nor a network such as 10.1.0.0/16") from None
    return tuple(found)


_known_networks = lru_cache(maxsize=16)(networks)


@lru_cache(maxsize=4096)
def _is_proxy(address: str, proxies: tuple[str, ...]) -> bool:
    plain = plain_address(address)
    return plain is not None and any(ip_address(plain) in one for one in _known_networks(proxies))


def plain_address(text: str) -> str | None:
    """An address in its usual spelling, without port, brackets and quotes; None for anything else, also for one that means something on one machine only."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        if port and not (port[0] == ":" and port[1:].isdecimal()):
            return None
    elif text.count(":") == 1 and text.rpartition(":")[2].isdecimal():
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        found = found.ipv4_mapped or found
    return str(found)


def _client(hops: list[str], proxies: tuple[str, ...]) -> str | None:
    """From the right, the first that is no proxy of ours; of proxies alone the one furthest left. What is no address ends the way: who stands before it wrote it."""
    last = None
    for hop in hops[: -HOPS_AT_MOST - 1 : -1]:
        address = plain_address(hop)
        if address is None:
            return last
        last = address
        if not _is_proxy(address, proxies):
            return address
    return last


def _listed(header: str) -> list[str]:
    """The members of a list; empty ones are none. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2"""
    return [one.strip() for one in header.split(",") if one.strip()]


def _pairs(header: str) -> list[dict[str, str]]:
    """The elements of `Forwarded`, names in small letters. A name twice makes an element worth nothing. https://www.rfc-editor.org/rfc/rfc7239#section-4"""
    elements = []
    for element in _listed(header):
        pairs = [pair.strip().partition("=") for pair in element.split(";") if pair.strip()]
        names = [name.lower() for name, _, _ in pairs]
        elements.append({name.lower(): value for name, _, value in pairs} if len(set(names)) == len(names) else {})
    return elements


def _scheme(proto: str, forwarded: str) -> str | None:
    """As the nearest proxy says, which writes at the right; None where it says nothing, nothing known, or two things."""
    elements = _pairs(forwarded)
    said = [(_listed(proto) or [""])[-1], elements[-1].get("proto", "").strip('"') if elements else ""]
    found = {one.lower() for one in said if one}
    return found.pop() if len(found) == 1 and found <= set(SCHEMES) else None
