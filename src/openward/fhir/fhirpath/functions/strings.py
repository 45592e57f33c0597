"""Text. https://hl7.org/fhirpath/N1/#string-manipulation

Regular expressions run in RE2, in time linear in the text: no pattern can hold a process up.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from functools import lru_cache
from typing import Any

import re2

from openward.fhir.fhirpath.context import LETTERS_A_STEP, MAX_STRING, Context
from openward.fhir.fhirpath.errors import FhirPathError, FhirPathTooCostly
from openward.fhir.fhirpath.functions.registry import function, one
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.values import text, whole

MAX_PATTERN = 5_000
GROUP = re.compile(r"\$(\d)|\$\{(\w+)\}|\\(.)|\\", re.DOTALL)


@function("indexOf", 1)
def index_of(items: Items, context: Context, part: Items) -> Items:
    value, wanted = text(items, "indexOf()"), text(part, "indexOf()")
    return [] if value is None or wanted is None else [value.find(wanted)]


@function("lastIndexOf", 1)
def last_index_of(items: Items, context: Context, part: Items) -> Items:
    value, wanted = text(items, "lastIndexOf()"), text(part, "lastIndexOf()")
    return [] if value is None or wanted is None else [value.rfind(wanted)]


@function("substring", 1, 2)
def substring(items: Items, context: Context, start: Items, length: Items | None = None) -> Items:
    value, first = text(items, "substring()"), whole(start, "substring()")
    if value is None or first is None or not 0 <= first < len(value):
        return []
    many = whole(length, "substring()") if length is not None else None
    return [value[first:] if many is None else value[first : first + max(0, many)]]


@function("startsWith", 1)
def starts_with(items: Items, context: Context, part: Items) -> Items:
    value, wanted = text(items, "startsWith()"), text(part, "startsWith()")
    return [] if value is None or wanted is None else [value.startswith(wanted)]


@function("endsWith", 1)
def ends_with(items: Items, context: Context, part: Items) -> Items:
    value, wanted = text(items, "endsWith()"), text(part, "endsWith()")
    return [] if value is None or wanted is None else [value.endswith(wanted)]


@function("contains", 1)
def contains(items: Items, context: Context, part: Items) -> Items:
    value, wanted = text(items, "contains()"), text(part, "contains()")
    return [] if value is None or wanted is None else [wanted in value]


@function("upper")
def upper(items: Items, context: Context) -> Items:
    value = text(items, "upper()")
    return [] if value is None else [value.upper()]


@function("lower")
def lower(items: Items, context: Context) -> Items:
    value = text(items, "lower()")
    return [] if value is None else [value.lower()]


@function("trim")
def trim(items: Items, context: Context) -> Items:
    value = text(items, "trim()")
    return [] if value is None else [value.strip()]


@function("length")
def length(items: Items, context: Context) -> Items:
    value = text(items, "length()")
    return [] if value is None else [len(value)]


@function("toChars")
def to_chars(items: Items, context: Context) -> Items:
    value = text(items, "toChars()") or ""
    context.spend(len(value))
    return list(value)


@function("split", 1)
def split(items: Items, context: Context, separator: Items) -> Items:
    value, between = text(items, "split()"), text(separator, "split()")
    if value is None or between is None:
        return []
    parts = value.split(between) if between else list(value)
    context.spend(len(parts))
    return parts


@function("join", 0, 1)
def join(items: Items, context: Context, separator: Items | None = None) -> Items:
    between = text(separator, "join()") if separator is not None else ""
    parts = [value for item in items if (value := text([item], "join()")) is not None]
    context.spend(len(parts))
    _bound(sum(map(len, parts)) + len(between or "") * len(parts), context)
    return [(between or "").join(parts)] if parts else []


def _bound(characters: int, context: Context) -> None:
    if characters > MAX_STRING:
        raise FhirPathTooCostly(f"A string of more than {MAX_STRING:,} characters would be made.")
    context.spend(characters // LETTERS_A_STEP)


@function("replace", 2)
def replace(items: Items, context: Context, part: Items, by: Items) -> Items:
    value, old, new = text(items, "replace()"), text(part, "replace()"), text(by, "replace()")
    if value is None or old is None or new is None:
        return []
    _bound(len(value) + len(new) * (value.count(old) if len(new) > len(old) else 0), context)
    return [value.replace(old, new)]


@lru_cache(512)
def pattern(source: str) -> Any:
    """Compiled so that `.` takes line breaks too. Raises FhirPathError for what RE2 does not know, such as look-ahead."""
    if len(source) > MAX_PATTERN:
        raise FhirPathError(f"A regular expression has at most {MAX_PATTERN:,} characters.")
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(source, options)
    except re2.error as error:
        raise FhirPathError("The regular expression is not one RE2 reads.") from error


@function("matches", 1)
def matches(items: Items, context: Context, source: Items) -> Items:
    value, expression = text(items, "matches()"), text(source, "matches()")
    return [] if value is None or expression is None else [pattern(expression).search(value) is not None]


@function("matchesFull", 1)
def matches_full(items: Items, context: Context, source: Items) -> Items:
    value, expression = text(items, "matchesFull()"), text(source, "matchesFull()")
    return [] if value is None or expression is None else [pattern(expression).fullmatch(value) is not None]


@function("replaceMatches", 2)
def replace_matches(items: Items, context: Context, source: Items, by: Items) -> Items:
    """`$1` and `${name}` in the replacement are what the group matched."""
    value, expression, new = text(items, "replaceMatches()"), text(source, "replaceMatches()"), text(by, "replaceMatches()")
    if value is None or expression is None or new is None:
        return []
    if not expression:
        return [value]
    compiled = pattern(expression)
    found = sum(1 for _ in compiled.finditer(value)) if len(new) > 1 else 0
    context.spend(found)
    _bound(len(value) + found * (len(new) + len(value) * new.count("$")), context)
    try:
        return [compiled.sub(GROUP.sub(_group, new), value)]
    except (re2.error, IndexError) as error:
        raise FhirPathError("The replacement names a group the regular expression does not have.") from error


def _group(match: re.Match[str]) -> str:
    if match[1] or match[2]:
        return f"\\g<{match[1] or match[2]}>"
    return match[3] if match[3] and match[3] != "\\" else "\\\\"


@function("encode", 1)
def encode(items: Items, context: Context, target: Items) -> Items:
    value, form = text(items, "encode()"), text(target, "encode()")
    if value is None or form is None:
        return []
    data = value.encode()
    forms = {"hex": data.hex, "base64": lambda: base64.b64encode(data).decode(), "urlbase64": lambda: base64.urlsafe_b64encode(data).decode()}
    return one(forms[form]()) if form in forms else []


@function("decode", 1)
def decode(items: Items, context: Context, source: Items) -> Items:
    value, form = text(items, "decode()"), text(source, "decode()")
    if value is None or form not in ("hex", "base64", "urlbase64"):
        return []
    try:
        if form == "hex":
            return [bytes.fromhex(value).decode()]
        return [base64.b64decode(value, altchars=b"-_" if form == "urlbase64" else None, validate=True).decode()]
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise FhirPathError(f"The text is not {form}.") from error


@function("escape", 1)
def escape(items: Items, context: Context, target: Items) -> Items:
    value, form = text(items, "escape()"), text(target, "escape()")
    if value is None or form not in ("html", "json"):
        return []
    return [html.escape(value, quote=True) if form == "html" else json.dumps(value, ensure_ascii=False)[1:-1]]


@function("unescape", 1)
def unescape(items: Items, context: Context, source: Items) -> Items:
    value, form = text(items, "unescape()"), text(source, "unescape()")
    if value is None or form not in ("html", "json"):
        return []
    return [html.unescape(value) if form == "html" else _unescape_json(value)]


JSON_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|(["\\/bfnrt]))')
JSON_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescape_json(value: str) -> str:
    return JSON_ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else JSON_LETTERS.get(m[2], m[2]), value)
