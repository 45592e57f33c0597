"""What a patient's pages read. The store is the patient's own: what is not theirs does not exist for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from openward.access.permissions import Permission
from openward.billing.queries import confidential
from openward.chart.presenters.lists import VisitRow
from openward.chart.presenters.wording import concept
from openward.chart.queries import messages
from openward.chart.queries.messages import Thread
from openward.chart.queries.portal import ReleasedResult, released_results
from openward.fhir.errors import NotFound
from openward.fhir.resources import Appointment, Composition, Condition, Encounter, Patient
from openward.fhir.store import Store
from openward.portal import confidences
from openward.portal.presenters import Coming

LIVE = ("booked", "arrived", "pending", "checked-in")


@dataclass(frozen=True)
class Overview:
    """What the portal's first page shows."""

    patient: Patient
    upcoming: Sequence[Coming]
    results: Sequence[ReleasedResult]
    threads: Sequence[Thread]
    balance: Decimal

    @property
    def answered(self) -> Sequence[Thread]:
        """Conversations in which the practice wrote last."""
        return [thread for thread in self.threads if not thread.waits_for_answer]


@dataclass(frozen=True)
class VisitPage:
    """One visit: what it was for, what was found, and the signed notes. `may_be_kept`: that there is no note says nothing of whether there is one."""

    row: VisitRow
    reason: str
    diagnoses: Sequence[str]
    notes: Sequence[Composition]
    addenda: Sequence[Composition]
    may_be_kept: bool


def own_id(store: Store) -> str:
    """The patient's own id. Raises NotFound for an actor who is no patient."""
    id: str | None = store.actor.reference_id
    if id is None:
        raise NotFound(type="Patient", id="")
    return id


def overview(store: Store) -> Overview:
    id = own_id(store)
    return Overview(store.read(Patient, id), upcoming(store), results(store, count=5)[:5], threads(store, count=50), _owed(store, id))


def _owed(store: Store, id: str) -> Decimal:
    """Nothing for a proxy whose leave does not cover bills."""
    return owed(store, id) if store.actor.may(Permission.PAY_BALANCE) else Decimal(0)


def owed(store: Store, id: str) -> Decimal:
    """What there is to pay, as far as who asks is shown it. Raises NotFound."""
    store.read(Patient, id)
    return confidential.balance(store.tenant, id, confidential.hides_from(store.actor, id))


def upcoming(store: Store, now: dt.datetime | None = None) -> list[Coming]:
    """Booked appointments that have not ended, the next first."""
    since = (now or timezone.now()).astimezone(dt.UTC)
    asked = {"patient": own_id(store), "date": f"ge{since:%Y-%m-%d}", "_sort": "date", "_count": 50, "_include": "Appointment:location"}
    page = store.search(Appointment, asked)
    places = {str(place.id): place for place in page.included}
    found = [Coming.of(booked, places) for booked in page.resources if booked.status in LIVE]
    return [coming for coming in found if coming.end >= since]


def coming(store: Store, id: str) -> Coming:
    """One booked appointment of the patient's. Raises NotFound."""
    page = store.search(Appointment, {"_id": id, "patient": own_id(store), "_include": "Appointment:location"})
    if not page.resources:
        raise NotFound(type="Appointment", id=id)
    return Coming.of(page.resources[0], {str(place.id): place for place in page.included})


def visits(store: Store, cursor: str | None = None) -> tuple[list[VisitRow], str | None]:
    """One page of past and present visits, the latest first, and the cursor of the next."""
    asked: dict[str, Any] = {"patient": own_id(store), "_sort": "-date", "_count": 20}
    page = store.search(Encounter, asked | ({"_cursor": cursor} if cursor else {}))
    return [VisitRow(visit) for visit in page.resources], page.next


def visit(store: Store, id: str) -> VisitPage:
    """Raises NotFound, also for someone else's. Who looks after a young person is given no reason in words, and no note that tells what is theirs to keep."""
    found = store.read(Encounter, id)
    young = confidences.keeps(store)
    kept = young and confidences.is_kept(store, found)
    asked = {"patient": own_id(store), "encounter": f"Encounter/{id}"}
    notes = [] if kept else store.search(Composition, {**asked, "_sort": "date", "_count": 20}).resources
    diagnoses = store.search(Condition, {**asked, "_count": 20}).resources
    named = list(dict.fromkeys(concept(one.code) for one in diagnoses))
    row = VisitRow(found)
    first, later = [note for note in notes if not note.relatesTo], [note for note in notes if note.relatesTo]
    return VisitPage(row, "" if young else row.reason, named, first, later, may_be_kept=young)


def results(store: Store, *, count: int = 50) -> list[ReleasedResult]:
    """What was released, newest first."""
    return confidences.open_results(store, released_results(store, own_id(store), count=count))


def result(store: Store, id: str) -> ReleasedResult:
    """Raises NotFound, also for what is not released."""
    found = next((one for one in results(store, count=200) if one.id == id), None)
    if found is None:
        raise NotFound(type="DiagnosticReport", id=id)
    return found


def threads(store: Store, *, count: int = 100) -> list[Thread]:
    """Conversations with the practice, the latest first."""
    return confidences.open_threads(store, messages.threads(store, own_id(store), count=count))


def thread(store: Store, id: str) -> Thread:
    """One conversation, by the id of its first message and of no other. Raises NotFound."""
    found = confidences.open_threads(store, [messages.thread(store, id)])
    if not found or messages.root_of(found[0].letters[0].resource) != id:
        raise NotFound(type="Communication", id=id)
    return found[0]
