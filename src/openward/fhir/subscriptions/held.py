"""Subscriptions as they are kept beside their resources: terms, owner, and how far the telling is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from openward.fhir.definitions import type_number
from openward.fhir.subscriptions.terms import Terms
from openward.fhir.subscriptions.topics import Topic

COLUMNS = "tenant, rkey, id, owner::text, terms::text, state, since, ends, events, delivered, tries, next_try, last_sent, error"
KEEP = """insert into fhir.subscription (tenant, rkey, id, owner, terms, types, state, ends)
  values (%(tenant)s, %(rkey)s, %(id)s, %(owner)s, %(terms)s, %(types)s, %(state)s, %(ends)s)
  on conflict (tenant, rkey) do update set owner = excluded.owner, terms = excluded.terms, types = excluded.types, state = excluded.state,
    since = case when subscription.state in ('active', 'requested') and excluded.state = 'requested'
      and subscription.terms -> 'criteria' = excluded.terms -> 'criteria' and subscription.terms -> 'filters' = excluded.terms -> 'filters'
      then subscription.since end,
    ends = excluded.ends, tries = 0, next_try = null, error = ''"""
# One that was active and asks for the same goes on counting while it shakes hands anew.
COUNTING = "(state = 'active' or (state = 'requested' and since is not null))"


@dataclass(frozen=True, slots=True)
class Held:
    """One subscription; `since` is from when on its events are counted, times are UTC."""

    tenant: int
    rkey: UUID
    id: str
    owner: dict[str, Any]
    terms: dict[str, Any]
    state: str
    since: dt.datetime | None
    ends: dt.datetime | None
    events: int
    delivered: int
    tries: int
    next_try: dt.datetime | None
    last_sent: dt.datetime | None
    error: str

    def lasts(self, at: dt.datetime) -> bool:
        """Whether what happens at this moment is counted: neither before it began nor after its end."""
        return (self.since is None or self.since <= at) and (self.ends is None or at < self.ends)

    @property
    def wanted(self) -> Terms:
        return Terms.of(self.terms)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of one subscription: which version of which resource was written."""

    number: int
    at: dt.datetime
    rtype: int
    rkey: UUID
    id: str
    ver: int
    op: str


def _held(owner: str, terms: str, **columns: Any) -> Held:
    """JSON is read here: what a connection makes of it differs from one to the other."""
    return Held(owner=json.loads(owner), terms=json.loads(terms), **columns)


def keep(
    connection: Connection[Any], tenant: int, key: UUID, id: str, owner: Mapping[str, Any], terms: Terms, topic: Topic, state: str, ends: str | None
) -> None:
    """Store the terms anew; events already counted stay counted."""
    given = {"tenant": tenant, "rkey": key, "id": id, "owner": json.dumps(owner), "terms": json.dumps(terms.as_json()), "state": state, "ends": ends}
    connection.execute(KEEP, {**given, "types": [type_number(type) for type in topic.types]})


def drop(connection: Connection[Any], tenant: int, key: UUID) -> None:
    connection.execute("delete from fhir.subscription where tenant = %s and rkey = %s", (tenant, key))
    connection.execute("delete from fhir.subscription_event where tenant = %s and subscription = %s", (tenant, key))


def find(connection: Connection[Any], tenant: int, key: UUID) -> Held | None:
    select = f"select {COLUMNS} from fhir.subscription where tenant = %s and rkey = %s"  # noqa: S608
    with connection.cursor(row_factory=kwargs_row(_held)) as cursor:
        return cursor.execute(select.encode(), (tenant, key)).fetchone()


def those(connection: Connection[Any], tenant: int, keys: Sequence[UUID]) -> dict[UUID, Held]:
    """By key, what is kept of each; one that is not kept is left out."""
    select = f"select {COLUMNS} from fhir.subscription where tenant = %s and rkey = any(%s)"  # noqa: S608
    with connection.cursor(row_factory=kwargs_row(_held)) as cursor:
        return {one.rkey: one for one in cursor.execute(select.encode(), (tenant, list(keys))).fetchall()}


def counting(connection: Connection[Any], tenant: int) -> list[Held]:
    select = f"select {COLUMNS} from fhir.subscription where tenant = %s and {COUNTING} order by rkey for update"  # noqa: S608
    with connection.cursor(row_factory=kwargs_row(_held)) as cursor:
        return cursor.execute(select.encode(), (tenant,)).fetchall()


def change(connection: Connection[Any], held: Held, **values: Any) -> bool:
    """Set columns of one subscription; the names are this module's callers' own. False when it was stored anew since it was looked at, or is gone."""
    sets = ", ".join(f"{name} = %({name})s" for name in values)
    statement = f"""update fhir.subscription set {sets} where tenant = %(its_tenant)s and rkey = %(its_key)s
      and state = %(its_state)s and terms = %(its_terms)s::jsonb"""  # noqa: S608
    given = {"its_tenant": held.tenant, "its_key": held.rkey, "its_state": held.state, "its_terms": json.dumps(held.terms)}
    return connection.execute(statement.encode(), {**values, **given}).rowcount > 0


def happenings(connection: Connection[Any], held: Held, first: int, last: int, at_most: int) -> list[Happening]:
    """The events from one number to another, in order."""
    select = """select number, at, rtype, rkey, id, ver, op::text from fhir.subscription_event
      where tenant = %s and subscription = %s and number between %s and %s order by number limit %s"""
    with connection.cursor(row_factory=class_row(Happening)) as cursor:
        return cursor.execute(select, (held.tenant, held.rkey, first, last, at_most)).fetchall()


def add(connection: Connection[Any], held: Held, happened: Sequence[Happening]) -> None:
    """Append events, which are numbered already, and count them."""
    rows = [(held.tenant, held.rkey, h.number, h.at, h.rtype, h.rkey, h.id, h.ver, h.op) for h in happened]
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into fhir.subscription_event (tenant, subscription, number, at, rtype, rkey, id, ver, op)
              values (%s, %s, %s, %s, %s, %s, %s, %s, %s::"char")""",
            rows,
        )
    change(connection, held, events=happened[-1].number)


def forget_old(connection: Connection[Any], days: int) -> None:
    """Remove told events of an age; what is not told yet stays."""
    connection.execute(
        """delete from fhir.subscription_event e using fhir.subscription s where s.tenant = e.tenant and s.rkey = e.subscription
          and e.number <= s.delivered and e.at < clock_timestamp() - make_interval(days => %s)""",
        (days,),
    )


def listened_types(connection: Connection[Any], tenant: int) -> Iterable[int]:
    """The numbers of the resource types any subscription that counts listens to."""
    rows = connection.execute(f"select distinct unnest(types) from fhir.subscription where tenant = %s and {COUNTING}".encode(), (tenant,))  # noqa: S608
    return [row[0] for row in rows.fetchall()]
