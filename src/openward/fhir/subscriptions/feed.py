"""From the log of versions to the events of subscriptions.

A write costs a subscription nothing but a hint, one queued job, and that only when someone listens to its type. The job looks through the log from
where it last stopped up to the oldest transaction still open, so that a commit that comes late is not passed over and none is counted twice.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.errors import FhirError
from openward.fhir.protocols import Event, Policy
from openward.fhir.search.index import extract
from openward.fhir.search.row import IndexRow
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.subscriptions import held as keeping
from openward.fhir.subscriptions.criteria import compiled
from openward.fhir.subscriptions.desk import desk, is_open
from openward.fhir.subscriptions.held import Happening, Held
from openward.fhir.subscriptions.known import topic_of
from openward.fhir.subscriptions.topics import Topic
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

KNOW_FOR_SECONDS = 1.0
WRITES = frozenset({"create", "update", "delete"})
# By which the clocks of writers and of PostgreSQL may differ, and a writer may dawdle between looking at the clock and being given a number.
MARGIN = dt.timedelta(seconds=30)
AT_ONCE = 2000
NO_TOPIC = "Its topic is no longer there, or cannot be watched for."

MOMENT = "select pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint, clock_timestamp() from pg_current_snapshot() s"
POSITION = """select watermark::text::bigint, since, ahead::text::bigint, ahead_at from fhir.subscription_feed where tenant = %s for update"""
MOVE = """insert into fhir.subscription_feed (tenant, watermark, since, ahead, ahead_at) values (%s, %s::text::xid8, %s, %s::text::xid8, %s)
  on conflict (tenant) do update set watermark = excluded.watermark, since = excluded.since, ahead = excluded.ahead, ahead_at = excluded.ahead_at"""
NEW = f"""select {COLUMNS}, b.tx::text::bigint from fhir.body b where b.tenant = %(tenant)s and b.rtype = any(%(types)s) and b.ts >= %(since)s
  and b.tx >= %(from)s::text::xid8 and b.tx < %(to)s::text::xid8 order by b.tx, b.ts, b.rkey, b.ver limit %(limit)s"""  # noqa: S608
LATER = """select exists (select from fhir.body b where b.tenant = %(tenant)s and b.rtype = any(%(types)s) and b.ts >= %(since)s
  and b.tx >= %(to)s::text::xid8)"""
BEFORE = f"""select {COLUMNS} from fhir.body b where b.tenant = %s and b.rtype = %s and b.rkey = %s and b.ver < %s order by b.ver desc limit 1"""  # noqa: S608

_listened: dict[int, tuple[float, frozenset[int]]] = {}


def announce(store: Store, events: Sequence[Event]) -> None:
    """After a write, in its transaction: queue the job if anyone listens to what was written."""
    if not is_open():
        return
    listened = _listened_to(store)
    if listened and any(event.interaction in WRITES and event.type and type_number(event.type) in listened for event in events):
        desk().collect_later(store)


def is_listened(store: Store, type: str) -> bool:
    """Whether a write of the type will queue the job."""
    return is_open() and type_number(type) in _listened_to(store)


def forget_listeners() -> None:
    """Subscriptions changed in this process: look again at the next write."""
    _listened.clear()


def _listened_to(store: Store) -> frozenset[int]:
    """Asked of the database once a second at most; what is written in the second after a subscription begins is found by the clock's job."""
    known = _listened.get(store.tenant)
    now = time.monotonic()
    if known is None or known[0] < now:
        known = _listened[store.tenant] = (now + KNOW_FOR_SECONDS, frozenset(keeping.listened_types(store.connection, store.tenant)))
    return known[1]


@dataclass(frozen=True)
class Position:
    """How far the log has been looked through: a row of fhir.subscription_feed."""

    watermark: int
    since: dt.datetime
    ahead: int
    ahead_at: dt.datetime

    def moved(self, end: int, here: Position) -> Position:
        """To `end`, seen from `here`."""
        if end < self.ahead:
            return replace(self, watermark=end)
        return Position(end, self.ahead_at, here.ahead, here.ahead_at)

    def keep(self, connection: Connection[Any], tenant: int) -> None:
        connection.execute(MOVE, (tenant, self.watermark, self.since, self.ahead, self.ahead_at))


def begin(connection: Connection[Any], tenant: int) -> None:
    """Someone begins to listen where nobody did: what was written before is not looked at."""
    if not keeping.listened_types(connection, tenant):
        _here(connection).keep(connection, tenant)


def collect(connection: Connection[Any], tenant: int, policy: Policy) -> bool:
    """Count what happened since the last time, in the caller's transaction; whether there is more, or will be once older transactions have ended."""
    row = Cursor(connection, row_factory=tuple_row).execute(POSITION, (tenant,)).fetchone()
    subscriptions = [one for one in map(Listener, keeping.counting(connection, tenant)) if one.is_understood(connection)]
    if row is None or not subscriptions:
        return False
    position, here = Position(*row), _here(connection)
    types = sorted({type_number(type) for one in subscriptions for type in one.topic.types})
    span = {"tenant": tenant, "types": types, "since": position.since, "from": position.watermark, "to": here.watermark}
    changes, end = _changes(connection, tenant, span)
    for one in subscriptions:
        one.take(connection, policy, changes)
    position.moved(end, here).keep(connection, tenant)
    later = connection.execute(LATER, {**span, "to": end}).fetchone()
    return bool(later and later[0])


def _here(connection: Connection[Any]) -> Position:
    """Where the log ends now: below the watermark all is written; nothing above it that began from now on is older than the times."""
    watermark, ahead, clock = Cursor(connection, row_factory=tuple_row).execute(MOMENT).fetchall()[0]
    return Position(watermark, clock - MARGIN, ahead, clock - MARGIN)


def _changes(connection: Connection[Any], tenant: int, span: dict[str, Any]) -> tuple[list[Changed], int]:
    """What was written between the watermarks, whole transactions only; and up to where that goes."""
    limit, cursor = AT_ONCE, Cursor(connection, row_factory=tuple_row)
    while True:
        rows = cursor.execute(NEW.encode(), {**span, "limit": limit + 1}).fetchall()
        if len(rows) <= limit:
            return [Changed(connection, tenant, version_in_part(row)) for row in rows], span["to"]
        last = rows[-1][-1]
        whole = [row for row in rows if row[-1] != last]
        if whole:
            return [Changed(connection, tenant, version_in_part(row)) for row in whole], last
        limit *= 4


@dataclass
class Changed:
    """One version that was written, and lazily the one before it."""

    connection: Connection[Any]
    tenant: int
    version: Version

    @cached_property
    def after(self) -> IndexRow | None:
        return None if self.version.deleted else extract(self.version.content, self.version.type, tenant=self.tenant)

    @cached_property
    def before(self) -> IndexRow | None:
        if self.version.number == 1:
            return None
        v = self.version
        row = Cursor(self.connection, row_factory=tuple_row).execute(BEFORE.encode(), (self.tenant, type_number(v.type), v.key, v.number)).fetchone()
        previous = version_in_part(row) if row else None
        return extract(previous.content, v.type, tenant=self.tenant) if previous and not previous.deleted else None

    @property
    def any(self) -> IndexRow:
        """What filters look at: of a deletion, what went away."""
        found = self.after or self.before
        assert found is not None
        return found


class Listener:
    """One subscription that counts, looking at what changed."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.terms = held.wanted
        self.topic: Topic

    def is_understood(self, connection: Connection[Any]) -> bool:
        """Whether it can still be watched for: a topic of the installation's own may have been taken away. If not, it is in error from now on."""
        try:
            found = topic_of(connection, self.held.tenant, self.terms)
            for type, query in self.terms.filters:
                compiled(type, query)
        except FhirError:
            found = None
        if found is None:
            keeping.change(connection, self.held, state="error", error=NO_TOPIC)
            desk().tell_later(self.held.tenant, self.held.rkey)  # its owner, in the Subscription
            return False
        self.topic = found
        return True

    def take(self, connection: Connection[Any], policy: Policy, changes: Sequence[Changed]) -> None:
        """Number and keep what this subscription is about and its owner may see; queue the telling."""
        mine = [change for change in changes if self._wants(change)]
        try:
            seen = list(self._visible(connection, policy, mine)) if mine else []
        except FhirError:  # the owner is nobody any more; the telling says so
            seen = mine
        if not seen:
            return
        numbered = enumerate(seen, self.held.events + 1)
        keeping.add(connection, self.held, [_happening(number, change.version) for number, change in numbered])
        desk().tell_later(self.held.tenant, self.held.rkey)

    def _wants(self, change: Changed) -> bool:
        version = change.version
        if version.type not in self.topic.types or not self.held.lasts(version.at):
            return False
        if not any(t.type == version.type and t.fires(version.op, version.id, change.after, change.before) for t in self.topic.triggers):
            return False
        filters = [compiled(type, query) for type, query in self.terms.filters if type == version.type]
        return all(one.hold(change.any, version.id) for one in filters)

    def _visible(self, connection: Connection[Any], policy: Policy, changes: Sequence[Changed]) -> Iterator[Changed]:
        """Those whose resource the owner may read as it stands now; of what is gone, only who may read all of the type learns."""
        with desk().open_store(self.held.owner) as store:
            actor = store.actor
        for type in dict.fromkeys(change.version.type for change in changes):
            where = policy.where(actor, "read", type)
            of_type = [change for change in changes if change.version.type == type]
            if where is not None and where.everything:
                yield from of_type
            elif where is not None:
                select = f"select c.rkey from fhir.current c where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = any(%(keys)s) and ({where.sql})"  # noqa: S608
                given = {"tenant": self.held.tenant, "rtype": type_number(type), "keys": [change.version.key for change in of_type], **where.params}
                keys: set[UUID] = {row[0] for row in Cursor(connection, row_factory=tuple_row).execute(select.encode(), given)}
                yield from (change for change in of_type if change.version.key in keys)


def _happening(number: int, version: Version) -> Happening:
    return Happening(number, version.at, type_number(version.type), version.key, version.id, version.number, version.op)
