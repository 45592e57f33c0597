"""JSON as FHIR needs it: decimals keep their digits, and what could mean two things is refused.

https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from openward.fhir.errors import Malformed, TooCostly

MAX_DEPTH = 64
MAX_DIGITS = 128
MAX_EXPONENT = 400

SHORT = 4096  # bytes in which it is worth counting what opens; in more there are always enough
# How the members of what lies at the last depth allowed begin, when each stands on a line of its own.
DEEP = b"\n" + b" " * MAX_DEPTH

# `\u0000` that is not itself an escaped backslash followed by letters.
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def loads(body: bytes | bytearray | memoryview | str, *, limit: int | None = None) -> dict[str, Any]:
    """The object in `body`: floats as Decimal with their digits, integers as int.

    Raises Malformed for anything but one JSON object in UTF-8 without repeated keys, NUL characters, lone surrogates, numbers of absurd
    size or more than 64 levels; TooCostly when `body` is longer than `limit` bytes.
    """
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    if limit is not None and len(data) > limit:
        raise TooCostly(f"The body is {len(data):,} bytes long; at most {limit:,} are taken.")
    value = _decode(data)
    if type(value) is not dict:
        raise Malformed("The body is not a JSON object.")
    has_escapes = b"\\u" in data
    if has_escapes and ESCAPED_NUL.search(data):
        raise Malformed("The body contains the character NUL (\\u0000).")
    ours = dumps(value)
    # Written out a line for each value, what lies deep stands far in; only then is it worth going through every level.
    may_be_deep = len(ours) > SHORT or ours.count(b"{") + ours.count(b"[") > MAX_DEPTH
    if may_be_deep and DEEP in msgspec.json.format(ours, indent=1):
        _refuse_depth(value)
    # A repeated key is dropped in silence; then our own encoding of what was kept has fewer colons, unless one was escaped.
    if data.count(b":") != ours.count(b":") or (has_escapes and b"\\u003a" in data.lower()):
        _refuse_repeated_keys(data)
    return value


def dumps(resource: object) -> bytes:
    """UTF-8 JSON without spaces, keys in their order; Decimal as a number with its digits. Raises Malformed when it cannot be written."""
    try:
        return _encoder.encode(resource)
    except (UnicodeEncodeError, msgspec.MsgspecError, TypeError, RecursionError) as error:
        raise Malformed(f"The resource cannot be written as JSON: {error}.") from error


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise Malformed(f"A number has {len(text)} characters; at most {MAX_DIGITS} are taken.")
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise Malformed(f"The number {text} is out of any range.")
    return number


_decoder = msgspec.json.Decoder(float_hook=_decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def _decode(data: bytes) -> Any:
    try:
        return _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise Malformed("The body is not valid UTF-8.") from error
    except RecursionError as error:
        raise Malformed(f"The body is nested more than {MAX_DEPTH} levels deep.") from error
    except (msgspec.DecodeError, InvalidOperation, ValueError) as error:
        raise Malformed(f"The body is not well-formed JSON: {_reason(data, error)}.") from error


def _reason(data: bytes, error: Exception) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        return "it starts with a byte order mark"
    return str(error).removeprefix("JSON is malformed: ").rstrip(".") or "it is empty"


def _refuse_depth(value: dict[str, Any]) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in (parent.values() if type(parent) is dict else parent) if type(child) in (dict, list)]
        if not level:
            return
    raise Malformed(f"The body is nested more than {MAX_DEPTH} levels deep.")


def _refuse_repeated_keys(data: bytes) -> None:
    json.loads(data, object_pairs_hook=_distinct, parse_float=str, parse_int=str)


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Malformed(f"The key {key[:80]!r} stands twice in one object.")
        seen.add(key)
