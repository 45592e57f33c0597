"""The order of a page, and where in that order the next one starts. https://hl7.org/fhir/R4/search.html#sort

Every order ends in the resource key, so that it is total, and a page starts where the last one ended however much was written meanwhile.
R4 says nothing of a resource without the value: here it comes last, whichever the direction, and so does a period without a start by its date. Of
several values the least counts ascending, the greatest descending. One whose own value changes between two pages stands where the new value puts
it (but see `statement` for `_lastUpdated`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from openward.fhir.definitions import Path, SearchParameter
from openward.fhir.errors import BadRequest
from openward.fhir.search.date import has_start
from openward.fhir.search.parameters import CONCEPTS, number, owned, plan
from openward.fhir.search.query import Filter, Query, SortKey
from openward.fhir.search.sql import Bindings, rtype
from openward.fhir.search.string import LAST
from openward.fhir.search.token import implied_systems, token_hash

LEADING_DATE = "c.date_lo"
OLDEST_FIRST = f"coalesce(nullif({LEADING_DATE}, '-infinity'), 'infinity')"
NO_DATE = "'infinity'::timestamptz"

# What stands at the end of a path, `x.found`, as a number and as a text; nothing of a value that has none, be it a reference by a name alone.
AMOUNT = """(case jsonb_typeof(x.found)
  when 'object' then coalesce(x.found ->> 'value', x.found #>> '{low,value}', x.found #>> '{high,value}', x.found ->> 'lowerLimit')
  else x.found #>> '{}' end)::float8"""
LETTERS = """(case jsonb_typeof(x.found)
  when 'object' then coalesce(x.found ->> 'reference', x.found ->> 'url', case when not starts_with(x.found ->> 'value', '/') then x.found ->> 'value' end)
  else x.found #>> '{}' end)"""
"""A value that stands sealed, which `sealing.bodies` begins with a slash, is none to sort by."""


@dataclass(frozen=True, slots=True)
class Column:
    """One key: an expression over `c` (and `l`, the log, for the time of writing), and the SQL type a cursor's text is cast to."""

    expression: str
    cast: str
    descending: bool

    @property
    def direction(self) -> str:
        return "desc" if self.descending else "asc"


@dataclass(frozen=True)
class Order:
    """`reads_log`: the time of writing is among the keys, and a cursor ends in the time its first page was made."""

    columns: tuple[Column, ...]
    reads_log: bool

    @property
    def length(self) -> int:
        """How many texts a cursor holds."""
        return len(self.columns) + self.reads_log

    @property
    def is_newest_first(self) -> bool:
        """Whether this is the order of the indexes that lead with the leading date."""
        return [(c.expression, c.descending) for c in self.columns] == [(LEADING_DATE, True), ("c.rkey", True)]

    def halves(self, position: Sequence[str], bind: Bindings, *, dated: bool = False, gathered: bool = False) -> list[tuple[Order, str]]:
        """Orders with the conditions, beginning with `and`, of the rows that stand in them after `position`; just this one but for oldest first.

        The index has rows without a date before all others: then those with one are walked along, and after them those without, unless all are
        `dated`. What is `gathered` first needs no index for its order.
        """
        if gathered or self.columns[0].expression != OLDEST_FIRST:
            return [(self, f" and {self.after(position, bind)}" if position else "")]
        first, rest = self.columns[0], self.columns[1:]
        having = replace(self, columns=(replace(first, expression=LEADING_DATE), *rest))
        undated = replace(self, columns=(replace(first, expression=NO_DATE), *rest))
        without = f" and {LEADING_DATE} = '-infinity'"
        if position and position[0] == "infinity":
            return [(undated, f"{without} and {replace(self, columns=rest).after(position[1:], bind)}")]
        after = f" and {having.after(position, bind)}" if position else ""
        found = [(having, f" and {LEADING_DATE} > '-infinity'{after}")]
        return found if dated else [*found, (undated, without)]

    def after(self, values: Sequence[str], bind: Bindings) -> str:
        """The rows that come after the one whose keys were `values`."""
        places = [bind.place(value, column.cast) for value, column in zip(values, self.columns, strict=False)]
        if len({column.descending for column in self.columns}) == 1:
            sign = "<" if self.columns[0].descending else ">"
            return f"({', '.join(c.expression for c in self.columns)}) {sign} ({', '.join(places)})"
        return f"({' or '.join(self._beyond(number, places) for number in range(len(self.columns)))})"

    def _beyond(self, number: int, places: Sequence[str]) -> str:
        equal = [f"{column.expression} = {place}" for column, place in zip(self.columns[:number], places, strict=False)]
        column = self.columns[number]
        return "(" + " and ".join([*equal, f"{column.expression} {'<' if column.descending else '>'} {places[number]}"]) + ")"


def order(query: Query, bind: Bindings, *, across: bool = False) -> Order:
    """What `_sort` asks for; without it newest first: by the leading date where an index of it serves the query, else by key (creation).

    `across`: of several types; the type is a key too, and without `_sort` the first one.
    """
    keys = query.sort if query.sort or across else _by_default(query)
    columns = [_column(query.type, key, bind) for key in keys]
    last = columns[-1].descending if columns else True
    reads_log = any(key.code == "_lastUpdated" for key in keys)
    if across:
        columns.append(Column(f"{rtype(query.type)}::smallint", "::smallint", last))
    if across or not any(key.code == "_id" for key in keys):
        columns.append(Column("l.rkey" if reads_log else "c.rkey", "::uuid", last))
    return Order(tuple(columns), reads_log)


def is_dated(query: Query) -> bool:
    """Whether nothing without a leading date can be found."""
    filters = [condition for condition in query.conditions if isinstance(condition, Filter)]
    return any(one.modifier is None and one.parameter.type == "date" and has_start(one.parameter, one.values) for one in filters)


def _by_default(query: Query) -> list[SortKey]:
    date = plan(query.type).date
    return [SortKey(date, True)] if date and _serves_date(query) else []


def _serves_date(query: Query) -> bool:
    here = plan(query.type)
    leading = {here.date, here.code, here.patient}
    filters = [c.parameter for c in query.conditions if isinstance(c, Filter) and c.modifier in (None, "exact")]
    return any(leading & set(here.owners[parameter.code]) for parameter in filters)


def _column(type: str, key: SortKey, bind: Bindings) -> Column:
    if key.code == "_id":
        return Column("c.rkey", "::uuid", key.descending)
    if key.code == "_lastUpdated":
        return Column("l.ts", "::timestamptz", key.descending)
    if key.code == plan(type).date:
        return Column(LEADING_DATE if key.descending else OLDEST_FIRST, "::timestamptz", key.descending)
    parameter = plan(type).parameters[key.code]
    if parameter.type not in BY_TYPE or parameter.type in IN_BODY and not parameter.paths:
        raise BadRequest(f"_sort: sorting by {key.code} ({parameter.type}) is not supported.")
    expression, cast = BY_TYPE[parameter.type](parameter, key.descending, bind)
    return Column(expression, cast, key.descending)


def _of_values(table: str, value: str, parameter: SearchParameter, descending: bool, missing: str, bind: Bindings) -> str:
    numbers = bind.place([number(owner.code) for owner in owned(parameter.base, parameter.code)], "::int[]")
    return (
        f"coalesce((select {'max' if descending else 'min'}({value}) from {table} x where x.tenant = %(tenant)s and x.rkey = c.rkey"  # noqa: S608
        f" and x.rtype = {rtype(parameter.base)} and x.param = any({numbers})), {missing})"
    )


def _date(parameter: SearchParameter, descending: bool, bind: Bindings) -> tuple[str, str]:
    missing = f"'{'-' if descending else ''}infinity'::timestamptz"
    value = "x.lo" if descending else "nullif(x.lo, '-infinity')"
    return _of_values("fhir.date_value", value, parameter, descending, missing, bind), "::timestamptz"


def _string(parameter: SearchParameter, descending: bool, bind: Bindings) -> tuple[str, str]:
    missing = "''" if descending else bind.place(LAST)
    return _of_values("fhir.string_value", "x.norm", parameter, descending, missing, bind) + ' collate "C"', '::text collate "C"'


def _number(parameter: SearchParameter, descending: bool, bind: Bindings) -> tuple[str, str]:
    missing = f"'{'-' if descending else ''}infinity'::float8"
    return _in_body(parameter, f"{'max' if descending else 'min'}({AMOUNT})", missing, bind), "::float8"


def _token(parameter: SearchParameter, descending: bool, bind: Bindings) -> tuple[str, str]:
    """By the code. Codes of required value sets are known here, those of concepts are in the dictionary, and the rest is as it is written."""
    owners = owned(parameter.base, parameter.code)
    bound = {token_hash(o.code, system, code): code for o in owners for code, system in implied_systems(o).items()}
    if parameter.paths and not bound and not any(path.datatype in CONCEPTS for path in parameter.paths):
        return _text(parameter, descending, bind)
    missing = "''" if descending else bind.place(LAST)
    least = "max" if descending else "min"
    codes = f"select t.code from fhir.token t where t.tenant = %(tenant)s and t.h = any(c.tok) and t.param = any({_numbers(owners, bind)})"  # noqa: S608
    if bound:
        codes = f"select m.code from unnest({bind.place(list(bound), '::bigint[]')}, {bind.place(list(bound.values()), '::text[]')}) m(h, code) where m.h = any(c.tok)"  # noqa: S608
    return f'coalesce((select {least}(x.code collate "C") from ({codes}) x), {missing}) collate "C"', '::text collate "C"'  # noqa: S608


def _numbers(owners: Sequence[SearchParameter], bind: Bindings) -> str:
    return bind.place([number(owner.code) for owner in owners], "::int[]")


def _text(parameter: SearchParameter, descending: bool, bind: Bindings) -> tuple[str, str]:
    """References, uris and identifiers, as they are written."""
    missing = "''" if descending else bind.place(LAST)
    least = f'{"max" if descending else "min"}({LETTERS} collate "C")'
    return _in_body(parameter, least, missing, bind) + ' collate "C"', '::text collate "C"'


def _in_body(parameter: SearchParameter, least: str, missing: str, bind: Bindings) -> str:
    """What no index has by the resource: the resources that match are read, for an index that only sorts costs every write."""
    paths = bind.place([_json_path(path) for path in parameter.paths], "::jsonpath[]")
    source = f"fhir.body o, unnest({paths}) n(path), jsonb_path_query(o.body::jsonb, n.path) x(found)"
    here = f"o.tenant = %(tenant)s and o.rtype = {rtype(parameter.base)} and o.rkey = c.rkey and o.ver = c.ver"
    return f"coalesce((select {least} from {source} where {here}), {missing})"  # noqa: S608


def _json_path(path: Path) -> str:
    """The path in SQL's own language, down to each value of a list. https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-SQLJSON-PATH"""
    text = "$"
    for step in path.steps:
        text += f'."{step.key}"'
        if step.index is not None:
            text += f"[{step.index}]"
        if step.where:
            text += f' ? (@."{step.where[0]}" == {json.dumps(step.where[1])})'
        if step.has_extension:
            text += f" ? (exists (@.extension ? (@.url == {json.dumps(step.has_extension)})))"
    return f'{text}[*] ? (@.reference starts with "{path.target}/")' if path.target else f"{text}[*]"


IN_BODY = frozenset({"number", "quantity", "reference", "uri"})
"""Sorted by what stands at a path; the site's own parameters may be computed, and stand nowhere."""

BY_TYPE: Mapping[str, Callable[[SearchParameter, bool, Bindings], tuple[str, str]]] = {
    "date": _date,
    "string": _string,
    "number": _number,
    "quantity": _number,
    "token": _token,
    "reference": _text,
    "uri": _text,
}
