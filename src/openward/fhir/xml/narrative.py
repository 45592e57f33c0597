"""The `div` of a narrative inside XML: kept letter for letter where it can stand alone, else written anew without prefixes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from openward.fhir.xml.elements import XHTML

ALONE = re.compile(rb"""<div\s(?:[^>"']|"[^"]*"|'[^']*')*?\bxmlns\s*=\s*["']http://www\.w3\.org/1999/xhtml["']""")
XML_SPACE = "http://www.w3.org/XML/1998/namespace "


def is_plain(source: bytes, start: int) -> bool:
    """Whether the `div` that starts there names its namespace itself, without a prefix."""
    return ALONE.match(source, start) is not None


class Narrative:
    """One open `div`. `start`: where it begins in the source, in bytes."""

    def __init__(self, start: int, plain: bool) -> None:
        self.begins = start
        self.plain = plain
        self.depth = 0
        self.parts: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if not self.plain:
            named = {"xmlns": XHTML} if self.depth == 1 else {}
            written = "".join(f" {name.replace(XML_SPACE, 'xml:')}={quoteattr(value)}" for name, value in {**named, **attributes}.items())
            self.parts.append(f"<{_local(tag)}{written}>")

    def characters(self, text: str) -> None:
        if not self.plain:
            self.parts.append(escape(text))

    def end(self, tag: str) -> bool:
        """Whether that was the end of the `div` itself."""
        self.depth -= 1
        if not self.plain:
            self.parts.append(f"</{_local(tag)}>")
        return self.depth == 0

    def text(self, source: bytes, last: int) -> str:
        """`last`: where the closing tag begins, in bytes."""
        if not self.plain:
            return "".join(self.parts)
        return source[self.begins : source.index(b">", last) + 1].decode()


def _local(tag: str) -> str:
    """Elements of other namespaces keep theirs as a prefix no narrative may have, so that they are refused."""
    space, _, name = tag.rpartition(" ")
    return name if space == XHTML else f"foreign:{name}"
