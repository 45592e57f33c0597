"""Finding entries of the trail: by patient and by agent through their indexes, by time through the seals, which know when each stretch was written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from openward.audit.events.asking import Asked
from openward.audit.events.resource import Entry, Names
from openward.audit.events.words import interactions_of
from openward.fhir.definitions import type_name, type_number
from openward.fhir.protocols import Where

FIELDS = """e.tx::text::bigint as tx, e.id, e.at, a.actor, a.actor_name, a.actor_role, a.on_behalf_of, a.purpose, a.address, e.interaction, e.rtype, e.rkey,
  e.version, e.patient, e.patients, e.outcome, e.detail, e.request_id"""
# What the policy's condition may speak of: an event has no codes and no labels, so that whoever must have some sees nothing.
SEEN = """(select e.tenant, {rtype}::smallint as rtype, null::uuid as rkey, 1 as ver, e.at as last_updated, e.patient, e.at as date_lo, e.at as date_hi,
  null::bigint as code, '{{}}'::bigint[] as tok, '{{}}'::int[] as has)"""
LONGEST_TRANSACTION = dt.timedelta(days=1)
FIRST_WINDOW, GROWTH = dt.timedelta(minutes=30), 8
FROM = """select coalesce((select from_tx from audit.seal where tenant = %(tenant)s and at >= %(low)s order by tenant, at limit 1),
  (select until_tx from audit.seal where tenant = %(tenant)s order by number desc limit 1), '0')::text"""
UNTIL = """select until_tx::text from audit.seal where tenant = %(tenant)s and at < %(high)s order by tenant desc, at desc limit 1"""
LATER = "select exists (select from audit.seal where tenant = %(tenant)s and at >= %(high)s)"
OLDEST = "select at from audit.entry where tenant = %(tenant)s order by tenant, tx, id limit 1"
IDS = """select b.rtype, b.rkey, min(b.id) from unnest(%(rtypes)s::smallint[], %(rkeys)s::uuid[]) n(rtype, rkey)
  join fhir.body b on b.tenant = %(tenant)s and b.rtype = n.rtype and b.rkey = n.rkey where b.id is not null group by b.rtype, b.rkey"""


OWNERS = """select distinct b.patient from unnest(%(rtypes)s::smallint[], %(rkeys)s::uuid[]) n(rtype, rkey)
  left join fhir.body b on b.tenant = %(tenant)s and b.rtype = n.rtype and b.rkey = n.rkey"""


class Place(NamedTuple):
    """Where a page ended."""

    at: str
    tx: int
    id: int


@dataclass
class Conditions:
    """SQL over `audit.entry e`, all of which hold; parameters by name."""

    parts: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def add(self, sql: str, *values: Any) -> None:
        """Each `{}` of `sql` is one value."""
        names = [f"p{len(self.params) + nth}" for nth in range(len(values))]
        self.params.update(zip(names, values, strict=True))
        self.parts.append(sql.format(*(f"%({name})s" for name in names)))


@dataclass
class Finder:
    """`actors_of`: references such as `Practitioner/1` → the ids of the actors they are."""

    wire: psycopg.Connection[Any]
    tenant: int
    asked: Asked
    where: Where
    actors: Sequence[Sequence[str]]

    def page(self, after: Place | None) -> list[Entry]:
        """Up to one more than a page, in the order asked for: the one more says that there is a next page."""
        conditions = self._conditions(after)
        if self._is_indexed:
            return self._rows(conditions, "", {})
        found: list[Entry] = []
        for bounds, params in self._windows(after):
            found += self._rows(conditions, bounds, params, self.asked.count + 1 - len(found))
            if len(found) > self.asked.count:
                break
        return found

    def total(self) -> int:
        """How many there are, page or no page."""
        conditions = self._conditions(None)
        bounds, params = ("", {}) if self._is_indexed else self._bounds(*self._span())
        sql = f"select count(*) from audit.entry e where {self._which(conditions, bounds)}"  # noqa: S608 - as below
        row = psycopg.Cursor(self.wire).execute(sql, {"tenant": self.tenant, **conditions.params, **params, **self.where.params}).fetchone()
        return row[0] if row else 0

    @property
    def _is_indexed(self) -> bool:
        asked = self.asked
        return bool(asked.ids or asked.patients or self.actors or self.owners or any(0 not in outcomes for outcomes in asked.outcomes))

    @cached_property
    def owners(self) -> list[list[UUID]]:
        """For each list of entities whose every one is of a patient's record: those patients, by whom their events are found."""
        found = [self._owners(entities) for entities in self.asked.entities]
        return [patients for patients in found if patients is not None]

    def _owners(self, entities: Sequence[tuple[str, UUID]]) -> list[UUID] | None:
        rtypes, rkeys = [type_number(type) for type, _ in entities], [key for _, key in entities]
        rows = psycopg.Cursor(self.wire).execute(OWNERS, {"tenant": self.tenant, "rtypes": rtypes, "rkeys": rkeys}).fetchall()
        return None if any(patient is None for (patient,) in rows) else [patient for (patient,) in rows]

    def _rows(self, conditions: Conditions, bounds: str, params: Mapping[str, Any], limit: int | None = None) -> list[Entry]:
        order = "asc" if self.asked.oldest_first else "desc"
        sql = f"""select {FIELDS} from audit.entry e left join audit.agent a on (a.tenant, a.id) = (e.tenant, e.agent)
          where {self._which(conditions, bounds)}
          order by e.at {order}, e.tx {order}, e.id {order} limit %(limit)s"""  # noqa: S608 - every text is of this module; what was asked is bound
        bound = {"tenant": self.tenant, "limit": limit or self.asked.count + 1, **conditions.params, **params, **self.where.params}
        return psycopg.Cursor(self.wire, row_factory=class_row(Entry)).execute(sql, bound).fetchall()

    def _which(self, conditions: Conditions, bounds: str) -> str:
        """Those that were asked for and may be seen."""
        seen = SEEN.format(rtype=type_number("AuditEvent"))
        policy = "" if self.where.everything else f" and exists (select from {seen} c where {self.where.sql})"
        return f"e.tenant = %(tenant)s{''.join(f' and ({part})' for part in conditions.parts)}{bounds}{policy}"

    def _conditions(self, after: Place | None) -> Conditions:
        asked, found = self.asked, Conditions()
        for ids in asked.ids:
            found.add("(e.tx, e.id) in (select t::text::xid8, i from unnest({}::bigint[], {}::bigint[]) n(t, i))", *map(list, _columns(ids, 2)))
        for keys in asked.patients:
            found.add("e.patient = any({}::uuid[]) or (e.patients is not null and e.patients && {}::uuid[])", keys, keys)
        for actors in self.actors:
            found.add("e.agent in (select id from audit.agent where tenant = %(tenant)s and actor = any({}::text[]))", list(actors))
        for entities in asked.entities:
            self._of_entities(found, entities)
        for patients in self.owners:
            found.add("e.patient = any({}::uuid[]) or (e.patients is not null and e.patients && {}::uuid[])", patients, patients)
        for actions in asked.actions:
            among, names = interactions_of(actions)
            found.add("e.interaction = any({}::text[])" if among else "e.interaction <> all({}::text[])", names)
        for subtypes in asked.subtypes:
            found.add("e.interaction = any({}::text[])", subtypes)
        for outcomes in asked.outcomes:
            found.add("e.outcome = any({}::smallint[])", outcomes)
            if 0 not in outcomes:
                found.parts.append("e.outcome <> 0")  # so that the index of what was refused serves
        for low, high in asked.dates:
            found.add("e.at >= {}::timestamptz and e.at < {}::timestamptz", low, high)
        for low, high in asked.not_within:
            found.add("e.at < {}::timestamptz or e.at >= {}::timestamptz", low, high)
        if after:
            found.add(
                f"(e.at, e.tx, e.id) {'>' if asked.oldest_first else '<'} ({{}}::timestamptz, {{}}::text::xid8, {{}})",
                after.at,
                str(after.tx),
                after.id,
            )
        return found

    def _of_entities(self, found: Conditions, entities: Sequence[tuple[str, UUID]]) -> None:
        """A patient is an entity of everything of theirs."""
        types, keys = [type_number(type) for type, _ in entities], [key for _, key in entities]
        patients = [key for type, key in entities if type == "Patient"]
        found.add(
            "(e.rtype, e.rkey) in (select t, k from unnest({}::smallint[], {}::uuid[]) n(t, k)) or e.patient = any({}::uuid[]) or e.patients && {}::uuid[]",
            types, keys, patients, patients,
        )  # fmt: skip

    def _windows(self, after: Place | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Stretches of time one after the other, each eight times as long as the one before, and the transactions that wrote in them."""
        first, last = self._span()
        if after:
            edge = dt.datetime.fromisoformat(after.at)
            first, last = (edge, last) if self.asked.oldest_first else (first, edge + dt.timedelta(microseconds=1))
        width = FIRST_WINDOW
        while first < last:
            low, high = (first, min(first + width, last)) if self.asked.oldest_first else (max(last - width, first), last)
            yield self._bounds(low, high)
            first, last = (high, last) if self.asked.oldest_first else (first, low)
            width = min(width * GROWTH, dt.timedelta(days=36500))

    def _span(self) -> tuple[dt.datetime, dt.datetime]:
        """The time asked for, no more of it than the trail has."""
        now = dt.datetime.now(dt.UTC)
        begins, ends = (self._value(OLDEST, {}) or now) - LONGEST_TRANSACTION, now + LONGEST_TRANSACTION
        return max(_moment(self.asked.since, begins), begins), min(_moment(self.asked.until, ends), ends)

    def _bounds(self, low: dt.datetime, high: dt.datetime) -> tuple[str, dict[str, Any]]:
        """Nothing is sealed before it is written, and hardly a transaction takes longer than a day: if one did, its seals are late and `/health` says so."""
        params: dict[str, Any] = {"window_low": low, "window_high": high, "tx_low": self._value(FROM, {"low": low})}
        sql = " and e.at >= %(window_low)s and e.at < %(window_high)s and e.tx >= %(tx_low)s::text::xid8"
        if self._value(LATER, {"high": high + LONGEST_TRANSACTION}):
            params["tx_high"] = self._value(UNTIL, {"high": high + LONGEST_TRANSACTION}) or "0"
            sql += " and e.tx <= %(tx_high)s::text::xid8"
        return sql, params

    def _value(self, sql: str, params: Mapping[str, Any]) -> Any:
        row = psycopg.Cursor(self.wire).execute(sql, {"tenant": self.tenant, **params}).fetchone()
        return row[0] if row else None


def names(wire: psycopg.Connection[Any], tenant: int, entries: Sequence[Entry]) -> Names:
    """The ids of what the entries are about, of those whose id is not their key."""
    wanted = {(entry.rtype, entry.rkey) for entry in entries if entry.rtype is not None and entry.rkey is not None}
    wanted |= {(type_number("Patient"), key) for entry in entries for key in entry.whose}
    if not wanted:
        return {}
    rtypes, rkeys = _columns(sorted(wanted), 2)
    rows = psycopg.Cursor(wire).execute(IDS, {"tenant": tenant, "rtypes": list(rtypes), "rkeys": list(rkeys)})
    return {(type_name(rtype), rkey): id for rtype, rkey, id in rows}


def _columns(rows: Sequence[Any], width: int) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True)) or [()] * width


def _moment(text: str, otherwise: dt.datetime) -> dt.datetime:
    return otherwise if text in ("infinity", "-infinity") else dt.datetime.fromisoformat(text)
