"""The closure table a client keeps with this server: its codes, and which subsumes which, each entry with the version that told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.errors import BadRequest
from openward.fhir.terminology.concepts import UnknownSystem

if TYPE_CHECKING:
    from openward.fhir.terminology.asking import Coded
    from openward.fhir.terminology.service import Terminology

MOST_CONCEPTS = 5_000
OWN = "tenant = %(tenant)s and owner = %(owner)s and name = %(name)s"
KEYS = "%(tenant)s, %(owner)s, %(name)s"
BEGIN = f"""insert into fhir.closure (tenant, owner, name, version) values ({KEYS}, 0) on conflict (tenant, owner, name) do update set version = 0"""  # noqa: S608 - fixed text
LOCKED = f"select version from fhir.closure where {OWN} for update"  # noqa: S608 - fixed text
ADD = f"""insert into fhir.closure_concept (tenant, owner, name, system, code, display)
  values ({KEYS}, %(system)s, %(code)s, %(display)s) on conflict do nothing"""  # noqa: S608 - fixed text
ENTER = f"""insert into fhir.closure_entry (tenant, owner, name, version, system, code, to_system, to_code, equivalence)
  values ({KEYS}, %(version)s, %(system)s, %(code)s, %(system)s, %(above)s, 'subsumes') on conflict do nothing"""  # noqa: S608 - fixed text
SINCE = f"""select system, code, to_system, to_code, equivalence from fhir.closure_entry
  where {OWN} and version > %(version)s order by version, system, code, to_code"""  # noqa: S608 - fixed text


@dataclass(frozen=True, slots=True)
class Subsumed:
    """`code` is subsumed by `to_code` (equivalence `subsumes`: the target subsumes the source)."""

    system: str
    code: str
    to_system: str
    to_code: str
    equivalence: str = "subsumes"


class ClosureTable:
    """One table of one client. Every method must run inside a transaction; the row of the table serialises them."""

    def __init__(self, connection: Connection[Any], tenant: int, owner: str, name: str) -> None:
        self._connection = connection
        self._own = {"tenant": tenant, "owner": owner, "name": name}

    def begin(self) -> int:
        """Empty it, or make it."""
        self._run(BEGIN)
        for one in ("closure_concept", "closure_entry"):
            self._run(f"delete from fhir.{one} where {OWN}")  # noqa: S608 - fixed names
        return 0

    def version(self) -> int | None:
        """The last version told; None when the table was never begun."""
        found = self._run(LOCKED).fetchone()
        return found[0] if found else None

    def since(self, version: int) -> list[Subsumed]:
        return [Subsumed(*row) for row in self._run(SINCE, version=version)]

    def add(self, terminology: Terminology, concepts: Sequence[Coded]) -> tuple[int, list[Subsumed]]:
        """The new version, and what it tells that was not told before. Raises UnknownSystem and BadRequest."""
        before = self.version() or 0
        for one in concepts:
            if one.system is None:
                raise BadRequest("A concept of a closure table needs its system.")
            self._run(ADD, system=one.system, code=one.code, display=one.display)
        known = self._known()
        if sum(map(len, known.values())) > MOST_CONCEPTS:
            raise BadRequest(f"A closure table holds at most {MOST_CONCEPTS:,} concepts.")
        for system in {one.system for one in concepts if one.system}:
            self._enter(terminology, system, known[system], before + 1)
        self._run(f"update fhir.closure set version = %(version)s where {OWN}", version=before + 1)  # noqa: S608 - fixed text
        return before + 1, self.since(before)

    def _enter(self, terminology: Terminology, system: str, codes: frozenset[str], version: int) -> None:
        if terminology.catalogue.system(system) is None:
            raise UnknownSystem(system=system[:200])
        for code in sorted(codes):
            for above in terminology.above(system, code) or ():
                if above != code and above in codes:
                    self._run(ENTER, version=version, system=system, code=code, above=above)

    def _known(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for system, code in self._run(f"select system, code from fhir.closure_concept where {OWN}"):  # noqa: S608 - fixed text
            found.setdefault(system, set()).add(code)
        return {system: frozenset(codes) for system, codes in found.items()}

    def _run(self, sql: str, **more: Any) -> Cursor[Any]:
        return Cursor(self._connection, row_factory=tuple_row).execute(sql.encode(), {**self._own, **more})


def as_concept_map(name: str, version: int, entries: Iterable[Subsumed]) -> dict[str, Any]:
    """What is told, as the specification wants it: a ConceptMap."""
    groups: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for one in entries:
        elements = groups.setdefault((one.system, one.to_system), {})
        elements.setdefault(one.code, []).append({"code": one.to_code, "equivalence": one.equivalence})
    made: dict[str, Any] = {"resourceType": "ConceptMap", "version": str(version), "name": name, "status": "active", "experimental": True}
    if groups:
        made["group"] = [
            {"source": source, "target": target, "element": [{"code": code, "target": targets} for code, targets in elements.items()]}
            for (source, target), elements in groups.items()
        ]
    return made
