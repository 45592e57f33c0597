"""Whose address a request has: the connection's, or what the operator's own proxies say."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from openward.accounts.middleware import WhereFrom

PROXY, OTHER = "10.0.0.5", "203.0.113.9"


def address(settings: LazySettings, proxies: list[str], peer: str, forwarded: str | None) -> str:
    settings.OPENWARD_PROXIES = proxies
    request: HttpRequest = RequestFactory(**({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})).get("/", REMOTE_ADDR=peer)
    WhereFrom(lambda _: HttpResponse())(request)
    return str(request.META["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        ([], OTHER, "1.2.3.4", OTHER),
        ([PROXY], OTHER, "1.2.3.4", OTHER),
        ([PROXY], PROXY, "1.2.3.4", "1.2.3.4"),
        ([PROXY], PROXY, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (["10.0.0.0/8"], PROXY, "1.2.3.4, 10.0.0.9", "1.2.3.4"),
        ([PROXY], PROXY, "2001:db8::1", "2001:db8::1"),
        ([PROXY], PROXY, None, PROXY),
        ([PROXY], PROXY, "", PROXY),
        ([PROXY], PROXY, "x'; drop table", "0.0.0.0"),
    ],
    ids=["no proxies", "not from the proxy", "from the proxy", "a made-up one before", "two proxies", "IPv6", "none named", "empty", "garbage"],
)
def test_is_believed_from_the_operators_own_proxies_alone(
    settings: LazySettings, proxies: list[str], peer: str, forwarded: str | None, expected: str
) -> None:
    assert address(settings, proxies, peer, forwarded) == expected
