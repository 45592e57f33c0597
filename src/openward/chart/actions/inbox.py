"""Working the inbox: reviewing and releasing results, handing items over, finishing them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from openward.access.actor import Actor
from openward.chart.actions.messages import tell_patient
from openward.chart.actions.writing import practitioner, signature
from openward.chart.codes import RELEASED, TAG
from openward.chart.errors import NoSuchPatient, ResultChanged
from openward.chart.presenters.results import is_released
from openward.chart.queries.results import focus_of, stamp_of, values_of
from openward.fhir.resources import Annotation, Coding, DiagnosticReport, Meta, Patient, Reference, Task
from openward.fhir.store import Store
from openward.fhir.work import UnitOfWork
from openward.record import unit_of_work
from openward.web.banner import MRN


def review_result(*, task: str, by: Actor, comment: str = "", release: bool = False, seen: str | None = None) -> Task:
    """The result was seen: the clinician's words go on the report, `release` shows it to the patient, and the item is done.

    `seen` is the stamp of what was on the screen (ResultUnderReview.seen); raises ResultChanged when that is no longer what is there.
    """
    with unit_of_work(by=by) as work:
        item = work.store.read(Task, task)
        focus = focus_of(work.store, item)
        values = values_of(work.store, focus, item)
        if seen is not None and seen != stamp_of(focus, values):
            raise ResultChanged
        _comment(focus, comment, by)
        for found in {str(one.id): one for one in (focus, *values)}.values():
            if release:
                _release(found)
            if release or found is focus:
                work.store.update(found)
        if release and item.for_ is not None:
            tell_patient(work, str(item.for_.target_id), "result-released", "A new result is ready in your portal.")
        return _finish(work, item, by)


def _comment(focus: Any, comment: str, by: Actor) -> None:
    if isinstance(focus, DiagnosticReport):
        if comment:
            focus.conclusion = comment
        reviewer = practitioner(by)
        if reviewer is not None:
            focus.resultsInterpreter = [reviewer]
    elif comment:
        focus.note.append(Annotation(text=comment, time=timezone.now()))


def _release(resource: Any) -> None:
    if is_released(resource):
        return
    if resource.meta is None:
        resource.meta = Meta()
    resource.meta.tag.append(Coding(system=TAG, code=RELEASED))


def _finish(work: UnitOfWork, item: Task, by: Actor) -> Task:
    item.status = "completed"
    item.lastModified = timezone.now()
    mine = practitioner(by)
    if item.owner is None and mine is not None:
        item.owner = mine
    return work.store.update(item)


def complete(*, task: str, by: Actor) -> Task:
    """The item is done without anything further."""
    with unit_of_work(by=by) as work:
        return _finish(work, work.store.read(Task, task), by)


def reopen(*, task: str, by: Actor) -> Task:
    """Take back that the item was done."""
    with unit_of_work(by=by) as work:
        item = work.store.read(Task, task)
        item.status, item.lastModified = "requested", timezone.now()
        return work.store.update(item)


def assign(*, task: str, to: str, name: str, by: Actor) -> Task:
    """Hand the item to another practitioner (`to` an id)."""
    with unit_of_work(by=by) as work:
        item = work.store.read(Task, task)
        item.owner = Reference(f"Practitioner/{to}", display=name)
        item.lastModified = timezone.now()
        return work.store.update(item)


def take_over(*, task: str, by: Actor) -> Task:
    """Make the item one's own."""
    with unit_of_work(by=by) as work:
        item = work.store.read(Task, task)
        item.owner = signature(by)
        item.lastModified = timezone.now()
        return work.store.update(item)


def match_result(*, task: str, number: str, by: Actor) -> Task:
    """Say whose result it is, by the medical record number, and take it over. Raises NoSuchPatient."""
    with unit_of_work(by=by) as work:
        item = work.store.read(Task, task)
        patient = _numbered(work.store, number)
        focus = focus_of(work.store, item)
        for resource in {str(one.id): one for one in (focus, *values_of(work.store, focus, item))}.values():
            if resource.subject is None or not resource.subject.target_id:
                resource.subject = Reference(f"Patient/{patient.id}")
                work.store.update(resource)
        item.for_ = Reference(f"Patient/{patient.id}")
        item.owner = practitioner(by) or item.owner
        return work.store.update(item)


def _numbered(store: Store, number: str) -> Patient:
    found = store.search(Patient, {"identifier": f"{MRN}|{number.strip()}", "_count": 1}).resources
    if not found:
        raise NoSuchPatient(number=number)
    return found[0]
