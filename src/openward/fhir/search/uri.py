"""Uri parameters: the whole uri, letter by letter; `:below` what starts with it, `:above` what it starts with.

https://hl7.org/fhir/R4/search.html#uri
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openward.fhir.definitions import SearchParameter
from openward.fhir.search.parameters import INDEXED, number, owned, plan
from openward.fhir.search.sql import Bindings, any_of
from openward.fhir.search.token import Entry, token_hash

SEPARATORS = "/:"


def extract(parameter: str, value: str) -> Iterator[int]:
    """Hashes for `current.tok`; a canonical `url|version` is found by its url too."""
    yield token_hash(parameter, "", value)
    url, bar, _ = value.rpartition("|")
    if bar:
        yield token_hash(parameter, "", url)


def entry(parameter: str, value: str) -> Entry:
    """Its row in the dictionary, by which `:below` finds what begins alike."""
    return token_hash(parameter, "", value), number(parameter), "", value[:INDEXED], ""


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str | None, bind: Bindings) -> str:
    owners = owned(parameter.base, parameter.code)
    if modifier == "below":
        lists = [_below(owner, value, bind) for owner in owners for value in values]
        return f"c.tok && ({' || '.join(lists)})"
    asked = [above for value in values for above in _above(value)] if modifier == "above" else values
    hashes = [token_hash(owner.code, "", value) for owner in owners for value in asked]
    found = [f"c.tok && {bind.numbers(hashes)}"]
    if modifier is None and parameter.code == "url" and "version" in plan(parameter.base).parameters:
        found += [_of_version(value, bind) for value in values if "|" in value]
    return any_of(found)


def _of_version(value: str, bind: Bindings) -> str:
    """The one version of a resource that a canonical names."""
    url, _, version = value.rpartition("|")
    return f"c.tok @> {bind.numbers([token_hash('url', '', url), token_hash('version', None, version)])}"


def _above(value: str) -> Iterator[str]:
    """`http://a.org/b/c`, `http://a.org/b/`, `http://a.org/b` …"""
    yield value
    for position, character in enumerate(value):
        if character in SEPARATORS and position:
            yield value[:position]
            yield value[: position + 1]


def _below(owner: SearchParameter, value: str, bind: Bindings) -> str:
    """The uri itself, and those that go on from it with a new segment or a version."""
    starts = [value] if value.endswith(tuple(SEPARATORS)) else [value + separator for separator in (*SEPARATORS, "|")]
    begin = " or ".join(f"starts_with(t.code, {bind.place(start[:INDEXED])})" for start in starts)
    return (
        f"array(select t.h from fhir.token t where t.tenant = %(tenant)s and t.param = {bind.place(number(owner.code))}"  # noqa: S608
        f" and t.system = '' and (t.code = {bind.place(value[:INDEXED])} or {begin}))"
    )
