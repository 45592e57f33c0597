"""The SQL for the concepts of a large code system that pass some filters. Names are fixed; every value is a parameter.

Regular expressions are not part of it: they run in the engine that promises linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from openward.fhir.terminology.concepts import Filter, Sought
from openward.fhir.terminology.systems.filters import Facts

COLUMN = {"concept": "c.code", "code": "c.code", "display": "c.display", "definition": "c.definition"}
FLAG = {"inactive": "c.inactive", "notSelectable": "c.abstract", "abstract": "c.abstract"}
EDGE = {"parent": ("code", "parent"), "child": ("parent", "code")}
OWN = "tenant = %(tenant)s and cs = %(cs)s"
MINE = "w.tenant = %(tenant)s and w.cs = %(cs)s"
LAST_LETTER = "\U0010ffff"


class Asked(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def is_case_sensitive(self) -> bool: ...
    @property
    def property_names(self) -> frozenset[str]: ...


class Selection:
    """`sql(columns)` is a SELECT from `fhir.concept c` that ends inside its WHERE."""

    def __init__(self, system: Asked, filters: Sequence[Filter], sought: Sought | None) -> None:
        self.parameters: dict[str, Any] = {}
        self._system = system
        self._conditions = [self._condition(one) for one in filters]
        if sought is not None:
            self._conditions.append(self._words(sought))

    def sql(self, columns: str) -> str:
        conditions = "".join(f" and {condition}" for condition in self._conditions)
        return f"select {columns} from fhir.concept c where c.tenant = %(tenant)s and c.cs = %(cs)s{conditions}"  # noqa: S608 - fixed text

    def _bind(self, value: Any) -> str:
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

    def _words(self, sought: Sought) -> str:
        """Words by the index of words, of names and of other names; the beginning of a code by its own. Each part finds codes by itself."""
        begin, end = self._bind(sought.text), self._bind(sought.text + LAST_LETTER)
        parts = [f'fhir.concept w where {MINE} and lower(w.code) collate "C" >= {begin} and lower(w.code) collate "C" < {end}']
        if sought.words:
            query = f"to_tsquery('simple', {self._bind(' & '.join(f'{word}:*' for word in sought.words))})"
            parts.append(f"fhir.concept w where {MINE} and to_tsvector('simple', coalesce(w.display, '')) @@ {query}")
            parts.append(f"fhir.designation w where {MINE} and to_tsvector('simple', w.value) @@ {query}")
        return f"c.code in ({' union '.join(f'select w.code from {part}' for part in parts)})"  # noqa: S608 - fixed text

    def _condition(self, one: Filter) -> str:
        if one.is_of_hierarchy:
            return self._hierarchy(one)
        Facts(self._system.url, self._system.property_names, self._system.is_case_sensitive).check(one)
        if one.about in FLAG:
            return self._flag(one)
        if one.about in COLUMN:
            return self._column(one, COLUMN[one.about])
        if one.about in EDGE:
            mine, other = EDGE[one.about]
            return self._exists(
                one, f"select from fhir.concept_parent x where x.{OWN.replace(' and ', ' and x.')} and x.{mine} = c.code", f"x.{other}"
            )
        having = f"select from fhir.concept_property x where x.{OWN.replace(' and ', ' and x.')} and x.code = c.code and x.property = {self._bind(one.about)}"
        return self._exists(one, having, "x.value")

    def _hierarchy(self, one: Filter) -> str:
        start = self._bind(one.value)
        here, there = ("parent", "code") if one.op != "generalizes" else ("code", "parent")
        reached = f"""with recursive walk(code) as (select {start}::text collate "C"
          union select p.{there} from walk join fhir.concept_parent p on p.tenant = %(tenant)s and p.cs = %(cs)s and p.{here} = walk.code)
          select code from walk"""  # noqa: S608 - fixed text
        if one.op == "descendent-of":
            reached += f" where code <> {start}"
        return f"c.code {'not ' if one.op == 'is-not-a' else ''}in ({reached})"

    def _flag(self, one: Filter) -> str:
        wanted = one.value == "true"
        if one.op == "exists":
            return "true" if wanted else "false"
        if one.op in ("in", "not-in"):
            return f"{FLAG[one.about]}::text {'<> all' if one.op == 'not-in' else '= any'} ({self._bind(sorted(one.values))}::text[])"
        return f"{FLAG[one.about]} = {self._bind(wanted)}"

    def _column(self, one: Filter, column: str) -> str:
        if one.op == "exists":
            return f"({column} is {'not ' if one.value == 'true' else ''}null)"
        test = f"coalesce({self._matches(one, column)}, false)"
        return f"not {test}" if one.op == "not-in" else test

    def _exists(self, one: Filter, having: str, value: str) -> str:
        """A concept may have several values: one that fits is enough, and for not-in none may."""
        if one.op == "exists":
            return f"{'' if one.value == 'true' else 'not '}exists ({having})"
        return f"{'not ' if one.op == 'not-in' else ''}exists ({having} and {self._matches(one, value)})"

    def _matches(self, one: Filter, column: str) -> str:
        fold: Callable[[str], str] = (lambda text: text) if self._system.is_case_sensitive else str.lower
        mine = column if self._system.is_case_sensitive else f"lower({column})"
        wanted = sorted({fold(value) for value in (one.values if one.op in ("in", "not-in") else [one.value])})
        # The value of a Coding is kept as `system|code`; a filter may name its code alone.
        return f"({mine} = any({self._bind(wanted)}::text[]) or reverse(split_part(reverse({mine}), '|', 1)) = any({self._bind(wanted)}::text[]))"
