"""`{% kept menu slim %}…{% endkept %}`: a piece of the layout that is rendered once for each value of the named variables, and kept.

The frame around a page is the same for everyone of one role, and rendering it took as long as many a page in it. What is inside sees the named
variables and nothing else, so that nothing of a person, a patient or a form can get into what the next request is shown.
"""

from __future__ import annotations

from collections.abc import Hashable

from django.template import Context, TemplateSyntaxError
from django.template.base import Node, NodeList, Parser, Token
from django.utils.translation import get_language

MOST = 500
"""Texts kept of one piece: more than there are roles, pages and languages, and an end to it where somebody finds a way to ask for ever new ones."""


class Kept(Node):
    """One piece of one template, with its texts by language and by the values of `names`."""

    def __init__(self, inside: NodeList, names: tuple[str, ...]) -> None:
        self.inside = inside
        self.names = names
        self.texts: dict[tuple[Hashable, ...], str] = {}

    def render(self, context: Context) -> str:
        key = (get_language(), *[context.get(name) for name in self.names])
        text = self.texts.get(key)
        if text is None:
            if len(self.texts) >= MOST:
                self.texts.clear()
            text = self.texts[key] = self.inside.render(context.new(dict(zip(self.names, key[1:], strict=True))))
        return text


def kept(parser: Parser, token: Token) -> Kept:
    """Raises TemplateSyntaxError for anything but names of variables."""
    names = tuple(token.split_contents()[1:])
    for name in names:
        if not name.isidentifier():
            raise TemplateSyntaxError(f"kept takes names of variables, not {name}")
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(inside, names)
