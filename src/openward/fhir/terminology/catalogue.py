"""Which code system, value set or map an address means: sent along, the tenant's own, shared, or shipped."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Connection
from psycopg.pq import TransactionStatus

from openward.fhir.terminology.rows import Row, Rows
from openward.fhir.terminology.shipping.archive import Entry, entries
from openward.fhir.terminology.shipping.compile_systems import table
from openward.fhir.terminology.systems import CodeSystem
from openward.fhir.terminology.systems.grammar import GRAMMARS
from openward.fhir.terminology.systems.memory import MemorySystem
from openward.fhir.terminology.systems.stored import StoredSystem
from openward.fhir.terminology.systems.supplemented import Renamed, Supplemented
from openward.fhir.terminology.versions import fits, split

SMALL = 5_000
"""Concepts of a code system of the tables that is read into memory at once; a larger one is asked by statements."""
NO_CODES = frozenset({"not-present", "supplement"})
"""Contents of a CodeSystem resource that has no codes of its own to check by."""
FRESH_SECONDS = 1.0
KEPT_STATES = 4
UNSAID = {"status": ["active"]}
"""What the tables that ship leave out, because nearly every concept says it."""
SNOMED = "http://snomed.info/sct"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ALIASES = {"http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": HCPCS, "https://bluebutton.cms.gov/resources/codesystem/hcpcs": HCPCS}
"""One code system that the world knows under several addresses."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A value set: `resource` has `compose` or `expansion`. `package` is where it comes from."""

    url: str
    version: str | None
    package: str
    resource: Mapping[str, Any]


@dataclass
class State:
    """What has been read and computed of one content of the tables."""

    rows: Mapping[str, Mapping[str, list[Row]]]
    systems: dict[int, MemorySystem] = field(default_factory=dict)
    supplements: dict[str, list[MemorySystem]] | None = None
    sets: dict[Any, Definition | None] = field(default_factory=dict)
    members: dict[Any, Any] = field(default_factory=dict)
    answers: dict[Any, bool | None] = field(default_factory=dict)


@dataclass(slots=True)
class Looked:
    """When the tables of one database were last looked at for some tenants, after how many writes of this process, and what was there."""

    at: float
    written: int
    state: State


_states: OrderedDict[Any, State] = OrderedDict()
_looked: dict[Any, Looked] = {}
_databases: WeakKeyDictionary[Connection[Any], tuple[str, int, str]] = WeakKeyDictionary()
_written = 0


def written() -> None:
    """Something was written in this process: every catalogue looks again before its next answer."""
    global _written
    _written += 1


class Catalogue:
    def __init__(self, connection: Connection[Any], tenant: int, *, own: bool = True, sent: Sequence[Mapping[str, Any]] = ()) -> None:
        """`sent`: resources that count in this request before all others. Raises TypeError when their form is not that of their type."""
        self.rows = Rows(connection, tenant, own=own)
        self._sent_systems = [MemorySystem(table(one, "sent")) for one in sent if one.get("resourceType") == "CodeSystem"]
        self._sent_sets = [one for one in sent if one.get("resourceType") == "ValueSet"]
        self._has_sent = bool(self._sent_systems or self._sent_sets)
        self._mine: Looked | None = None

    @property
    def state(self) -> State:
        """At most a second older than what is committed, and never older than what this process wrote."""
        if self._mine is None or not _is_fresh(self._mine):
            self._mine = self._look()
        return self._mine.state

    def _look(self) -> Looked:
        """What another catalogue saw a moment ago will do; what is seen inside a transaction, which may be undone, is shown to no other."""
        connection = self.rows.connection
        where = (*_database(connection), *self.rows.tenants)
        may_share = connection.info.transaction_status == TransactionStatus.IDLE and not self._has_sent
        known = _looked.get(where)
        if may_share and known is not None and _is_fresh(known):
            return known
        looked = Looked(time.monotonic(), _written, self._current(where))
        if may_share:
            _looked[where] = looked
        return looked

    def _current(self, where: tuple[Any, ...]) -> State:
        if self._has_sent:
            return State(self.rows.listed())
        key = (*where, *self.rows.stamp())
        state = _states.get(key)
        if state is None:
            state = _states[key] = State(self.rows.listed())
            while len(_states) > KEPT_STATES:
                _states.popitem(last=False)
        return state

    # -- code systems -------------------------------------------------------------------------------------------

    def system(self, url: str, version: str | None = None, package: str | None = None) -> CodeSystem | None:
        """`package`: where the value set comes from that asks; it means the version it was published with, unless this house has its own."""
        url, stated = split(url)
        version = version or stated
        if url in GRAMMARS:
            return GRAMMARS[url]
        found = self._find(url, version, package)
        supplements = self._supplements(url) if found else ()
        return Supplemented(found, supplements) if found and supplements else found

    def size(self, url: str, version: str | None = None, package: str | None = None) -> int | None:
        """How many concepts the system has, without reading them; None when they cannot be counted or it is not here."""
        url, stated = split(url)
        if url in GRAMMARS:
            return None
        chosen = self._chosen(url, version or stated, package)
        if chosen is None and url in ALIASES:
            chosen = self._chosen(ALIASES[url], version or stated, package)
        if chosen is None or isinstance(chosen, MemorySystem):
            return chosen.count() if chosen else None
        return chosen.concepts if isinstance(chosen, Row) else int(chosen.more[2])

    def _find(self, url: str, version: str | None, package: str | None) -> CodeSystem | None:
        chosen = self._chosen(url, version, package)
        if chosen is None and url in ALIASES:
            other = self._find(ALIASES[url], version, package)
            return Renamed(other, url) if other else None
        if chosen is None or isinstance(chosen, MemorySystem):
            return chosen
        return self._stored(chosen) if isinstance(chosen, Row) else _shipped(chosen)

    def _chosen(self, url: str, version: str | None, package: str | None) -> MemorySystem | Row | Entry | None:
        for sent in self._sent_systems:
            if sent.url == url and (version is None or fits(sent.version, version)):
                return sent
        rows = [row for row in self.state.rows["S"].get(url, ()) if _is_of(row.version, version) and row.about.get("content") not in NO_CODES]
        if rows:
            # All of a code system before a part of it that some package carries; of two whole ones that of the package that asks.
            return min(rows, key=lambda row: (row.about.get("content", "complete") != "complete", row.package != package))
        shipped = [entry for entry in entries("systems").get(url, ()) if entry.more[1] not in NO_CODES]
        listed = [entry for entry in shipped if _is_of(entry.version, version)]
        of_package = [entry for entry in listed if entry.package == package]
        # A version that its own package does not have is a slip of the publication: the package means what it has.
        found = of_package or listed or [entry for entry in shipped if entry.package == package]
        return found[0] if found else None

    def _stored(self, row: Row) -> CodeSystem:
        if row.concepts <= SMALL:
            found = self.state.systems.get(row.id)
            if found is None:
                found = self.state.systems[row.id] = MemorySystem(self.rows.table(row))
            return found
        about = row.about
        return StoredSystem(
            self.rows.connection, row.tenant, row.id, row.url, row.version, about.get("title") or about.get("name"),
            about.get("content", "complete") == "complete", bool(about.get("sensitive")), row.concepts, row.package,
        )  # fmt: skip

    def _supplements(self, url: str) -> Sequence[MemorySystem]:
        supplements = self.state.supplements
        if supplements is None:
            supplements = self.state.supplements = {}
            for row in (row for listed in self.state.rows["S"].values() for row in listed):
                if row.about.get("content") == "supplement" and row.concepts <= SMALL:
                    supplements.setdefault(split(str(row.about.get("supplements")))[0], []).append(MemorySystem(self.rows.table(row)))
        return supplements.get(url, ())

    def versions(self, url: str) -> list[str]:
        """Every version of the system here."""
        stored = [row.version for row in self.state.rows["S"].get(url, ())]
        return [version for version in [*stored, *(entry.version for entry in entries("systems").get(url, ()))] if version]

    # -- value sets ---------------------------------------------------------------------------------------------

    def value_set(self, canonical: str, package: str | None = None) -> Definition | None:
        key = (canonical, package)
        sets = self.state.sets
        if key not in sets:
            sets[key] = self._value_set(*split(canonical), package)
        return sets[key]

    def _value_set(self, url: str, version: str | None, package: str | None) -> Definition | None:
        for sent in self._sent_sets:
            if sent.get("url") == url and _is_of(sent.get("version"), version):
                return Definition(url, sent.get("version"), "sent", sent)
        rows = [row for row in self.state.rows["V"].get(url, ()) if _is_of(row.version, version)]
        for row in [row for row in rows if row.package == package] + rows:
            resource = self.rows.resource(row)
            if resource is not None:
                return Definition(url, row.version, row.package, resource)
        listed = [entry for entry in entries("sets").get(url, ()) if _is_of(entry.version, version)]
        for entry in [entry for entry in listed if entry.package == package] + listed:
            return Definition(url, entry.version, entry.package, entry.read())
        return self._implicit(url, version)

    def _implicit(self, url: str, version: str | None) -> Definition | None:
        """All codes of a system that names this address as its value set; and those SNOMED CT and LOINC define by their address.

        https://hl7.org/fhir/R4/snomedct.html#implicit, https://hl7.org/fhir/R4/loinc.html#implicit
        """
        include = self._implied(url)
        if include is None:
            return None
        compose = {"include": [include]}
        return Definition(url, version, "implicit", {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose})

    def _implied(self, url: str) -> dict[str, Any] | None:
        base, _, query = url.partition("?fhir_vs")
        if base.startswith(SNOMED) and "?fhir_vs" in url:
            if query.startswith("=isa/"):
                return {"system": SNOMED, "filter": [{"property": "concept", "op": "is-a", "value": query.removeprefix("=isa/")}]}
            return {"system": SNOMED} if query == "" else None
        if url == "http://loinc.org/vs":
            return {"system": "http://loinc.org"}
        return next(({"system": system, **({"version": version} if version else {})} for system, version in self._saying(url)), None)

    def _saying(self, url: str) -> Iterator[tuple[str, str | None]]:
        for listed in self.state.rows["S"].values():
            yield from ((row.url, row.version) for row in listed if row.about.get("set") == url)
        yield from _sets_of_systems().get(url, ())


def _is_fresh(looked: Looked) -> bool:
    return looked.written == _written and time.monotonic() - looked.at < FRESH_SECONDS


def _database(connection: Connection[Any]) -> tuple[str, int, str]:
    """Which database it is; asked of a connection once."""
    found = _databases.get(connection)
    if found is None:
        info = connection.info
        found = _databases[connection] = (info.host, info.port, info.dbname)
    return found


def _is_of(version: str | None, wanted: str | None) -> bool:
    return wanted is None or fits(version, wanted)


@lru_cache(maxsize=200)
def _shipped(entry: Entry) -> MemorySystem:
    return MemorySystem({**entry.read(), "unsaid": UNSAID})


@lru_cache(maxsize=1)
def _sets_of_systems() -> Mapping[str, list[tuple[str, str | None]]]:
    found: dict[str, list[tuple[str, str | None]]] = {}
    for url, listed in entries("systems").items():
        for entry in listed:
            if entry.more[0]:
                found.setdefault(entry.more[0], []).append((url, entry.version))
    return found
