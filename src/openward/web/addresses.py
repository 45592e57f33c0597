"""Addresses of pages, filled into their routes: a chart holds a hundred of them, and Django's `reverse` looks for the route anew for each.

What is kept is only the route of each page, such as `/chart/{}/notes/{}/`, never an address. Whatever is not plain goes through `reverse`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as django_url
from django.urls import NoReverseMatch, get_script_prefix, reverse

# What stands in an address as it is, under the converters `str` and `slug` alike: no quoting, no escaping, no refusal.
PLAIN = re.compile(r"[A-Za-z0-9_-]+").fullmatch
MARK = "part-{}-here"


def address_of(name: str, *parts: Any) -> str:
    """The page's address; `parts` fill its route in order. Raises NoReverseMatch."""
    texts = [str(part) for part in parts]
    if all(map(PLAIN, texts)) and (route := _route(settings.ROOT_URLCONF, get_script_prefix(), name, len(texts))):
        return route.format(*texts)
    return reverse(name, args=parts)


def address(name: str) -> str:
    """The page's address, or nothing where the room is not installed."""
    try:
        return address_of(name)
    except NoReverseMatch:
        return ""


@lru_cache(maxsize=1000)
def _route(urls: str, prefix: str, name: str, count: int) -> str | None:
    """The route with a `{}` for each part; None where a part has a form of its own, such as a number. Raises NoReverseMatch."""
    marks = [MARK.format(number) for number in range(count)]
    try:
        route = reverse(name, args=marks)
    except NoReverseMatch:
        if not count:
            raise
        return None
    route = route.replace("{", "{{").replace("}", "}}")
    for mark in marks:
        route = route.replace(mark, "{}", 1)
    return route


class Address(URLNode):
    """`{% url "room:page" part … %}` by its route; a named part or a page named by a variable goes Django's way."""

    def render(self, context: Context) -> str:
        if self.kwargs or self.view_name.is_var or self.view_name.filters:
            return super().render(context)
        try:
            found = address_of(self.view_name.var, *[part.resolve(context) for part in self.args])
        except NoReverseMatch:
            return super().render(context)
        if self.asvar:
            context[self.asvar] = found
            return ""
        return found


def url(parser: Parser, token: Token) -> URLNode:
    """Django's own tag `url`, whose addresses are made here."""
    node = django_url(parser, token)
    return Address(node.view_name, node.args, node.kwargs, node.asvar)
