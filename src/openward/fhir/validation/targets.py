"""What a reference may point at. https://hl7.org/fhir/R4/references.html"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.validation.found import Found

TYPES = frozenset(RESOURCE_TYPES)
RELATIVE = re.compile(r"([A-Z][A-Za-z]+)(/[A-Za-z0-9.\-]{1,64}(/_history/[A-Za-z0-9.\-]{1,64})?(#.*)?|\?.+)")
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")

CONTAINED = "contained"
"""Code of a finding that waits for the whole resource: its message is the id a `#id` names, then the types allowed."""


def target_check(targets: tuple[str, ...]) -> Callable[[dict[str, Any]], list[Found] | None]:
    """A check of one Reference that has passed its structure; with no `targets` any type will do."""
    allowed = frozenset(targets) or TYPES
    sentence = f"may only refer to {', '.join(targets[:-1])} or {targets[-1]}" if len(targets) > 1 else f"may only refer to {', '.join(targets)}"

    def check(reference: dict[str, Any]) -> list[Found] | None:
        literal = reference.get("reference")
        if literal is None:
            named = reference.get("type")
            return None if named is None or named in allowed or named not in TYPES else [("", "invalid", sentence)]
        if literal[:4] == "urn:" or literal.split("/", 1)[0] in allowed and RELATIVE.fullmatch(literal):
            return None
        return _unusual(literal, allowed, sentence)

    return check


def _unusual(literal: str, allowed: frozenset[str], sentence: str) -> list[Found] | None:
    if literal.startswith("#"):
        return [(".reference", CONTAINED, " ".join([literal[1:], *allowed]))] if len(literal) > 1 else None
    if ABSOLUTE.match(literal):
        return None
    relative = RELATIVE.fullmatch(literal)
    if not relative or relative[1] not in TYPES:
        return [(".reference", "value", "is neither Type/id of an R4 type, #id, nor an absolute URL")]
    return None if relative[1] in allowed else [("", "invalid", sentence)]
