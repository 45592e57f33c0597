"""A code system in the tables, too large to be held in memory: every question is one indexed statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.terminology.concepts import Concept, Designation, Filter, Sought
from openward.fhir.terminology.systems.filters import Facts, predicate
from openward.fhir.terminology.systems.selection import COLUMN, Selection
from openward.fhir.terminology.systems.system import READ, Property

PAGE = 2_000
OWN = "tenant = %(tenant)s and cs = %(cs)s"
COLUMNS = "c.code, c.ord, c.display, c.definition, c.inactive, c.abstract"

UP = f"""with recursive up(code) as (
  select parent from fhir.concept_parent where {OWN} and code = %(code)s
  union select p.parent from up join fhir.concept_parent p on p.tenant = %(tenant)s and p.cs = %(cs)s and p.code = up.code)
  select code from up where code <> %(code)s"""  # noqa: S608 - fixed text
DOWN = f"""with recursive down(code) as (
  select code from fhir.concept_parent where {OWN} and parent = %(code)s
  union select p.code from down join fhir.concept_parent p on p.tenant = %(tenant)s and p.cs = %(cs)s and p.parent = down.code)
  select code from down where code <> %(code)s limit %(limit)s"""  # noqa: S608 - fixed text


@dataclass(frozen=True)
class StoredSystem:
    """`tenant` is the one whose rows they are: 0 for what all share."""

    connection: Connection[Any]
    tenant: int
    id: int
    url: str
    version: str | None
    name: str | None
    is_whole: bool
    is_case_sensitive: bool
    concepts: int
    package: str = "record"

    @cached_property
    def has_hierarchy(self) -> bool:
        return bool(self._rows(f"select 1 from fhir.concept_parent where {OWN} limit 1"))  # noqa: S608 - fixed text

    @cached_property
    def property_names(self) -> frozenset[str]:
        """By skipping from one name to the next in the index: there are few names and very many rows."""
        rows = self._rows(
            f"""with recursive name(n) as (
              (select property from fhir.concept_property where {OWN} order by property limit 1)
              union all select (select property from fhir.concept_property where {OWN} and property > n order by property limit 1) from name where n is not null)
            select n from name where n is not null"""  # noqa: S608 - fixed text
        )
        return frozenset(row[0] for row in rows)

    def find(self, code: str) -> Concept | None:
        row = self._row(code)
        return self._concepts([row])[0] if row else None

    def each(self, filters: Sequence[Filter] = (), sought: Sought | None = None) -> Iterator[Concept]:
        """Page by page along the order, so that a reader who stops early costs little."""
        filters = [self._spelled(one) for one in filters]
        late = [one for one in filters if one.op == "regex"]
        selection = Selection(self, [one for one in filters if one.op != "regex"], sought)
        last = -1
        while True:
            rows = self._rows(f"{selection.sql(COLUMNS)} and c.ord > %(last)s order by c.ord limit {PAGE}", {**selection.parameters, "last": last})
            yield from (concept for concept in self._concepts(rows) if all(self._fits(one, concept) for one in late))
            if len(rows) < PAGE:
                return
            last = rows[-1][1]

    def holds(self, code: str, filters: Sequence[Filter]) -> bool | None:
        row = self._row(code)
        if row is None:
            return False if self.is_whole else None
        filters = [self._spelled(one) for one in filters]
        above = {row[0], *self.ancestors(row[0])} if any(one.is_of_hierarchy and one.op != "generalizes" for one in filters) else set()
        for one in filters:
            if one.is_of_hierarchy and one.op != "generalizes":
                if not _by_ancestors(one, row[0], above):
                    return False
            elif not self._passes(one, row[0]):
                return False
        return True

    def _spelled(self, one: Filter) -> Filter:
        """A filter along the hierarchy starts from the code as the code system spells it."""
        row = self._row(one.value) if one.is_of_hierarchy and not self.is_case_sensitive else None
        return replace(one, value=row[0]) if row else one

    def _fits(self, one: Filter, concept: Concept) -> bool:
        fits = predicate(one, Facts(self.url, self.property_names, self.is_case_sensitive))
        if one.about in COLUMN:
            own: str | None = getattr(concept, "code" if one.about == "concept" else one.about)
            return fits([own] if own else [])
        if one.about in ("parent", "child"):
            return fits(self.parents(concept.code) if one.about == "parent" else self.children(concept.code))
        return fits([found.value for found in self.properties(concept.code) if found.code == one.about])

    def _passes(self, one: Filter, code: str) -> bool:
        if one.op == "regex":
            found = self.find(code)
            return found is not None and self._fits(one, found)
        selection = Selection(self, [one], None)
        return bool(self._rows(f"{selection.sql('1')} and c.code = %(only)s", {**selection.parameters, "only": code}))

    def count(self) -> int:
        return self.concepts

    def properties(self, code: str) -> list[Property]:
        sql = f"select property, kind, value from fhir.concept_property where {OWN} and code = %(code)s order by property, value"  # noqa: S608 - fixed text
        return [Property(name, kind, READ.get(kind, str)(value)) for name, kind, value in self._rows(sql, code=code)]

    def parents(self, code: str) -> list[str]:
        sql = f"select parent from fhir.concept_parent where {OWN} and code = %(code)s order by 1"  # noqa: S608 - fixed text
        return [row[0] for row in self._rows(sql, code=code)]

    def children(self, code: str) -> list[str]:
        sql = f"select code from fhir.concept_parent where {OWN} and parent = %(code)s order by 1 limit 10000"  # noqa: S608 - fixed text
        return [row[0] for row in self._rows(sql, code=code)]

    def lineage(self, codes: Collection[str]) -> Mapping[str, list[str]]:
        """Level by level: a statement for each code would be thousands."""
        sql = f"select code, parent from fhir.concept_parent where {OWN} and code = any(%(codes)s::text[]) order by 1, 2"  # noqa: S608 - fixed text
        found: dict[str, list[str]] = {}
        level = set(codes)
        while level:
            found |= {code: [] for code in level}
            for code, parent in self._rows(sql, codes=sorted(level)):
                found[code].append(parent)
            level = {parent for code in level for parent in found[code]} - found.keys()
        return found

    def ancestors(self, code: str) -> list[str]:
        return [row[0] for row in self._rows(UP, code=code)]

    def descendants(self, code: str, limit: int) -> list[str]:
        return [row[0] for row in self._rows(DOWN, code=code, limit=limit + 1)]

    # -- rows ---------------------------------------------------------------------------------------------------

    def _row(self, code: str) -> Any:
        sql = f"select {COLUMNS} from fhir.concept c where {OWN} and "  # noqa: S608 - fixed text
        found = self._rows(f"{sql} code = %(code)s", code=code)
        if not found and not self.is_case_sensitive:
            found = self._rows(f"{sql} lower(code) = lower(%(code)s) order by ord limit 1", code=code)
        return found[0] if found else None

    def _concepts(self, rows: Sequence[Any]) -> list[Concept]:
        names = self._designations([row[0] for row in rows])
        return [
            Concept(self.url, code, display, definition, self.version, inactive, abstract, names.get(code, ()))
            for code, _, display, definition, inactive, abstract in rows
        ]

    def _designations(self, codes: Sequence[str]) -> Mapping[str, list[Designation]]:
        sql = f"""select code, value, language, use_system, use_code, use_display from fhir.designation
          where {OWN} and code = any(%(codes)s::text[]) order by code, key"""  # noqa: S608 - fixed text
        found: dict[str, list[Designation]] = {}
        for code, value, language, system, use, display in self._rows(sql, codes=list(codes)) if codes else ():
            found.setdefault(code, []).append(Designation(value, language, (system, use, display) if use else None))
        return found

    def _rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /, **more: Any) -> list[Any]:
        bound = {"tenant": self.tenant, "cs": self.id, **(parameters or {}), **more}
        if any(isinstance(value, str) and "\x00" in value for value in bound.values()):
            return []  # nothing in a table has this character
        return Cursor(self.connection, row_factory=tuple_row).execute(sql.encode(), bound).fetchall()


def _by_ancestors(one: Filter, code: str, above: set[str]) -> bool:
    if one.op == "is-a":
        return one.value in above
    return one.value not in above if one.op == "is-not-a" else one.value in above and one.value != code
