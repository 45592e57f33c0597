"""The canonical resources in the tables: the tenant's own, and those all tenants share (tenant 0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.json import loads
from openward.fhir.sealing.bodies import in_clear
from openward.fhir.terminology.systems.system import READ
from openward.fhir.terminology.versions import order

SHARED = 0
TYPES = {"S": "CodeSystem", "V": "ValueSet", "M": "ConceptMap"}
LISTED = """select tenant, kind, id, url, version, rkey, source, concepts, about::text from fhir.canonical
  where tenant = any(%(tenants)s) and state = 'r' order by at"""
STAMP = """select count(*), coalesce(bit_xor(hashtextextended(kind || id || ':' || tx, 0)), 0) from fhir.canonical
  where tenant = any(%(tenants)s) and state = 'r'"""
BODY = 'select body from fhir.canonical where tenant = %(tenant)s and kind = %(kind)s::"char" and id = %(id)s'
RECORD = """select b.body from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
  where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = %(rkey)s"""
TABLE = """select code, display, definition, inactive, abstract from fhir.concept where tenant = %(tenant)s and cs = %(id)s order by ord"""
PARENTS = "select code, parent from fhir.concept_parent where tenant = %(tenant)s and cs = %(id)s"
PROPERTIES = "select code, property, kind, value from fhir.concept_property where tenant = %(tenant)s and cs = %(id)s order by code, property, value"
NAMES = "select code, language, use_system, use_code, value, use_display from fhir.designation where tenant = %(tenant)s and cs = %(id)s order by code, key"


@dataclass(frozen=True, slots=True)
class Row:
    """One canonical resource. `about` for a code system: content, sensitive, valueSet, supplements, name; for a map: source and target."""

    tenant: int
    kind: str
    id: int
    url: str
    version: str | None
    rkey: UUID | None
    source: str
    concepts: int
    about: Mapping[str, Any]

    @property
    def package(self) -> str:
        return self.source or "record"


class Rows:
    """Reads the tables on one connection."""

    def __init__(self, connection: Connection[Any], tenant: int, *, own: bool = True) -> None:
        """`own` False: only what all tenants share."""
        self.connection = connection
        self.tenant = tenant
        self.tenants = sorted({SHARED, tenant}) if own else [SHARED]

    def stamp(self) -> tuple[Any, ...]:
        """Another value after every change of what can be seen, the same one for the same content."""
        row: tuple[Any, ...] = self._all(STAMP)[0]
        return row

    def listed(self) -> dict[str, dict[str, list[Row]]]:
        """kind → address → rows, the one meant by default first: the tenant's own before the shared, the latest version, the last written."""
        found: dict[str, dict[str, list[Row]]] = {"S": {}, "V": {}, "M": {}}
        rows = [Row(*(*row[:-1], loads(row[-1]))) for row in self._all(LISTED)]  # what a connection makes of JSON differs from one to the other
        for place in sorted(range(len(rows)), key=lambda i: (rows[i].tenant != SHARED, order(rows[i].version), i), reverse=True):
            found[rows[place].kind].setdefault(rows[place].url, []).append(rows[place])
        return found

    def resource(self, row: Row) -> dict[str, Any] | None:
        """The resource as it was written, which terminology reads as a whole; the store decides who may read it as a resource."""
        if row.rkey is None:
            found = self._all(BODY, tenant=row.tenant, kind=row.kind, id=row.id)
        else:
            found = self._all(RECORD, tenant=row.tenant, rtype=type_number(TYPES[row.kind]), rkey=row.rkey)
        return loads(in_clear(found[0][0]) or "") if found and found[0][0] else None

    def table(self, row: Row) -> dict[str, Any]:
        """A whole code system as columns (see openward.fhir.terminology.shipping.compile_systems)."""
        bound = {"tenant": row.tenant, "id": row.id}
        concepts = self._all(TABLE, **bound)
        numbers = {concept[0]: number for number, concept in enumerate(concepts)}
        parents: dict[str, list[int]] = {}
        for code, parent in self._all(PARENTS, **bound):
            if code in numbers and parent in numbers:
                parents.setdefault(str(numbers[code]), []).append(numbers[parent])
        columns = _properties(self._all(PROPERTIES, **bound), numbers)
        for place, name in ((3, "inactive"), (4, "notSelectable")):
            columns.setdefault(name, ["Boolean", {}])[1].update({str(numbers[one[0]]): [True] for one in concepts if one[place]})
        names = [[numbers[code], *rest] for code, *rest in self._all(NAMES, **bound) if code in numbers]
        return {
            **row.about, "url": row.url, "version": row.version, "package": row.package, "codes": list(numbers), "displays": [one[1] for one in concepts],
            "definitions": [one[2] for one in concepts], "parents": parents, "properties": columns, "designations": names,
        }  # fmt: skip

    def _all(self, sql: str, **bound: Any) -> list[Any]:
        return Cursor(self.connection, row_factory=tuple_row).execute(sql.encode(), {"tenants": self.tenants, **bound}).fetchall()


def _properties(rows: Sequence[Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for code, name, kind, value in rows:
        if code in numbers:
            column = columns.setdefault(name, [kind, {}])[1]
            column.setdefault(str(numbers[code]), []).append(READ.get(kind, str)(value))
    return columns
