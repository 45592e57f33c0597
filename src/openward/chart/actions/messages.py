"""Messages between patients and the practice. The portal and the inbox use the same function."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.chart.actions.writing import must_exist, patient_reference, signature, without_empty
from openward.chart.codes import ANSWER_MESSAGE, OPEN_TASK
from openward.chart.errors import NothingToSend
from openward.chart.inbox import task_id
from openward.fhir.errors import NotFound
from openward.fhir.resources import CodeableConcept, Communication, CommunicationPayload, Patient, Reference, Task
from openward.fhir.work import UnitOfWork
from openward.outbox.actions import send
from openward.record import unit_of_work

LONGEST = 10_000


def send_message(*, patient: str, text: str, by: Actor, topic: str = "", thread: str | None = None, to: str | None = None) -> Communication:
    """Write to the practice (as the patient) or to the patient (as staff).

    `thread` is the id of the conversation's first message, none begins one; `to` the practitioner it is for, none for whoever answers.
    What staff write completes the inbox item; what the patient writes opens it (guard). Raises NothingToSend, NotFound.
    """
    if not text.strip():
        raise NothingToSend
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        first = _first(work, thread, patient)
        from_patient = by.kind == "patient"
        recipient = _recipient(patient, from_patient, to, first)
        made = work.store.create(
            Communication(
                **without_empty(
                    status="completed",
                    subject=patient_reference(patient),
                    topic=first.topic if first is not None else CodeableConcept(text=topic or _("Message")),
                    sender=signature(by),
                    recipient=[recipient] if recipient else [],
                    sent=timezone.now(),
                    payload=[CommunicationPayload(contentString=text.strip()[:LONGEST])],
                    partOf=[Reference(f"Communication/{first.id}")] if first is not None else [],
                    inResponseTo=[Reference(f"Communication/{first.id}")] if first is not None else [],
                )
            )
        )
        if not from_patient:
            _answered(work, str(first.id if first is not None else made.id), by)
            tell_patient(work, patient, "message-received", _("You have a new message from the practice. Sign in to your portal to read it."))
        work.notify(f"messages:{patient}")
        return made


def _first(work: UnitOfWork, thread: str | None, patient: str) -> Communication | None:
    """The message that began the conversation; a conversation of another patient does not exist here."""
    if thread is None:
        return None
    first = work.store.read(Communication, thread)
    if first.subject is None or first.subject.target_id != patient:
        raise NotFound(type="Communication", id=thread)
    return first


def _recipient(patient: str, from_patient: bool, to: str | None, first: Communication | None) -> Reference | None:
    if not from_patient:
        return patient_reference(patient)
    if to:
        return Reference(f"Practitioner/{to}")
    known = first.recipient if first is not None else []
    return next((Reference(str(one.data["reference"])) for one in known if one.type == "Practitioner"), None)


def _answered(work: UnitOfWork, root: str, by: Actor) -> None:
    item = work.store.find(Task, task_id(work.tenant, ANSWER_MESSAGE, root))
    if item is not None and item.status in OPEN_TASK:
        item.status = "completed"
        item.lastModified = timezone.now()
        if item.owner is None:
            item.owner = signature(by)
        work.store.update(item)


def close_thread(*, thread: str, by: Actor) -> None:
    """The conversation needs no (further) answer."""
    with unit_of_work(by=by) as work:
        _answered(work, thread, by)


def tell_patient(work: UnitOfWork, patient: str, kind: str, body: str) -> None:
    """A word that something is waiting in the portal, to the address the patient gave; nothing clinical leaves the house."""
    person = work.store.find(Patient, patient)
    if person is None:
        return
    for channel, system in (("email", "email"), ("sms", "phone")):
        address = next((str(point.value) for point in person.telecom if point.system == system and point.value), "")
        if address:
            send(work, to=address, kind=kind, channel=channel, subject_ref=f"Patient/{patient}", body=body)  # type: ignore[arg-type]
            return
