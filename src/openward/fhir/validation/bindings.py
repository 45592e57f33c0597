"""Required bindings: a coded element says one of the codes of its value set. https://hl7.org/fhir/R4/terminologies.html#required"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from openward.fhir.definitions import codes, codes_by_system
from openward.fhir.validation.primitives import EMPTY, Test, kind

LISTED = 12
MEDIA_TYPES = "http://hl7.org/fhir/ValueSet/mimetypes"
# https://www.rfc-editor.org/rfc/rfc6838#section-4.2, and the short names the specification itself uses for its formats.
MEDIA_TYPE = re.compile(r"[\w!#$&^.+\-]+/[\w!#$&^.+*\-]+(?:\s*;.*)?|xml|json|ttl|html")


def code_test(value_set: str) -> Test | None:
    """The test of a `code`, `string` or `uri` element bound to `value_set`; None when the set is open."""
    if value_set == MEDIA_TYPES:
        return _media_type
    allowed = codes(value_set)
    if allowed is None:
        return None
    sentence = f"is not one of {', '.join(sorted(allowed))}" if len(allowed) <= LISTED else f"is not in {value_set}"

    def one_of(value: Any) -> str | None:
        if value.__class__ is not str:
            return f"must be a string, not {kind(value)}"
        return None if value in allowed else (sentence if value else EMPTY)

    return one_of


def _media_type(value: Any) -> str | None:
    if value.__class__ is not str:
        return f"must be a string, not {kind(value)}"
    return None if MEDIA_TYPE.fullmatch(value) else ("is not in the media types of RFC 6838, such as text/plain" if value else EMPTY)


def concept_problem(value_set: str) -> Callable[[Mapping[str, Any], str], str | None] | None:
    """The test of a Coding, CodeableConcept or Quantity bound to `value_set`; None when the set is open."""
    systems = codes_by_system(value_set)
    if systems is None:
        return None

    def is_in(coding: Mapping[str, Any]) -> bool:
        return coding.get("code") in systems.get(coding.get("system", ""), ())

    def problem(value: Mapping[str, Any], type: str) -> str | None:
        if type == "CodeableConcept":
            return None if any(map(is_in, value.get("coding", ()))) else f"has no coding from {value_set}"
        return None if is_in(value) or "code" not in value else f"has a code that is not in {value_set}"

    return problem
