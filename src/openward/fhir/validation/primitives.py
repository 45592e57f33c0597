"""Each primitive type's values, as JSON carries them. https://hl7.org/fhir/R4/datatypes.html#primitive

A test gives None for a good value and else a sentence; the sentence never repeats the value, which may be a patient's.
"""

from __future__ import annotations

import binascii
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from openward.fhir.validation.narrative import narrative_problem

Test = Callable[[Any], str | None]

MAX_STRING = 1024 * 1024
TOO_LONG = f"is longer than {MAX_STRING:,} characters"
# Control characters but tab, line feed and carriage return, halves of surrogate pairs, and the two that are none: XML can hold none of them.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Space is what XML Schema's \s means, in which the specification writes its patterns: a no-break space is a letter like others.
CODE = re.compile(r"\S+(\s\S+)*", re.ASCII)
NO_SPACE = re.compile(r"\S+", re.ASCII)
ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?")
DAY = r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
ZONE = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
DATE = re.compile(rf"{DAY}|(?!0000)[0-9]{{4}}(-(0[1-9]|1[0-2]))?")
INSTANT = re.compile(rf"{DAY}T{TIME.pattern}{ZONE}")
DATE_TIME = re.compile(rf"{DAY}(T{TIME.pattern}{ZONE})?|(?!0000)[0-9]{{4}}(-(0[1-9]|1[0-2]))?")

EMPTY = "is empty; leave the element out instead"


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false", int: "a number", Decimal: "a number", type(None): "null"}
    return kinds.get(type(value), f"a Python {type(value).__name__}")


def _not_text(value: object) -> str:
    return EMPTY if value == "" else f"must be a string, not {kind(value)}"


def string(value: Any) -> str | None:
    if value.__class__ is not str or not value:
        return _not_text(value)
    if value.isprintable() and len(value) <= MAX_STRING:
        return None
    if len(value) > MAX_STRING:
        return TOO_LONG
    return "contains a control character" if FORBIDDEN.search(value) else None


def code(value: Any) -> str | None:
    if value.__class__ is not str or not value:
        return _not_text(value)
    if value.isprintable() and " " not in value and len(value) <= MAX_STRING:
        return None
    if len(value) > MAX_STRING:
        return TOO_LONG
    return None if CODE.fullmatch(value) and not FORBIDDEN.search(value) else "is not a code: spaces stand at its start, its end, or together"


def uri(value: Any) -> str | None:
    if value.__class__ is not str or not value:
        return _not_text(value)
    if value.isprintable() and " " not in value and len(value) <= MAX_STRING:
        return None
    if len(value) > MAX_STRING:
        return TOO_LONG
    return None if NO_SPACE.fullmatch(value) and not FORBIDDEN.search(value) else "is not a URI: it contains spaces"


def boolean(value: Any) -> str | None:
    return None if value is True or value is False else f"must be true or false, not {kind(value)}"


def decimal(value: Any) -> str | None:
    if value.__class__ is int:
        return None
    if value.__class__ is Decimal:
        return None if value.is_finite() else "is not a number"
    return f"must be a number, not {kind(value)}"


def _whole(least: int) -> Test:
    def whole(value: Any) -> str | None:
        if value.__class__ is not int:
            return "must be a whole number" if value.__class__ is Decimal else f"must be a number, not {kind(value)}"
        return None if least <= value <= 2147483647 else f"is out of range: {least} to 2147483647"

    return whole


def _pattern(pattern: re.Pattern[str], problem: str) -> Test:
    def matches(value: Any) -> str | None:
        if value.__class__ is not str or not value:
            return _not_text(value)
        return None if pattern.fullmatch(value) else problem

    return matches


def _moment(pattern: re.Pattern[str], problem: str) -> Test:
    """Text of the pattern whose day is in the calendar: 2023-02-29 never was."""

    def moment(value: Any) -> str | None:
        if value.__class__ is not str or not value:
            return _not_text(value)
        if not pattern.fullmatch(value):
            return problem
        return None if value[8:10] <= "28" or _is_a_day(value[:10]) else "is a day that does not exist"

    return moment


def _is_a_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def base64(value: Any) -> str | None:
    if value.__class__ is not str or not value:
        return _not_text(value)
    dense = "".join(value.split())
    try:
        binascii.a2b_base64(dense, strict_mode=True)
    except ValueError:
        return "is not base64"
    return "contains a control character" if len(dense) < len(value) and FORBIDDEN.search(value) else None


def xhtml(value: Any) -> str | None:
    if value.__class__ is not str or not value:
        return _not_text(value)
    return narrative_problem(value)


TESTS: dict[str, Test] = {
    "base64Binary": base64,
    "boolean": boolean,
    "canonical": uri,
    "code": code,
    "date": _moment(DATE, "is not a date: YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": _moment(DATE_TIME, "is not a date and time: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz"),
    "decimal": decimal,
    "id": _pattern(ID, "is not an id: 1 to 64 letters, digits, - and ."),
    "instant": _moment(INSTANT, "is not an instant: YYYY-MM-DDThh:mm:ss with a zone (Z or +zz:zz)"),
    "integer": _whole(-2147483648),
    "markdown": string,
    "oid": _pattern(OID, "is not an OID: urn:oid:1.2.3"),
    "positiveInt": _whole(1),
    "string": string,
    "time": _pattern(TIME, "is not a time: hh:mm:ss"),
    "unsignedInt": _whole(0),
    "uri": uri,
    "url": uri,
    "uuid": _pattern(UUID, "is not a UUID: urn:uuid:…, in lower case"),
    "xhtml": xhtml,
}
