"""Writing: every change is prepared one by one (validation, policy, guards) and written set-based, a handful of statements for any number.

`prepare` stages a change in `store.pending`; `flush` writes what is staged; `settle` also checks the references and records the audit events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import Cursor
from psycopg.errors import UniqueViolation

from openward.fhir import packed
from openward.fhir.definitions import type_number
from openward.fhir.errors import Conflict, Forbidden, Invalid, Issue, NotFound
from openward.fhir.guards import Change, WriteInteraction
from openward.fhir.ids import key as key_of
from openward.fhir.interactions import at_once
from openward.fhir.interactions.sound import Sound, sound
from openward.fhir.interactions.statements import Write, statements
from openward.fhir.json import dumps
from openward.fhir.profiles.holding import hold
from openward.fhir.protocols import Event
from openward.fhir.references import Slot, is_unreadable, literals, located, slots, target
from openward.fhir.resources import Resource
from openward.fhir.sealing.bodies import stored
from openward.fhir.search.index import IndexRow, extract
from openward.fhir.search.own import OWN
from openward.fhir.search.rows import COLUMNS, version_of
from openward.fhir.subscriptions.feed import announce
from openward.fhir.versions import Version, Written, instant, now
from openward.fhir.work import UnitOfWork

if TYPE_CHECKING:
    from openward.fhir.store import Store

Address = tuple[str, UUID]

# Each address is one step down an index. As `exists`, these were planned while the table was small and then read the whole of it.
STORED = b"""select n.r, n.k from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[]) n(r, k), lateral (
    select from fhir.body where tenant = %(tenant)s and rtype = n.r and rkey = n.k order by ver desc limit 1) b"""

LOCK = b"""select c.rtype, c.rkey from fhir.current c join unnest(%(rtype)s::smallint[], %(rkey)s::uuid[]) n(r, k) on c.rtype = n.r and c.rkey = n.k
  where c.tenant = %(tenant)s order by c.rtype, c.rkey for update of c"""

LAST = f"""select {COLUMNS} from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[]) n(r, k), lateral (
    select * from fhir.body where tenant = %(tenant)s and rtype = n.r and rkey = n.k order by ver desc limit 1) b""".encode()  # noqa: S608

SEEN = "select c.rkey from fhir.current c where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = any(%(keys)s::uuid[])"

EXISTING = b"""select n.r, n.k from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[]) n(r, k), lateral (
    select op from fhir.body where tenant = %(tenant)s and rtype = n.r and rkey = n.k order by ver desc limit 1) b where b.op <> 'D'"""


@dataclass(slots=True)
class Pending:
    """What the store has prepared and not yet written, and what it must still check and record before the transaction may commit."""

    writes: list[Write] = field(default_factory=list)
    references: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    """What other resources call those that are written: `Patient/1`."""
    stood: list[Version] = field(default_factory=list)
    """What was there before: what it named already may still be named."""
    is_hoping: bool = False
    """Whether what was there before is not locked."""
    is_repeated: bool = False
    """Whether who was overtaken tries again."""

    def clear(self) -> None:
        for part in (self.writes, self.references, self.events, self.written, self.stood):
            part.clear()
        self.is_hoping = self.is_repeated = False


class Overtaken(Conflict):
    """Another writer was there first, or this change needs a lock after all: it is made once more with it."""


def lock(store: Store, addresses: Iterable[Address]) -> dict[Address, Version]:
    """Lock the current rows, in key order so that two writers cannot wait for each other, and give the last version of each, deletions included."""
    store.flush()
    wanted = {(type_number(type), key) for type, key in addresses}
    if len(wanted) > 1:  # most of what a bundle names is new, and cheaply told apart
        wanted = set(_ask(store, STORED, wanted))
    if not wanted:
        return {}
    types = {rtype for rtype, _ in wanted}
    with store.connection.pipeline():
        _asked(store, lock_rows(types.pop() if len(types) == 1 else None), wanted)
        # A second statement, so that it sees what the one that held the lock committed.
        last = _asked(store, LAST, wanted)
    versions = [version_of(row) for row in last.fetchall()]
    return {(version.type, version.key): version for version in versions}


@cache
def lock_rows(rtype: int | None) -> bytes:
    """With the type told in its text the plan knows the one partition; without, it must be ready for all of them."""
    return LOCK.replace(b" order by", b" and c.rtype = %d order by" % rtype) if rtype is not None else LOCK


def _ask(store: Store, sql: bytes, wanted: Collection[tuple[int, UUID]]) -> list[Any]:
    return _asked(store, sql, wanted).fetchall()


def _asked(store: Store, sql: bytes, wanted: Collection[tuple[int, UUID]]) -> Cursor[Any]:
    types, keys = zip(*wanted, strict=True)
    params = {"tenant": store.tenant, "rtype": packed.smallints(types), "rkey": packed.uuids(keys)}
    return packed.cursor(store.connection).execute(sql, params, prepare=True, binary=True)


def prepare(
    store: Store,
    interaction: WriteInteraction,
    type: str,
    id: str,
    resource: Mapping[str, Any],
    before: Version | None,
    known: Sound | None = None,
    found: Sequence[Slot] | None = None,
) -> Written:
    """Validate, ask the policy, run the guards, and stage the new version of `type/id`. Nothing changed: nothing staged.

    `known` is what `sound` said of this very resource, if it has been asked already; `found` are its slots, if they have been looked for.
    """
    new = known if known and known.row.generation == OWN.generation else sound(type, id, resource, found, tenant=store.tenant)
    key = new.row.key
    live = before if before and not before.deleted else None
    _permit(store, interaction, type, id, new.content, new.row.patient, live)
    said = _said(new.content)
    if store.guards.of(type, interaction):
        change = Change(interaction, type, id, key, Resource.of(new.content), Resource.of(live.content) if live else None, new.row.patient)
        _guard(store, change)
        as_sent, said = said, _said(change.resource.data)
        if said != as_sent:
            new = sound(type, id, change.resource.data, tenant=store.tenant)
    if live and is_same(new.content, live.content):
        store.pending.events.append(Event(interaction, type, key, live.number, (new.row.patient,) if new.row.patient else ()))
        return Written(live, "unchanged")
    hold(store, type, new.content)
    version = _stamped(type, id, new, said[1], before, live)
    body = stored(store.tenant, new.content, version.text or "")
    _stage(store, interaction, version, new.row, extract(live.content, type, tenant=store.tenant) if live else None, body)
    if store.strict_references:
        for reference in new.references:
            store.pending.references.setdefault(reference, new.content)
        if live and new.references:
            store.pending.stood.append(live)
    return Written(version, "updated" if live else "created")


def prepare_deletion(store: Store, before: Version) -> Written:
    """Ask the policy, run the guards, and stage a version that says the resource is gone."""
    row = extract(before.content, before.type, tenant=store.tenant)
    _permit(store, "delete", before.type, before.id, before.content, before.patient, before)
    if store.guards.of(before.type, "delete"):
        resource = Resource.of(before.content)
        _guard(store, Change("delete", before.type, before.id, before.key, resource, resource, before.patient))
    at = max(now(), before.at + dt.timedelta(milliseconds=1))
    version = Version(before.type, before.id, before.key, before.number + 1, at, "D", before.patient, None)
    _stage(store, "delete", version, None, row)
    return Written(version, "deleted")


def flush(store: Store) -> None:
    """Write what is staged: bodies, current rows, index rows."""
    if store.pending.writes:
        with _one_trip(store):
            _send(store)


@contextmanager
def _one_trip(store: Store) -> Iterator[None]:
    """What is sent inside travels together. Raises Conflict when another writer was there first."""
    try:
        with store.connection.pipeline():
            yield
    except UniqueViolation:
        raise _conflict(store) from None


def _conflict(store: Store) -> Conflict:
    return Overtaken() if store.pending.is_repeated else Conflict("Another change to the same resource was stored first; read it again.")


def _send(store: Store) -> None:
    writes, store.pending.writes = store.pending.writes, []
    cursor = packed.cursor(store.connection)
    for sql, params in statements(store.tenant, writes) if writes else ():
        cursor.execute(sql, params, prepare=True)
    store.pending.written.update(write.version.reference for write in writes if write.row)


def settle(store: Store, *, alone: bool = False) -> None:
    """Flush, refuse references to nothing, record the audit events: the transaction may now commit.

    A single write is one statement. `alone`: nothing else is to commit with it, so that it needs no transaction if nothing was asked before.
    """
    pending = store.pending
    wanted, broken = _targets(store, pending.written | {write.version.reference for write in pending.writes if write.row})
    broken = _unnamed(store, broken)
    if wanted:
        _refuse_hidden(store, wanted)
    if pending.events:
        announce(store, pending.events)
    if not (at_once.may(store, alone=alone) and _at_once(store, wanted, broken)):
        if pending.is_hoping and pending.writes:
            raise Overtaken
        _in_turn(store, wanted, broken)
    pending.clear()


def _at_once(store: Store, wanted: Mapping[Address, str], broken: Sequence[str]) -> bool:
    (write,) = store.pending.writes
    named = {(type_number(type), key): reference for (type, key), reference in wanted.items()}
    try:
        missing = None if broken else at_once.send(store, write, list(named))
    except UniqueViolation:
        raise _conflict(store) from None
    if missing and (new := _unnamed(store, [named[address] for address in missing])):
        raise _broken(store, new)
    return missing is not None


def _refuse_hidden(store: Store, wanted: Mapping[Address, str]) -> None:
    """What the actor may not see is no more there for a reference than what is not there at all. Raises Invalid with all of them."""
    if broken := _unnamed(store, [wanted[address] for address in unseen(store, wanted)]):
        raise _broken(store, broken)


def _unnamed(store: Store, references: Sequence[str]) -> list[str]:
    """Those that what stood before did not name already: what it points at may be deleted since, and then it can still be amended."""
    if not references:
        return []
    named = {reference for version in store.pending.stood for reference in literals(slots(version.content))}
    return [reference for reference in references if reference not in named]


def unseen(store: Store, addresses: Collection[Address]) -> list[Address]:
    """Those among them that are not there for this actor, of the types of which some may be hidden from them; one statement a type."""
    keys: dict[str, list[UUID]] = {}
    for type, key in addresses:
        keys.setdefault(type, []).append(key)
    found: list[Address] = []
    for type, wanted in keys.items():
        where = store.policy.where(store.actor, "read", type)
        if where is not None and not where.everything:
            params = {"tenant": store.tenant, "rtype": type_number(type), "keys": wanted, **where.params}
            there = {row[0] for row in store.execute(f"{SEEN} and ({where.sql})", params)}
            found += [(type, key) for key in wanted if key not in there]
    return found


def _broken(store: Store, references: Iterable[str]) -> Invalid:
    return Invalid(issues=[issue for reference in references for issue in _dangling(reference, store.pending.references[reference])])


def _in_turn(store: Store, wanted: Mapping[Address, str], broken: Sequence[str]) -> None:
    """Everything in one round trip, what the references lead to looked at after it."""
    pending = store.pending
    if not (pending.writes or pending.references or pending.events):
        return
    with _one_trip(store):
        _send(store)
        found = _asked(store, EXISTING, [(type_number(type), key) for type, key in wanted]) if wanted else None
        if pending.events:
            store.record(pending.events)
    there = set(found.fetchall()) if found else set()
    missing = _unnamed(store, [reference for (type, key), reference in wanted.items() if (type_number(type), key) not in there])
    if broken or missing:
        raise _broken(store, [*broken, *missing])


def _targets(store: Store, written: Collection[str]) -> tuple[dict[Address, str], list[str]]:
    """What the references lead to that is not `written` in this transaction, and those that can lead nowhere."""
    wanted: dict[Address, str] = {}
    broken = []
    for reference in store.pending.references:
        if reference in written:
            continue
        named = target(reference)
        if named:
            if f"{named.type}/{named.id}" not in written:  # it named a version
                wanted[named.type, key_of(named.type, named.id)] = reference
        elif is_unreadable(reference):
            broken.append(reference)
    return wanted, broken


def _permit(
    store: Store, interaction: WriteInteraction, type: str, id: str, content: Mapping[str, Any], patient: UUID | None, live: Version | None
) -> None:
    """Refuse what the actor may not write: neither from what stands nor into what would stand."""
    allows = store.policy.allows
    if live and not allows(store.actor, interaction, type, live.content, live.patient):
        raise NotFound(type=type, id=id)
    if not allows(store.actor, interaction, type, content, patient):
        raise NotFound(type=type, id=id) if interaction != "create" else _refused(store, type, content, patient)


NOBODY = UUID(int=0)


def _refused(store: Store, type: str, content: Mapping[str, Any], patient: UUID | None) -> Exception:
    """Why something new is not written: who may write it of anybody who is not there is told that its patient is not there, for to them they are not."""
    if patient is not None and type != "Patient" and store.policy.allows(store.actor, "create", type, content, NOBODY):
        named = dict.fromkeys(reference for _, reference in located(content, type) if _is_of(reference, patient))
        if named:
            return Invalid(issues=[issue for reference in named for issue in _dangling(reference, content)])
    return Forbidden(f"You may not create this {type}.")


def _is_of(reference: str, patient: UUID) -> bool:
    found = target(reference)
    return found is not None and found.type == "Patient" and key_of("Patient", found.id) == patient


def _guard(store: Store, change: Change) -> None:
    work = UnitOfWork(store)
    for registered in store.guards.of(change.type, change.interaction):
        registered.run(change, work)


def _said(content: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """What a resource says as JSON: its meta, and everything that is stored behind its type, its id and that."""
    rest = {**content}
    meta = rest.pop("meta", None)
    del rest["resourceType"], rest["id"]
    return dumps(meta) if meta else b"", dumps(rest)


def _stamped(type: str, id: str, new: Sound, rest: bytes, before: Version | None, live: Version | None) -> Version:
    """`rest`: what the text says behind its meta, as an object."""
    at = now() if before is None else max(now(), before.at + dt.timedelta(milliseconds=1))
    number = before.number + 1 if before else 1
    meta = {**new.content.get("meta", {}), "versionId": str(number), "lastUpdated": instant(at)}
    head = dumps({"resourceType": type, "id": id, "meta": meta})
    text = head if rest == EMPTY else b"%b,%b" % (head[:-1], rest[1:])
    return Version(type, id, new.row.key, number, at, "U" if live else "C", new.row.patient, text.decode())


def _stage(
    store: Store, interaction: WriteInteraction, version: Version, row: IndexRow | None, before: IndexRow | None, body: str | None = None
) -> None:
    patients = (version.patient,) if version.patient else ()
    store.pending.writes.append(Write(version, row, before, body))
    store.pending.events.append(Event(interaction, version.type, version.key, version.number, patients))


EMPTY = b"{}"
SERVER_OWNED = ("versionId", "lastUpdated")


def is_same(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether two versions say the same, the server's own stamp aside."""
    return _without_stamp(new) == _without_stamp(old)


def _without_stamp(content: Mapping[str, Any]) -> bytes:
    """The canonical bytes of what a client wrote. Bytes, not dictionaries: 1.0 and 1.00 are equal numbers and different content."""
    meta = {name: value for name, value in content.get("meta", {}).items() if name not in SERVER_OWNED}
    return dumps({name: content[name] for name in sorted(content) if name != "meta"} | ({"meta": meta} if meta else {}))


def existing(store: Store, addresses: Sequence[Address]) -> set[Address]:
    """Those of `addresses` that hold a live resource."""
    if not addresses:
        return set()
    names = {(type_number(type), key): (type, key) for type, key in addresses}
    return {names[row] for row in _ask(store, EXISTING, names)}


def _dangling(reference: str, content: Mapping[str, Any]) -> list[Issue]:
    type = str(content["resourceType"])
    return [Issue("not-found", f"{reference} does not exist.", path) for path, found in located(content, type) if found == reference]
