"""`:not` and `:not-in` of tokens. https://hl7.org/fhir/R4/search.html#modifiers

Where most resources have another value, whoever walks along the order of the page soon has a page. Where next to none has, walking would look at
every row: then the rows with one of the other values that are in use, and those without any value, are found by their indexes, and what has an
unwanted value besides is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from openward.fhir.definitions import SearchParameter
from openward.fhir.search import missing
from openward.fhir.search.parameters import CONCEPTS, number, owned
from openward.fhir.search.sql import FALSE, Bindings, any_of, rtype
from openward.fhir.search.token import asked, has_known_codes, implied_systems, no_code_hash, token_hash

FEW = 5000  # rows that are rather found than met
WALKED = 50  # rows passed by for one that is met, from where on it is the quicker way to find them
COMMON = 10  # one row in so many has another value, by the planner's guess: a page is soon met
MOST_OTHERS = 500  # codes in use beside the unwanted

IN_USE = "select t.h, t.system, t.code from fhir.token t where t.tenant = %(tenant)s and t.param = %(param)s limit %(most)s"


def condition(parameter: SearchParameter, values: Sequence[str], modifier: str, bind: Bindings) -> str:
    """The rows `c` that have none of `values`, be it that they have no value."""
    found, unwanted = asked(parameter, values, modifier, bind)
    plain = f"not ({found})"
    if unwanted is None or bind.is_walked or not bind.can_look:
        return plain
    keys = _keys(parameter, values, modifier, bind, set(unwanted))
    if keys is None:
        return plain
    return f"c.rkey = any({bind.place(keys, '::uuid[]')}) and {plain}" if keys else FALSE


def _keys(parameter: SearchParameter, values: Sequence[str], modifier: str, bind: Bindings, unwanted: set[int]) -> list[UUID] | None:
    """What has another value or none; None where that is too much, or cannot be asked of the indexes."""
    others = _others(parameter, unwanted, bind)
    own = Bindings(bind.values["tenant"], bind.facts)
    without = None if others is None else missing.lacking(parameter, own)
    if others is None or without is None:
        return None
    here = f"from fhir.current c where c.tenant = %(tenant)s and c.rtype = {rtype(parameter.base)}"
    place = own.numbers(others)
    all = bind.facts.guess(f"select {here}", own.values)
    if bind.facts.guess(f"select {here} and {any_of([f'c.tok && {place}', without])}", own.values) * COMMON > all:
        return None
    most = min(FEW, int(all / WALKED))
    plain = f"not ({asked(parameter, values, modifier, own)[0]})"
    found = bind.facts.look(_select(here, plain, place, without, most + 1), own.values)
    return list(dict.fromkeys(row[0] for row in found)) if len(found) <= most else None


def _select(here: str, plain: str, others: str, without: str, limit: int) -> str:
    """Code by code: the planner takes a code it has never heard of for one that many have, and would look at every row."""
    each = f"select c.rkey {here} and c.tok @> array[o.h] and {plain} limit {limit}"
    by_code = f"select n.rkey from unnest({others}) o(h) cross join lateral ({each}) n limit {limit}"  # noqa: S608
    return by_code if without == FALSE else f"(select c.rkey {here} and {without} limit {limit}) union all ({by_code})"  # noqa: S608


def _others(parameter: SearchParameter, unwanted: set[int], bind: Bindings) -> list[int] | None:
    """A hash of each other value any resource has; None where they are too many, or cannot be told."""
    found: list[int] = []
    for owner in owned(parameter.base, parameter.code):
        values = _in_use(owner, bind)
        if values is None:
            return None
        found += [exact for exact, plain in values if exact not in unwanted and plain not in unwanted]
        found.append(no_code_hash(owner.code))
    return found if len(found) <= MOST_OTHERS else None


def _in_use(owner: SearchParameter, bind: Bindings) -> list[tuple[int, int]] | None:
    """(hash with its system, hash whatever the system) of each value: those of required value sets are known, concepts are in the dictionary."""
    datatypes = {path.datatype for path in owner.paths}
    if datatypes == {"boolean"}:
        return [(token_hash(owner.code, "", text), token_hash(owner.code, None, text)) for text in ("true", "false")]
    if datatypes == {"code"}:
        return list(_bound(owner)) if has_known_codes(owner) else None
    return _in_dictionary(owner, bind) if datatypes and datatypes <= CONCEPTS else None


def _bound(owner: SearchParameter) -> Iterator[tuple[int, int]]:
    for code, system in implied_systems(owner).items():
        yield token_hash(owner.code, system, code), token_hash(owner.code, None, code)


def _in_dictionary(owner: SearchParameter, bind: Bindings) -> list[tuple[int, int]] | None:
    most = MOST_OTHERS * 4  # a code has as many rows as it has names
    rows = bind.facts.look(IN_USE, {"tenant": bind.values["tenant"], "param": number(owner.code), "most": most})
    if len(rows) == most:
        return None
    return [(h, token_hash(owner.code, None, code)) for h, _, code in dict.fromkeys(rows)]
