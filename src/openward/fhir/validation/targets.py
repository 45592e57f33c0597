"""What a reference may point at. https://hl7.org/fhir/R4/references.html"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.validation.found import Found

TYPES = frozenset(RESOURCE_TYPES)
RELATIVE = re.compile(r"([A-Z][A-Za-z]+)(/[A-Za-z0-9.\-]{1,64}(/_history/[A-Za-z0-9.\-]{1,64})?(#.*)?|\?.+)")
RESTFUL = re.compile(r"https?://[^?#]+/([A-Z][A-Za-z]+)/[A-Za-z0-9.\-]{1,64}(/_history/[A-Za-z0-9.\-]{1,64})?(#.*)?")
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")

CONTAINED = "contained"
"""Code of a finding that waits for the whole resource: its message is the id a `#id` names, then the types allowed."""


def target_check(targets: tuple[str, ...]) -> Callable[[dict[str, Any]], list[Found] | None]:
    """A check of one Reference that has passed its structure; with no `targets` any type will do."""
    allowed = frozenset(targets) or TYPES
    sentence = f"may only refer to {', '.join(targets[:-1])} or {targets[-1]}" if len(targets) > 1 else f"may only refer to {', '.join(targets)}"

    def check(reference: dict[str, Any]) -> list[Found] | None:
        literal = reference.get("reference")
        if literal is not None and literal.split("/", 1)[0] in allowed and RELATIVE.fullmatch(literal):
            return None
        return _unusual(literal, reference.get("type"), allowed, sentence)

    return check


def pointed_at(literal: str) -> str | None:
    """The R4 type a reference names by itself: `Patient/1`, `Patient?identifier=1`, `https://server/fhir/Patient/1/_history/2`."""
    found = RELATIVE.fullmatch(literal) or RESTFUL.fullmatch(literal)
    return found[1] if found and found[1] in TYPES else None


def _unusual(literal: str | None, stated: str | None, allowed: frozenset[str], sentence: str) -> list[Found] | None:
    if literal is None or ABSOLUTE.match(literal):
        named = (pointed_at(literal) if literal else None) or stated
        return [("", "invalid", sentence)] if named in TYPES and named not in allowed else None
    if literal.startswith("#"):
        return [(".reference", CONTAINED, " ".join([literal[1:], *allowed]))] if len(literal) > 1 else None
    relative = RELATIVE.fullmatch(literal)
    if not relative or relative[1] not in TYPES:
        return [(".reference", "value", "is neither Type/id of an R4 type, #id, nor an absolute URL")]
    return None if relative[1] in allowed else [("", "invalid", sentence)]
