"""The members of a compartment, page by page, as the bytes that are stored. https://hl7.org/fhir/R4/compartmentdefinition.html

One statement a page: the narrow rows that name the focus (by `current.patient`, or by an edge), in a total order, joined to their bodies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from openward.fhir.definitions import RESOURCE_TYPES, compartment, type_name, type_number
from openward.fhir.ids import key as key_of
from openward.fhir.json import dumps
from openward.fhir.references import without_version
from openward.fhir.sealing.bodies import MARK, opened
from openward.fhir.sealing.port import Locked
from openward.fhir.search.parameters import owned, plan
from openward.fhir.search.reference import is_the_patient, link_hash, pointer
from openward.fhir.search.sql import Bindings, any_of

if TYPE_CHECKING:
    from openward.fhir.store import Store

# The leading date of these says when somebody was born, not when care was given.
UNDATED = frozenset({"Patient", "RelatedPerson", "Person", "Practitioner"})
ROUNDS = 3  # a role names a practitioner, who names an organisation, which is part of another

# In a stored body names and values stand without spaces, and quotes inside a text are escaped: this finds references and nothing else.
REFERENCE = '"reference":"'
FIRST = -1  # the focus itself comes before every type

Pointer = tuple[str, UUID]
Place = tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class Focus:
    """Whose compartment: a Patient or an Encounter. `patient` is the patient it belongs to."""

    type: str
    id: str
    key: UUID
    patient: UUID | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it. `types` None: all. `since`: stored after. `start` and `end`: care between them, as instants; what has no date is kept."""

    types: frozenset[str] | None = None
    since: dt.datetime | None = None
    start: str | None = None
    end: str | None = None

    def takes(self, type: str) -> bool:
        return self.types is None or type in self.types


class Row(NamedTuple):
    """One resource as stored; as light as may be, for a page has thousands. `number` is its type's.

    `locked`: why the body is an outcome and not the resource.
    """

    rank: int
    number: int
    id: str
    body: str
    locked: Locked | None = None

    @property
    def type(self) -> str:
        return type_name(self.number)

    @property
    def reference(self) -> str:
        return f"{type_name(self.number)}/{self.id}"

    @property
    def place(self) -> Place:
        """Where it stands in the order, for the next page."""
        return self.rank, key_of(self.type, self.id)


def _row(values: Sequence[Any]) -> Row:
    rank, number, id, body = values
    if body[0] != MARK:
        return Row(rank, number, id, body)
    try:
        return Row(rank, number, id, opened(body))
    except Locked as locked:
        return Row(rank, number, id, dumps(locked.outcome()).decode(), locked)


_place, _rank = attrgetter("place"), itemgetter(0)
COLUMNS = "b.rtype, coalesce(b.id, b.rkey::text), b.body"


@cache
def links_to(focus: str) -> tuple[int, ...]:
    """The edges by which a resource is in a compartment of this type, the ones kept in `current.patient` aside."""
    return tuple(
        {link_hash(owner.code, focus) for type, codes in _naming(focus).items() for code in codes for owner in _kept_apart(type, code, focus)}
    )


@cache
def types_of(focus: str) -> tuple[str, ...]:
    """The types that can be in a compartment of this type."""
    return tuple(type for type in RESOURCE_TYPES if type == focus or _naming(focus).get(type))


def _naming(focus: str) -> dict[str, tuple[str, ...]]:
    if focus == "Patient":
        return {type: plan(type).compartment for type in RESOURCE_TYPES}
    return {type: tuple(code for code in codes if code in plan(type).parameters) for type, codes in compartment(focus).items()}


def _kept_apart(type: str, code: str, focus: str) -> Iterable[Any]:
    return (owner for owner in owned(type, code) if not is_the_patient(owner, focus))


def page(store: Store, focus: Focus, wanted: Wanted, *, limit: int, most: int, after: Place | None = None) -> tuple[list[Row], int]:
    """Members that the actor may read, after `after`, the focus first, then by type; by key too when more may follow. And their bytes as stored.

    At most `limit`, and no more once they have `most` bytes: what is beyond is not even read.
    """
    bind = Bindings(store.tenant)
    visible = sight(store, [type for type in types_of(focus.type) if wanted.takes(type)], bind)
    if not visible:
        return [], 0
    asked = _asked(wanted, bind)
    branches = " union all ".join(_branches(focus, visible, asked, bind))
    beyond = f"where (k.rank, k.rkey) > ({bind.place(after[0])}::int, {bind.place(after[1])}::uuid)" if after else ""
    # The keys are put in order, and the bodies found along them: what is long stands apart, and is fetched only when it is sent.
    keys = f"select * from ({branches}) k {beyond} order by k.rank, k.rkey limit {bind.place(limit)}"  # noqa: S608
    size = "octet_length(b.body)"
    sql = (
        f"select r.* from (select k.rank, {COLUMNS}, sum({size}) over (order by k.rank, k.rkey) as reached, {size} as size from ({keys}) k"  # noqa: S608
        " join fhir.body b on b.tenant = %(tenant)s and b.rtype = k.rtype and b.rkey = k.rkey and b.ver = k.ver) r"
        f" where r.reached - r.size < {bind.place(most)}"
    )
    found = store.execute(sql, bind.values).fetchall()
    reached = max((row[4] for row in found), default=0)
    rows = [_row(row[:4]) for row in found]
    return sorted(rows, key=_place if len(rows) >= limit or reached >= most else _rank), reached


def _branches(focus: Focus, visible: str, asked: str, bind: Bindings) -> Iterable[str]:
    """Rows of the patient's column, rows that point at the focus some other way, and for an encounter itself."""
    target, number = bind.place(focus.key, "::uuid"), type_number(focus.type)
    columns = f"case when c.rtype = {number} and c.rkey = {target} then {FIRST} else c.rtype::int end as rank, c.rtype, c.rkey, c.ver"
    if focus.type == "Patient":
        yield f"select {columns} from fhir.current c where c.tenant = %(tenant)s and c.patient = {target} and {visible} and {asked}"  # noqa: S608
        apart = f"c.patient is distinct from {target}"
    else:
        itself = f"c.rtype = {number} and c.rkey = {target}"
        yield f"select {columns} from fhir.current c where c.tenant = %(tenant)s and {itself} and {visible} and {asked}"  # noqa: S608
        apart = f"not ({itself})"
    pointing = f"e.tenant = %(tenant)s and e.tgt = {target} and e.link = any({bind.place(list(links_to(focus.type)), '::bigint[]')})"
    edges = f"select distinct e.stype, e.src from fhir.edge e where {pointing}"  # noqa: S608
    joined = "join fhir.current c on c.tenant = %(tenant)s and c.rtype = e.stype and c.rkey = e.src"
    yield f"select {columns} from ({edges}) e {joined} where {apart} and {visible} and {asked}"  # noqa: S608


def _asked(wanted: Wanted, bind: Bindings) -> str:
    parts = []
    if wanted.since:
        parts.append(f"c.last_updated >= {bind.place(wanted.since)}")
    if wanted.start or wanted.end:
        undated = ", ".join(str(type_number(type)) for type in sorted(UNDATED))
        within = [f"c.date_hi > {bind.place(wanted.start, '::timestamptz')}"] if wanted.start else []
        within += [f"c.date_lo < {bind.place(wanted.end, '::timestamptz')}"] if wanted.end else []
        nowhen = "(c.date_lo = '-infinity' and c.date_hi = '-infinity')"
        parts.append(f"(c.rtype in ({undated}) or {nowhen} or ({' and '.join(within)}))")
    return " and ".join(parts) or "true"


def sight(store: Store, types: Sequence[str], bind: Bindings) -> str:
    """The condition on `c` for rows of these types that the actor may read; "" when there can be none. Types under one rule stand together."""
    rules: dict[tuple[str, str], tuple[Any, list[int]]] = {}
    for type in types:
        where = store.policy.where(store.actor, "read", type)
        if where is not None:
            rules.setdefault((where.sql, repr(where.params)), (where, []))[1].append(type_number(type))
    return any_of([f"c.rtype in ({', '.join(map(str, numbers))}) and {bind.policy(where)}" for where, numbers in rules.values()]) if rules else ""


def referred(store: Store, rows: Sequence[Row], patient: UUID | None) -> list[Row]:
    """What the rows refer to, and what that refers to, each once and none of the rows; see `pointed_at`."""
    seen = {row.reference for row in rows}
    found: list[Row] = []
    latest = rows
    for _ in range(ROUNDS):
        sought = references(latest) - seen
        pointers = [place for name in sorted(sought) if (place := pointer(name))]
        if not pointers:
            break
        latest = pointed_at(store, pointers, patient)
        found += latest
        seen |= sought
    return found


def references(rows: Iterable[Row]) -> set[str]:
    """What stands in `Reference.reference` anywhere in the bodies; of one to a version the resource, which comes as it stands now, and once."""
    found = {piece[: piece.index('"')] for row in rows for piece in row.body.split(REFERENCE)[1:]}
    return set(map(without_version, found))


def pointed_at(store: Store, pointers: Iterable[Pointer], patient: UUID | None) -> list[Row]:
    """The resources at these places that the actor may read and that are in no other patient's compartment; one statement."""
    keys: dict[str, list[UUID]] = {}
    for type, key in pointers:
        keys.setdefault(type, []).append(key)
    bind = Bindings(store.tenant)
    selects = [select for type, found in keys.items() if (select := _at(store, type, found, patient, bind))]
    if not selects:
        return []
    return list(map(_row, store.execute(" union all ".join(selects), bind.values).fetchall()))


def _at(store: Store, type: str, keys: Sequence[UUID], patient: UUID | None, bind: Bindings) -> str:
    visible = sight(store, [type], bind)
    if not visible:
        return ""
    nobodys = f"(c.patient is null or c.patient = {bind.place(patient, '::uuid')})"
    return (
        f"select c.rtype::int, {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)"  # noqa: S608
        f" where c.tenant = %(tenant)s and {visible} and c.rkey = any({bind.place(list(keys), '::uuid[]')}) and {nobodys}"
    )
