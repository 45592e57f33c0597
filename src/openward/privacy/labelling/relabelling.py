"""Labelling what was stored before a rule was there: a pass over every type rules look at, a batch a transaction, while everything else goes on.

Each batch moves the place the pass got to, with what it labelled: killed, it lost nothing but its last batch and goes on there. Every process knows
a new rule within `SETTLED`, and the pass waits for writers who began before that, so that nothing is stored behind its back unlabelled.
A label someone took away by hand is not put back: an earlier version had it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from psycopg import Cursor
from psycopg.rows import tuple_row

from openward.access.actor import Actor
from openward.access.labels import CODED, INHERITED, LABELS, Rules, implied, labels_of, parents_of
from openward.access.models import LabelRule, Relabelling, restamped
from openward.access.rules import digest_of_rules, inherited, rules_of
from openward.fhir.definitions import type_number
from openward.fhir.errors import FhirError, PreconditionFailed
from openward.fhir.protocols import Event
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.versions import Version
from openward.record import UnitOfWork, unit_of_work

AT_ONCE = 200
SETTLED = dt.timedelta(seconds=4)  # twice what a program's request trusts what it knows of the rules
BREATH = 0.2
TRIES = 5
NOWHERE = UUID(int=0)
# Those first from which others inherit.
ORDER: tuple[str, ...] = (*(type for type in CODED if type not in INHERITED), *(type for type in CODED if type in INHERITED))

BATCH = f"""select {COLUMNS} from (
    select * from fhir.current where tenant = %(tenant)s and rtype = %(rtype)s and rkey > %(at_key)s order by rkey limit {AT_ONCE}) c
  join fhir.body b using (tenant, rtype, rkey, ver) order by b.rkey"""  # noqa: S608
EARLIER = f"select {COLUMNS} from fhir.body b where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s and ver < %(ver)s"  # noqa: S608
HOW_MANY = "select count(*) from fhir.current where tenant = %(tenant)s and rtype = any(%(rtypes)s::smallint[])"
# One step down the index a tenant, however much each of them has.
TENANTS = """with recursive t(tenant) as (select min(tenant) from fhir.body
  union all select (select min(b.tenant) from fhir.body b where b.tenant > t.tenant) from t where t.tenant is not null)
  select tenant from t where tenant is not null"""
MARK = "select pg_current_xact_id()::text::bigint"
OLDEST = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


def house(tenant: int) -> Actor:
    return Actor.system("label what is stored", tenant=tenant)


def ask(tenant: int) -> None:
    """Begin a pass, or begin the one under way anew, unless what is stored was gone through by these very rules."""
    digest = digest_of_rules(tenant)
    try:
        with transaction.atomic():
            under_way = Relabelling.objects.select_for_update().filter(tenant=tenant, finished_at=None).first()
            last = Relabelling.objects.filter(tenant=tenant).order_by("-asked_at").first()
            if under_way is None and (last is None or last.digest != digest):
                Relabelling.objects.create(tenant=tenant, digest=digest)
            elif under_way is not None and under_way.digest != digest:
                restamped(under_way, digest=digest, asked_at=timezone.now(), barrier=None, place=0, at_key=None, done=0, total=0)
    except IntegrityError:
        return  # another worker began it a moment ago


def tenants() -> list[int]:
    """Every tenant there is: whoever has something stored, or rules of their own."""
    with connection.cursor() as cursor:
        cursor.execute(TENANTS)
        stored = {int(tenant) for (tenant,) in cursor.fetchall()}
    return sorted(stored | set(LabelRule.objects.values_list("tenant", flat=True)))


def run(*tenants: int, seconds: float = 45.0, settle: bool = True) -> None:
    """Go on with their passes until all are done or the time is over; the next call goes on there. `settle`: wait for writers who may not know the rules.

    A batch of each in turn, so that one large record keeps no other waiting.
    """
    for tenant in tenants:
        ask(tenant)
    until, left = time.monotonic() + seconds, list(tenants)
    while left and time.monotonic() < until:
        states = {tenant: step(tenant, settle=settle) for tenant in left}
        left = [tenant for tenant, state in states.items() if state in ("waiting", "running")]
        if left and "running" not in states.values():
            time.sleep(BREATH)


def step(tenant: int, *, settle: bool = True) -> str | None:
    """One transaction's worth: `waiting` (too early), `running`, `done`; None where nothing is to do that nobody else is at."""
    with unit_of_work(by=house(tenant)) as work:
        row = Relabelling.objects.select_for_update(skip_locked=True).filter(tenant=tenant, finished_at=None).first()
        if row is None:
            return None
        if settle and not _is_settled(work, row):
            return "waiting"
        if not row.total and not row.place and row.at_key is None:
            _begin(work, row)
        return _go_on(work, row)


def _is_settled(work: UnitOfWork, row: Relabelling) -> bool:
    """Whether every process knows the rules, and every transaction that began before is over."""
    if row.barrier is None:
        if timezone.now() - row.asked_at >= SETTLED:
            restamped(row, barrier=_number(work, MARK))
        return False
    return _number(work, OLDEST) > row.barrier


def _begin(work: UnitOfWork, row: Relabelling) -> None:
    asked = {"tenant": row.tenant, "rtypes": [type_number(type) for type in ORDER]}
    restamped(row, total=_number(work, HOW_MANY, asked))
    work.store.record([Event("relabel", None, detail="Pass over what is stored begun")])


def _go_on(work: UnitOfWork, row: Relabelling) -> str:
    rtype = type_number(ORDER[row.place])
    found = _versions(work, BATCH, {"tenant": row.tenant, "rtype": rtype, "at_key": row.at_key or NOWHERE})
    if not found:
        return _next_type(work, row)
    more, labelled, failed = rules_of(work.actor), 0, 0
    for version in found:
        try:
            labelled += _label(work, version, more)
        except FhirError:
            failed += 1  # it stays as it is; the count is on the page and in the health
    facts = {"at_key": found[-1].key, "done": row.done + len(found), "labelled": row.labelled + labelled, "failed": row.failed + failed}
    restamped(row, moved_at=timezone.now(), **facts)
    return "running"


def _next_type(work: UnitOfWork, row: Relabelling) -> str:
    if row.place + 1 < len(ORDER):
        restamped(row, place=row.place + 1, at_key=None, moved_at=timezone.now())
        return "running"
    restamped(row, finished_at=timezone.now(), moved_at=timezone.now(), total=row.done)
    detail = f"Pass over what is stored ended: {row.done} looked at, {row.labelled} labelled, {row.failed} failed"
    work.store.record([Event("relabel", None, detail=detail)])
    return "done"


def _label(work: UnitOfWork, version: Version, more: Rules) -> bool:
    """Give it the labels it lacks; whether it lacked any. Raises FhirError where the record does not take it. Somebody's change meanwhile is kept."""
    for _ in range(TRIES):
        lacking = _lacking(work, version, more)
        if not lacking:
            return False
        content = dict(version.content)
        meta = dict(content.get("meta", {}))
        meta["security"] = [*meta.get("security", ()), *(LABELS[label].coding for label in sorted(lacking))]
        try:
            work.store.update({**content, "meta": meta}, if_match=version.number)
        except PreconditionFailed:
            version = _versions(work, BATCH, _just_before(work.tenant, version))[0]
        else:
            return True
    raise PreconditionFailed(type=version.type, id=version.id, version=version.number)


def _just_before(tenant: int, version: Version) -> dict[str, Any]:
    """The batch that begins with this very resource."""
    return {"tenant": tenant, "rtype": type_number(version.type), "at_key": UUID(int=version.key.int - 1)}


def _lacking(work: UnitOfWork, version: Version, more: Rules) -> frozenset[str]:
    if version.deleted:
        return frozenset()
    wanted = implied(version.content, more) | inherited(work.store, parents_of(version.content))
    lacking = wanted - labels_of(version.content)
    return lacking - _once_had(work, version) if lacking and version.number > 1 else lacking


def _once_had(work: UnitOfWork, version: Version) -> frozenset[str]:
    """The labels an earlier version had: what is gone of them someone with the right took away."""
    where = {"tenant": work.tenant, "rtype": type_number(version.type), "rkey": version.key, "ver": version.number}
    return frozenset(label for one in _versions(work, EARLIER, where) if not one.deleted for label in labels_of(one.content))


def _versions(work: UnitOfWork, sql: str, params: dict[str, Any]) -> list[Version]:
    return [version_in_part(row) for row in _rows(work, sql, params)]


def _rows(work: UnitOfWork, sql: str, params: dict[str, Any]) -> Iterator[Sequence[Any]]:
    cursor = Cursor(work.connection, row_factory=tuple_row)
    yield from cursor.execute(sql.encode(), params).fetchall()


def _number(work: UnitOfWork, sql: str, params: dict[str, Any] | None = None) -> int:
    return int(next(_rows(work, sql, params or {}))[0])


def latest(tenant: int) -> Relabelling | None:
    """The pass under way, else the last one."""
    return Relabelling.objects.filter(tenant=tenant).order_by("-asked_at").first()


def newest() -> list[Relabelling]:
    """The same of every tenant that ever had one."""
    return list(Relabelling.objects.order_by("tenant", "-asked_at").distinct("tenant"))
