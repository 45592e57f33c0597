"""The primitive values that JSON does not write as text. What cannot be one stays text, which validation refuses by its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from openward.fhir.json import MAX_DIGITS, MAX_EXPONENT

WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})|\+[1-9][0-9]{0,18}")
DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _whole(text: str) -> Any:
    return int(text) if WHOLE.fullmatch(text) else text


def _decimal(text: str) -> Any:
    """Digit for digit; a whole number is one in JSON too."""
    if len(text) > MAX_DIGITS or not DECIMAL.fullmatch(text):
        return text
    if WHOLE.fullmatch(text) and text != "-0":
        return int(text)
    number = Decimal(text)
    return number if abs(number.adjusted()) <= MAX_EXPONENT else text


VALUES: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean, "decimal": _decimal, "integer": _whole, "positiveInt": _whole, "unsignedInt": _whole,
}  # fmt: skip
