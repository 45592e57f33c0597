"""`_include` and `_revinclude`: what the matches point at, and what points at them. https://hl7.org/fhir/R4/search.html#include"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from openward.fhir.definitions import RESOURCE_TYPES, SearchParameter
from openward.fhir.errors import TooCostly
from openward.fhir.protocols import Where
from openward.fhir.search.conditions import Scope, rows
from openward.fhir.search.kept import hidden
from openward.fhir.search.own import values_of
from openward.fhir.search.parameters import plan
from openward.fhir.search.query import Include, Query
from openward.fhir.search.reference import any_points_at, pointer
from openward.fhir.search.sent import COLUMNS, Rows
from openward.fhir.search.sql import FALSE, Bindings
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.wire import Wire

MAX_INCLUDED = 5000
MAX_ROUNDS = 4  # of :iterate

Pointer = tuple[str, UUID]
Wanted = dict[str, set[tuple[UUID, int]]]


@dataclass
class Inclusion:
    """One search's includes: each round fetches, in one statement, what the last round's resources ask for."""

    wire: Wire
    tenant: int
    queries: Sequence[Query]
    where: Callable[[str], Where | None]
    seen: set[Pointer] = field(default_factory=set)
    sent: set[tuple[str, UUID, int]] = field(default_factory=set)
    found: list[Version] = field(default_factory=list)

    def around(self, matches: Sequence[Version]) -> list[Version]:
        self.seen = {(version.type, version.key) for version in matches}
        self.sent = {(version.type, version.key, version.number) for version in matches}
        latest = list(matches)
        for number in range(MAX_ROUNDS + 1):
            latest = self._round(latest, number > 0)
            self.found += latest
            if not latest:
                break
        return self.found

    def _round(self, versions: Sequence[Version], again: bool) -> list[Version]:
        scope = Scope(Bindings(self.tenant), self.where)
        forward = [include for include in _all(query.includes for query in self.queries) if include.iterate or not again]
        reverse = [include for include in _all(query.revincludes for query in self.queries) if include.iterate or not again]
        selects = [*self._pointed_at(scope, versions, forward), *self._pointing(scope, versions, reverse)]
        if not versions or not selects:
            return []
        limit = MAX_INCLUDED - len(self.found)
        statement = f"{' union all '.join(selects)} limit {limit + len(self.sent) + 1}"
        # What is around one resource is asked for again and again, and to plan it takes longer than to find it.
        kept = len(versions) == 1
        fresh = self._fresh(Rows(self.wire.result(hidden(statement) if kept else statement, scope.bind.values, keep=kept)))
        if len(fresh) > limit:
            raise TooCostly(f"This search would include more than {MAX_INCLUDED:,} resources; ask for fewer matches or fewer includes.")
        return fresh

    def _fresh(self, versions: Iterable[Version]) -> list[Version]:
        fresh = []
        for version in versions:
            named = (version.type, version.key, version.number)
            if named not in self.sent:
                self.sent.add(named)
                fresh.append(version)
        return fresh

    def _pointed_at(self, scope: Scope, versions: Sequence[Version], includes: Sequence[Include]) -> Iterator[str]:
        wanted: dict[str, set[UUID]] = {}
        versioned: Wanted = {}
        for version in versions:
            for include in includes:
                if include.source in (None, version.type):
                    for (type, key), number in targets(version, include):
                        if number is None:
                            wanted.setdefault(type, set()).add(key)
                        elif (type, key, number) not in self.sent:
                            versioned.setdefault(type, set()).add((key, number))
        for type, keys in wanted.items():
            keys -= {key for seen, key in self.seen if seen == type}
            if keys:
                self.seen |= {(type, key) for key in keys}
                yield from _select(scope, type, f"c.rkey = any({scope.bind.place(list(keys), '::uuid[]')})")
        yield from self._versions(scope, versioned)

    def _versions(self, scope: Scope, wanted: Wanted) -> Iterator[str]:
        """The versions that are named; the current one in the place of one that is not here. The policy decides by the resource as it stands now."""
        for type, pairs in wanted.items():
            visible = rows(scope, type, ())
            if visible == FALSE:
                continue
            keys, numbers = scope.bind.place([key for key, _ in pairs], "::uuid[]"), scope.bind.place([number for _, number in pairs], "::int[]")
            yield (
                f"(select {COLUMNS} from unnest({keys}, {numbers}) n(k, v) join fhir.current c on c.rkey = n.k join lateral (select o.* from fhir.body o"  # noqa: S608
                " where o.tenant = c.tenant and o.rtype = c.rtype and o.rkey = c.rkey and o.ver in (n.v, c.ver) and o.op <> 'D'"
                f" order by o.ver = n.v desc limit 1) b on true where {visible})"
            )

    def _pointing(self, scope: Scope, versions: Sequence[Version], includes: Sequence[Include]) -> Iterator[str]:
        places = self._places(scope, versions)
        for include in includes:
            targets = {type: place for type, place in places.items() if include.target in (None, type)}
            for source in [include.source] if include.source else RESOURCE_TYPES:
                found = any_points_at(_parameters(include, source), targets, scope.bind)
                if found != FALSE:
                    yield from _select(scope, source, found)

    def _places(self, scope: Scope, versions: Sequence[Version]) -> dict[str, str]:
        keys: dict[str, list[UUID]] = {}
        for version in versions:
            keys.setdefault(version.type, []).append(version.key)
        return {type: f"= any({scope.bind.place(found, '::uuid[]')})" for type, found in keys.items()}


def _select(scope: Scope, type: str, condition: str) -> Iterator[str]:
    visible = rows(scope, type, ())
    if visible != FALSE:
        yield f"(select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver) where {visible} and {condition})"  # noqa: S608


def targets(version: Version, include: Include) -> Iterator[tuple[Pointer, int | None]]:
    """The resources of this server that the included parameters of one match point at, and the version where one is named."""
    for parameter in _parameters(include, version.type):
        for datatype, value in values_of(parameter, version.content):
            literal = (value.get("reference") or "") if datatype == "Reference" else ""
            found = pointer(literal)
            if found and include.target in (None, found[0]):
                number = literal.partition("/_history/")[2]
                yield found, int(number) if number.isdecimal() and len(number) < 10 else None


def _parameters(include: Include, type: str) -> list[SearchParameter]:
    known = plan(type).parameters
    if include.parameter:
        return [known[include.parameter]]
    return [parameter for parameter in known.values() if parameter.type == "reference"]


def _all(includes: Iterable[Sequence[Include]]) -> list[Include]:
    return list(dict.fromkeys(include for one in includes for include in one))
