"""String parameters: names, addresses, text; without case or accents, from the start. https://hl7.org/fhir/R4/search.html#string"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from openward.fhir.definitions import SearchParameter
from openward.fhir.search.parameters import BY_SOUND, number, owned
from openward.fhir.search.phonetics import sounds
from openward.fhir.search.sql import Bindings, any_of, rtype

# Letters that Unicode does not take apart into a base letter and a mark.
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i", "’": "'"})
PARTS: Mapping[str, tuple[str, ...]] = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
    "CodeableConcept": ("text",),
}
LAST = "\U0010ffff"
INDEXED = 100  # characters; the length in the index string_value_by_value


REMEMBERED, LONGEST = 16384, 300  # texts; letters of one, so that what is remembered has a size


def normal(text: str) -> str:
    """Case-folded, without accents, white space collapsed: `José  María` → `jose maria`."""
    return _remembered(text) if len(text) <= LONGEST else _normal(text)


def _normal(text: str) -> str:
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c)).translate(PLAIN)
    return " ".join(folded.split())


_remembered = lru_cache(maxsize=REMEMBERED)(_normal)


def texts(datatype: str, value: Any) -> Iterator[str]:
    """The strings a value is found by; of a name or an address each part by itself."""
    if isinstance(value, str):
        yield value
        return
    for part in PARTS[datatype]:
        here = value.get(part)
        if isinstance(here, str):
            yield here
        elif here:
            yield from (text for text in here if text)
    if datatype == "CodeableConcept":
        yield from (coding["display"] for coding in value.get("coding", ()) if coding.get("display"))


def extract(parameter: SearchParameter, datatype: str, value: Any) -> Iterator[tuple[int, str, str]]:
    """(parameter number, normal form, as it stands); for `phonetic` the sounds of the words."""
    param = number(parameter.code)
    for text in texts(datatype, value):
        if parameter.code == BY_SOUND:
            yield from ((param, sound, text) for word in normal(text).split() for sound in sounds(word))
        else:
            yield param, normal(text), text


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    """Starts with any of `values`; equals with :exact; holds with :contains."""
    numbers = bind.place([number(owner.code) for owner in owned(parameter.base, parameter.code)], "::int[]")
    shape = _sounding if parameter.code == BY_SOUND else {None: _starting, "exact": _exact, "contains": _containing}[modifier]
    found = any_of([shape(value, bind) for value in values])
    return (
        f"c.rkey in (select s.rkey from fhir.string_value s where s.tenant = %(tenant)s and s.rtype = {rtype(parameter.base)}"  # noqa: S608
        f" and s.param = any({numbers}) and {found})"
    )


def _starting(value: str, bind: Bindings) -> str:
    start = normal(value)
    indexed = start[:INDEXED]
    found = f"(left(s.norm, {INDEXED}) >= {bind.place(indexed)} and left(s.norm, {INDEXED}) < {bind.place(indexed + LAST)})"
    return f"({found} and starts_with(s.norm, {bind.place(start)}))" if len(start) > INDEXED else found


def _exact(value: str, bind: Bindings) -> str:
    return f"(left(s.norm, {INDEXED}) = {bind.place(normal(value)[:INDEXED])} and s.value = {bind.place(value)})"


def _containing(value: str, bind: Bindings) -> str:
    return f"position({bind.place(normal(value))} in s.norm) > 0"


def _sounding(value: str, bind: Bindings) -> str:
    keys = [sound for word in normal(value).split() for sound in sounds(word)]
    return f"left(s.norm, {INDEXED}) = any({bind.place(keys)}::text[])"
