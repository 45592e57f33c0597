"""Charts into the record: transactions of some hundred resources, all or nothing, each remembered with how far it got."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from openward.access.actor import Actor
from openward.demo.generation.clinic import Clinic
from openward.demo.generation.parts import Json
from openward.demo.generation.people import Person
from openward.demo.models import Instance
from openward.fhir.bundles.entries import Entry
from openward.fhir.interactions import transaction
from openward.record import UnitOfWork, unit_of_work

RESOURCES_A_BATCH = 1500


class Progress(Protocol):
    """Called after every batch: how much is done of how much, and a word on what."""

    def __call__(self, done: int, total: int, note: str = "", /) -> None: ...


def write(actor: Actor, resources: Iterable[Json]) -> None:
    """Write resources under the ids they have, all or nothing. They are handed over: the store may change them."""
    with unit_of_work(by=actor) as work:
        _store(work, resources)


def load_charts(actor: Actor, clinic: Clinic, instance: Instance, progress: Progress) -> None:
    """Every chart that is not there yet, in order; what is committed is not made again."""
    for people, resources in _batches(clinic.charts(after=instance.loaded)):
        with unit_of_work(by=actor) as work:
            _store(work, _claims_last(resources))
            instance.loaded = people[-1].number
            instance.save(update_fields=["loaded"])
        progress(instance.loaded, instance.patients, f"{people[-1].name}")


def _claims_last(resources: list[Json]) -> list[Json]:
    """The guard on claims reads what was written before it, which ends a set of writes: the sets are largest when claims stand together."""
    return sorted(resources, key=lambda resource: resource["resourceType"] == "Claim")


def _store(work: UnitOfWork, resources: Iterable[Json]) -> None:
    """A transaction bundle without the envelope: the same checks, guards and audit, and no copy of everything first."""
    asked = [
        Entry(index, "PUT", f"{r['resourceType']}/{r['id']}", r["resourceType"], r["id"], None, None, r, None, None)
        for index, r in enumerate(resources)
    ]
    with work.store.attempt("transaction", None):
        transaction.write(work.store, asked)


def _batches(charts: Iterable[tuple[Person, list[Json]]]) -> Iterator[tuple[list[Person], list[Json]]]:
    people: list[Person] = []
    resources: list[Json] = []
    for person, chart in charts:
        people.append(person)
        resources += chart
        if len(resources) >= RESOURCES_A_BATCH:
            yield people, resources
            people, resources = [], []
    if people:
        yield people, resources
