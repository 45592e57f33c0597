"""Required bindings, and the most that others allow: a coded element says one of the codes of its value set.

https://hl7.org/fhir/R4/terminologies.html#required, https://hl7.org/fhir/R4/extension-elementdefinition-maxvalueset.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from openward.fhir.definitions import codes, codes_by_system
from openward.fhir.ucum import is_unit
from openward.fhir.validation.primitives import EMPTY, Test, code, kind

LISTED = 12
MEDIA_TYPES = frozenset({"http://hl7.org/fhir/ValueSet/mimetypes", "http://www.rfc-editor.org/bcp/bcp13.txt"})
LANGUAGES = "http://hl7.org/fhir/ValueSet/all-languages"
UNITS = "http://hl7.org/fhir/ValueSet/ucum-units"
UCUM = "http://unitsofmeasure.org"
BCP_47 = "urn:ietf:bcp:47"
# https://www.rfc-editor.org/rfc/rfc6838#section-4.2, and the short names the specification itself uses for its formats.
MEDIA_TYPE = re.compile(r"[\w!#$&^.+\-]+/[\w!#$&^.+*\-]+(?:\s*;.*)?|xml|json|ttl|html")
# https://www.rfc-editor.org/rfc/rfc5646#section-2.1; languages of four letters and more, which the grammar foresees, were never registered.
LANGUAGE = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[0-9a-wy-z](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?"
    r"|x(-[a-z0-9]{1,8})+|i-[a-z]{2,8}|sgn-[a-z]{2}-[a-z]{2}|en-gb-oed|zh-min",
    re.IGNORECASE,
)
LONGEST_TAG = 200


def code_test(value_set: str) -> Test | None:
    """The test of a `code`, `string` or `uri` element bound to `value_set`; None when the set is open."""
    if value_set in MEDIA_TYPES:
        return _media_type
    if value_set == LANGUAGES:
        return _language
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


def _is_language(tag: str) -> bool:
    return len(tag) <= LONGEST_TAG and LANGUAGE.fullmatch(tag) is not None


def _language(value: Any) -> str | None:
    return code(value) or (None if _is_language(value) else "is not in the language tags of BCP 47, such as en-US")


def _language_problem(value: Mapping[str, Any], type: str) -> str | None:
    """Words alone are enough, as the binding is only preferred; codes must have a tag among them."""
    codings = value.get("coding", ()) if type == "CodeableConcept" else (value,)
    if not codings or any(one.get("system") == BCP_47 and _is_language(one.get("code", "")) for one in codings):
        return None
    return f"has no language tag of BCP 47, such as en-US, with the system {BCP_47}"


def _unit_problem(value: Mapping[str, Any], type: str) -> str | None:
    codings = value.get("coding", ()) if type == "CodeableConcept" else (value,)
    return None if any(one.get("system") == UCUM and is_unit(one.get("code", "")) for one in codings) else f"has no unit of {UCUM}"


def concept_problem(value_set: str) -> Callable[[Mapping[str, Any], str], str | None] | None:
    """The test of a Coding, CodeableConcept or Quantity bound to `value_set`; None when the set is open."""
    if value_set == LANGUAGES:
        return _language_problem
    if value_set == UNITS:
        return _unit_problem
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
