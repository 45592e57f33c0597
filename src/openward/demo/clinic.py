"""Making the demo clinic: once per record, all of it, going on where an interrupted build stopped."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.demo import books
from openward.demo.books import load_fee_schedule
from openward.demo.days import bring_to_today, set_the_clocks
from openward.demo.errors import AnotherDemo, InUse
from openward.demo.generation.clinic import clinic
from openward.demo.loading import Progress, load_charts, write
from openward.demo.models import Instance
from openward.demo.people import make_people
from openward.demo.tickets import open_tickets
from openward.record import open_store

STEPS = (*books.STEPS, ("the service desk", open_tickets))


def build(*, patients: int, seed: int, today: dt.date, progress: Progress, now: dt.datetime | None = None, tenant: int = 1) -> None:
    """Make the clinic as it is on `today` at the instant `now` (the clock, when it is left out).

    The same clinic again on the same day adds nothing and says so; on a later day it is brought to that day. Raises InUse for a record with anything else in it, AnotherDemo for another clinic.
    """
    actor = Actor.system("make the demo clinic", tenant=tenant)
    instance = _instance(actor, patients, seed, today, now or timezone.now())
    total = instance.patients + len(STEPS)
    made = clinic(instance.patients, instance.seed, instance.made_for, instance.made_at)
    if instance.is_complete:
        moved = bring_to_today(actor, made, instance, today, now or timezone.now())
        progress(total, total, "the demo clinic is brought to today" if moved else "the demo clinic is there already")
        return
    if not instance.loaded:
        write(actor, made.house.resources)
        make_people(made, tenant)
        load_fee_schedule(actor)
    load_charts(actor, made, instance, lambda done, _, note="": progress(done, total, note))
    for done, (name, step) in enumerate(STEPS, start=instance.patients + 1):
        step(actor, made)
        progress(done, total, name)
    if now is None:
        set_the_clocks(actor, instance.made_at, timezone.now())
    instance.is_complete = True
    instance.save(update_fields=["is_complete"])


def _instance(actor: Actor, patients: int, seed: int, today: dt.date, now: dt.datetime) -> Instance:
    """The row that says this is a demo: the one that is there, or a new one in an empty record."""
    found = Instance.objects.filter(tenant=actor.tenant).first()
    if found is None:
        _require_empty(actor)
        return Instance.objects.create(tenant=actor.tenant, seed=seed, patients=patients, made_for=today, made_at=now)
    if (found.seed, found.patients) != (seed, patients):
        raise AnotherDemo(what=str(found))
    return found


def _require_empty(actor: Actor) -> None:
    """Never turn a record that people use into a demo, where anyone signs in as anyone."""
    if User.objects.filter(tenant=actor.tenant).exists():
        raise InUse(what="people sign in to it")
    if open_store(actor).search("Patient", {"_count": 1}).resources:
        raise InUse(what="it has patients")
