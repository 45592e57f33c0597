"""`{% translate "words" %}`: words that stand in a template are looked up once for each language, and not each time they are shown."""

from __future__ import annotations

from django.template import Context
from django.template.base import Parser, Token
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils.translation import get_language


class Translated(TranslateNode):
    """Django's own node for a constant, with what it found by language."""

    def __init__(self, node: TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop, node.asvar)
        self.texts: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        text = self.texts.get(language)
        if text is None:
            shown = super().render(context)
            text = self.texts[language] = context[self.asvar] if self.asvar else shown
        if self.asvar:
            context[self.asvar] = text
            return ""
        return text


def translate(parser: Parser, token: Token) -> TranslateNode:
    """Django's own tag. What is no constant, or has a context of meaning, stays with it."""
    node = do_translate(parser, token)
    words = node.filter_expression
    is_constant = words.is_var and words.var.literal is not None and not words.filters
    return Translated(node) if is_constant and not node.noop and node.message_context is None else node
