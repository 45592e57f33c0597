"""Subscriptions of this installation: jobs, mail, health, and the guards of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as django_connection
from django.db import transaction

from openward.access.actor import Actor
from openward.fhir.guards import guard
from openward.fhir.outgoing import Network, networks
from openward.fhir.store import Store
from openward.fhir.subscriptions import feed, held, rules, telling
from openward.fhir.subscriptions.desk import install
from openward.keys.errors import KeyTrouble
from openward.keys.sealing import is_sealed, seal, unseal
from openward.record.actors import in_job, recall, remember
from openward.record.health import health_check
from openward.record.jobs import every, job
from openward.record.wires import own_wire

PURPOSE = "tell subscribers"
HEADERS = "subscription-header"
KEEP_DAYS = 30
SendMail = Callable[[int, str, str, str], None]
MAILERS: list[SendMail] = []
"""How an e-mail is put into the outbox: (tenant, to, the Subscription's reference, words). The outbox says so when it starts."""


class Installation:
    """What the engine's subscriptions ask of the house around it."""

    @property
    def base_url(self) -> str:
        return f"{settings.OPENWARD_PUBLIC_URL}/fhir"

    @property
    def allowed(self) -> Sequence[Network]:
        return networks(settings.OPENWARD_PRIVATE_TARGETS)

    def may_own(self, actor: Actor) -> bool:
        return actor.kind != "system"

    def is_own(self, actor: Actor) -> bool:
        return actor.kind == "system" and actor.id == f"system:{PURPOSE}"

    def remember(self, actor: Actor) -> dict[str, Any]:
        return remember(actor)

    @contextmanager
    def open_store(self, owner: dict[str, Any]) -> Iterator[Store]:
        from openward.record.work import open_store

        yield open_store(in_job(recall(owner)))

    @contextmanager
    def own_store(self, tenant: int) -> Iterator[Store]:
        from openward.record.work import open_store

        yield open_store(Actor.system(PURPOSE, tenant=tenant))

    def collect_later(self, store: Store) -> None:
        store.transaction.later(collect_events, tenant=store.tenant)

    def tell_later(self, tenant: int, subscription: UUID, *, seconds: float = 0, by: Store | None = None) -> None:
        given: dict[str, Any] = {"tenant": tenant, "subscription": str(subscription)}
        if by is not None:
            by.transaction.later(tell, **given)
        else:
            waiting = tell.task.configure(schedule_in={"seconds": int(seconds)}) if seconds >= 1 else tell.task
            waiting.defer(**given)

    def send_mail(self, tenant: int, to: str, subscription: str, words: str) -> None:
        for mailer in MAILERS:
            mailer(tenant, to, subscription, words)

    def seal(self, tenant: int, value: str, about: tuple[str, ...]) -> str:
        if is_sealed(value):
            self.unseal(tenant, value, about)
            return value
        return seal(HEADERS, value, about=about, tenant=tenant)

    def unseal(self, tenant: int, value: str, about: tuple[str, ...]) -> str:
        if not is_sealed(value):
            return value
        try:
            return unseal(HEADERS, value, about=about, tenant=tenant)
        except KeyTrouble as trouble:
            raise ValueError(str(trouble)) from None

    def show(self, tenant: int, subscription: UUID) -> None:
        with django_connection.cursor() as cursor:
            cursor.execute("select pg_notify(%s, '')", [topic_of(subscription)])


def topic_of(subscription: UUID) -> str:
    """What the event streams of a subscription listen to in PostgreSQL."""
    return f"subscription:{subscription}"


INSTALLATION = Installation()
install(INSTALLATION)
guard("Subscription")(rules.hold_to_terms)
guard("Subscription", on=("delete",))(rules.drop_with_it)
guard("Basic", is_quiet=True)(rules.hold_topics)


@job("record.collect_events")
def collect_events(*, tenant: int) -> None:
    """Count for each subscription what was written since the last time, and tell it."""
    from openward.record.connection import connection
    from openward.record.work import POLICY

    with transaction.atomic():
        more = feed.collect(connection(), tenant, POLICY)
    if more:
        collect_events.task.configure(schedule_in={"seconds": 1}).defer(tenant=tenant)


@job("record.tell_subscriber")
def tell(*, tenant: int, subscription: str) -> None:
    """Send a subscriber what is not told yet, or shake hands first."""
    with own_wire() as wire:
        telling.tell(wire, tenant, UUID(subscription), INSTALLATION)


@job("record.beat_subscriber", retries=1)
def beat(*, tenant: int, subscription: str) -> None:
    """Send a subscriber a heartbeat, if one is due."""
    with own_wire() as wire:
        telling.beat(wire, tenant, UUID(subscription), INSTALLATION)


@every("* * * * *", "record.watch_subscriptions")
def watch_subscriptions() -> None:
    """Look for what no hint told of, queue heartbeats and what waits too long, and end subscriptions whose time is over."""
    with own_wire() as wire:
        for (tenant,) in wire.execute("select distinct tenant from fhir.subscription where state = 'active'").fetchall():
            collect_events.defer(tenant=tenant)
        for tenant, key in wire.execute(WAITING).fetchall():
            tell.defer(tenant=tenant, subscription=str(key))
        for tenant, key in wire.execute(BEATING).fetchall():
            beat.defer(tenant=tenant, subscription=str(key))
        for tenant, key in wire.execute(OVER).fetchall():
            if one := held.find(wire, tenant, key):
                telling.end(wire, one, INSTALLATION)


WAITING = """select tenant, rkey from fhir.subscription where (state = 'requested' or (state = 'active' and delivered < events))
  and (next_try is null or next_try <= clock_timestamp())"""
BEATING = """select tenant, rkey from fhir.subscription where state = 'active' and (terms ->> 'heartbeat')::int > 0
  and (last_sent is null or last_sent <= clock_timestamp() - make_interval(secs => (terms ->> 'heartbeat')::int))"""
OVER = "select tenant, rkey from fhir.subscription where state in ('active', 'requested') and ends <= clock_timestamp()"


@every("30 3 * * *", "record.forget_events")
def forget_events() -> None:
    """Remove events of subscriptions that were told a month ago."""
    with own_wire() as wire:
        held.forget_old(wire, KEEP_DAYS)


@health_check("subscriptions", title="Subscriptions")
def subscriptions() -> str | None:
    """A subscriber who does not answer misses what they rely on."""
    with django_connection.cursor() as cursor:
        cursor.execute("select count(*) from fhir.subscription where state = 'error'")
        failed = cursor.fetchone()[0]
    return f"{failed} subscribers do not answer and are told nothing more: their subscriptions are in error." if failed else None
