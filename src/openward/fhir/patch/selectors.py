"""The selectors of XML Patch: the part of XPath that RFC 5261 allows, made fit for an XPath engine.

https://www.rfc-editor.org/rfc/rfc5261#section-4.1: steps along children, attributes and text, and conditions that compare with a literal.
Nothing that could walk through the document again and again is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from openward.fhir.errors import Malformed
from openward.fhir.xml.elements import FHIR, XHTML

MAX_LENGTH = 1000
TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"[^"]*"|'[^']*')|(?P<number>[0-9]+)|(?P<call>(?:text|comment|position|last)\(\)|processing-instruction\((?:"[^"]*"|'[^']*')?\))
    |(?P<name>[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?)|(?P<sign>[/@\[\]=.*]))\s*""",
    re.VERBOSE,
)
# Prefixes FHIR's own examples use without saying what they stand for.
USUAL = {"f": FHIR, "fhir": FHIR, "h": XHTML, "xhtml": XHTML}
DEFAULT = "default.namespace"
WORDS = ("and", "or")


def selector(text: str, declared: Mapping[str | None, str]) -> tuple[str, dict[str, str]]:
    """`text` as an absolute XPath 1.0 and its prefixes. `declared`: the namespaces in force in the patch; None is the default one.

    Raises Malformed for anything but RFC 5261's selectors.
    """
    namespaces = {**USUAL, **{prefix: uri for prefix, uri in declared.items() if prefix}, DEFAULT: declared.get(None) or FHIR}
    path = "".join(_rewritten(text, namespaces))
    return path if path.startswith("/") else "/" + path, namespaces


def _rewritten(text: str, namespaces: Mapping[str, str]) -> Iterator[str]:
    if not text.strip() or len(text) > MAX_LENGTH:
        raise Malformed(f"A selector has 1 to {MAX_LENGTH:,} characters.")
    position, before = 0, ""
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None or not _may_follow(before, token):
            raise Malformed(f"The selector {text[:200]!r} is none that RFC 5261 allows.")
        position, said = token.end(), token[0].strip()
        if token["name"]:
            yield _name(said, before, namespaces)
        else:
            yield said
        before = said


def _may_follow(before: str, token: re.Match[str]) -> bool:
    if before == "/" and token["sign"] in ("/", "."):
        return False
    if before == ".":
        return token["sign"] == "="
    return before != "=" or bool(token["literal"] or token["number"])


def _name(name: str, before: str, namespaces: Mapping[str, str]) -> str:
    if name in WORDS and before not in ("/", "[", "@", ""):
        return f" {name} "
    prefix, colon, _ = name.partition(":")
    if colon and prefix not in namespaces and prefix != "xml":
        raise Malformed(f"The prefix {prefix[:80]} is not declared.")
    # XPath 1.0 has no default namespace; RFC 5261 does, for elements.
    return name if colon or before == "@" else f"{DEFAULT}:{name}"
