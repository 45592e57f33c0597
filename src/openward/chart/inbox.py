"""How results and messages become inbox items (Tasks), inside the transaction that stores them: a result that is stored is never lost.

An item's id is made from what it is about (the order, the report, the conversation), so that a second report of one order, a correction or
another message opens the same item again instead of adding one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone

from openward.access.actor import Actor
from openward.chart.codes import ANSWER_MESSAGE, CRITICAL, INTERPRETATION, OPEN_TASK, ORDER, REVIEW_RESULT, TAKEN_BACK, TASK
from openward.chart.errors import ResultOfAnother
from openward.chart.presenters.results import Person, ResultRow
from openward.chart.presenters.wording import code_in, concept, date_of, who
from openward.fhir.guards import Change
from openward.fhir.resources import CodeableConcept, Coding, DiagnosticReport, Observation, Patient, Reference, ServiceRequest, Task
from openward.fhir.store import Store
from openward.fhir.work import UnitOfWork
from openward.web.display import parse

NEWS = dt.timedelta(days=45)
UNMATCHED_TOPIC = "inbox-unmatched"
REPORTED = ("final", "preliminary", "partial", "amended", "corrected", "appended")
UNREAD = ("meta", "text", "identifier", "subject", "encounter", "basedOn", "issued", "note", "conclusion", "resultsInterpreter")
"""What may differ between two sendings of one result without there being anything new to read."""


def file_result(change: Change, work: UnitOfWork) -> None:
    """Make or reopen the review item of a result that came in from outside. History that is brought in is not news.

    Raises ResultOfAnother when the result is about another patient than its order.
    """
    result = change.resource
    if work.actor.kind != "client" or not _is_reported(change):
        return
    if result.resourceType == "Observation" and not result.data.get("basedOn"):
        _tell_of_a_value(change, work)
        return
    if not _is_news(change):
        return
    store = _house(work)
    order = _order_of(store, result)
    if order is None and result.resourceType == "Observation":
        _tell_of_a_value(change, work)
        return
    if order is not None:
        _attach(store, result, order)
        _move_order(store, order, result)
    _file(store, work, result, change.id, order)


def _is_reported(change: Change) -> bool:
    """Whether there is something to read; that what was reported is taken back is, too."""
    was = change.before is not None and change.before.status in REPORTED
    return change.resource.status in REPORTED or (was and change.resource.status in TAKEN_BACK)


def _tell_of_a_value(change: Change, work: UnitOfWork) -> None:
    """A value without an order is read with the report that names it, which is filed. Its item opens again when the value alone was corrected,
    or is critical and came after the report: what is not is told by the report, and costs nothing here."""
    if not _is_news(change) or (change.before is None and not _is_critical([change.resource], None)):
        return
    store = _house(work)
    for report in store.search(DiagnosticReport, {"result": f"Observation/{change.id}", "_count": 5}).resources:
        _file(store, work, report, str(report.id), _order_of(store, report), change.resource)


def _file(store: Store, work: UnitOfWork, result: Any, id: str, order: ServiceRequest | None, value: Any = None) -> None:
    about = order.id if order is not None else id
    _open_item(store, work, task_id(work.tenant, REVIEW_RESULT, str(about)), _review(store, result, id, order, value))


def _is_news(change: Change) -> bool:
    """New, or saying other than it said; and about the last weeks."""
    if change.before is not None and not _says_more(change.before, change.resource):
        return False
    moment = parse(change.resource.data.get("issued") or date_of(change.resource))
    if moment is None:
        return True
    day = moment.date() if isinstance(moment, dt.datetime) else moment
    return timezone.localdate() - day <= NEWS


def _says_more(before: Any, after: Any) -> bool:
    """A second correction has the status of the first, and a culture stays preliminary while it grows: what is read decides, not the status alone.

    What the reviewer here put on the result (words, their name) is not in what the laboratory sends again: that is no news.
    """
    if _read(before) != _read(after):
        return True
    added = [note for note in after.data.get("note", ()) if note not in before.data.get("note", ())]
    return bool(added) or after.data.get("conclusion", before.data.get("conclusion")) != before.data.get("conclusion")


def _read(result: Any) -> dict[str, Any]:
    return {name: value for name, value in result.data.items() if name not in UNREAD}


def _order_of(store: Store, result: Any) -> ServiceRequest | None:
    """The order a result is based on, by reference or by its order number."""
    for reference in result.basedOn:
        if reference.target_id and reference.type in (None, "ServiceRequest"):
            return store.find(ServiceRequest, reference.target_id)
        number = reference.identifier.value if reference.identifier is not None else None
        if number:
            found = store.search(ServiceRequest, {"identifier": f"{ORDER}|{number}", "_count": 1}).resources
            if found:
                return found[0]
    return None


def _attach(store: Store, result: Any, order: ServiceRequest) -> None:
    """Say by reference what was said by number: the order, and whose result it is. Raises ResultOfAnother."""
    _same_patient(store, result, order)
    literal = f"ServiceRequest/{order.id}"
    if not any(reference.data.get("reference") == literal for reference in result.basedOn):
        numbers = [reference for reference in result.basedOn if reference.target_id is None and reference.identifier is not None]
        if numbers:
            numbers[0].data["reference"] = literal
    if result.subject is None or not result.subject.data.get("reference"):
        result.subject = order.subject
    if result.encounter is None and order.encounter is not None:
        result.encounter = order.encounter


def _same_patient(store: Store, result: Any, order: ServiceRequest) -> None:
    """A result goes into one chart. Whose record was merged since the order was placed is the person of the order."""
    whose, ordered = result.subject, order.subject
    if whose is None or ordered is None or whose.target_id in (None, ordered.target_id):
        return
    person = store.find(Patient, whose.target_id) if whose.type in (None, "Patient") else None
    if person is None or not any(link.type == "replaced-by" and link.other.target_id == ordered.target_id for link in person.link if link.other):
        raise ResultOfAnother
    result.subject = ordered


def _move_order(store: Store, order: ServiceRequest, result: Any) -> None:
    """A final report completes its order."""
    if result.resourceType == "DiagnosticReport" and result.status in ("final", "corrected", "amended", "appended") and order.status == "active":
        order.status = "completed"
        store.update(order)


def _review(store: Store, result: Any, id: str, order: ServiceRequest | None, value: Any) -> Task:
    """The item. `value` is one of the report's that is being written just now."""
    subject = result.subject or (order.subject if order is not None else None)
    task = Task(
        status="requested",
        intent="order",
        priority="stat" if _is_critical(_values(store, result, value), _person(store, subject)) else "routine",
        code=CodeableConcept(coding=[Coding(system=TASK, code=REVIEW_RESULT)]),
        description=concept(order.code if order is not None else result.code),
        focus=Reference(f"{result.resourceType}/{id}", display=concept(result.code)),
        authoredOn=timezone.now(),
        lastModified=timezone.now(),
    )
    if subject is not None and subject.data.get("reference"):
        task.for_ = subject
    if order is not None:
        task.basedOn = [Reference(f"ServiceRequest/{order.id}")]
        task.encounter = order.encounter
        if order.requester is not None and order.requester.type == "Practitioner":
            task.owner = order.requester
    return task


def _values(store: Store, result: Any, value: Any) -> list[Any]:
    """What is measured in the result: itself, or the values its report names."""
    if result.resourceType != "DiagnosticReport":
        return [result]
    given = [value] if value is not None else []
    named = [(Observation, one.target_id) for one in result.result if one.target_id and (value is None or one.target_id != value.id)]
    return given + [one for one in store.read_many(named) if isinstance(one, Observation)]


def _person(store: Store, subject: Any) -> Person | None:
    patient = store.find(Patient, subject.target_id) if subject is not None and subject.type == "Patient" and subject.target_id else None
    return Person(patient.gender, patient.birthDate) if patient is not None else None


def _is_critical(values: Iterable[Any], person: Person | None) -> bool:
    """Whether the laboratory says so of one of the values or of a part of it, or the catalog's limits do where it says nothing."""
    return any(_says_critical(one) or ResultRow(one, person or Person(None, None)).is_critical for one in values if one.status not in TAKEN_BACK)


def _says_critical(value: Any) -> bool:
    parts = [*value.interpretation, *(one for part in value.component for one in part.interpretation)]
    return any(code_in(one, INTERPRETATION) in CRITICAL for one in parts)


def file_message(change: Change, message: Any, work: UnitOfWork) -> None:
    """Make or reopen the item of a conversation when the patient has written."""
    sender = message.sender
    if sender is None or sender.type not in ("Patient", "RelatedPerson") or message.status not in ("completed", "in-progress"):
        return
    if work.actor.kind == "system":
        return  # history that is brought in
    root = next((part.target_id for part in message.partOf if part.target_id and part.type == "Communication"), None) or change.id
    task = Task(
        status="requested",
        intent="order",
        priority="routine",
        code=CodeableConcept(coding=[Coding(system=TASK, code=ANSWER_MESSAGE)]),
        description=concept(message.topic) or "Message",
        focus=Reference(f"Communication/{root}"),
        authoredOn=timezone.now(),
        lastModified=timezone.now(),
        requester=Reference(str(sender.data["reference"]), display=who(sender)) if sender.display else Reference(str(sender.data["reference"])),
    )
    task.for_ = message.subject or sender
    owner = next((one for one in message.recipient if one.type == "Practitioner"), None)
    if owner is not None:
        task.owner = owner
    _open_item(_house(work), work, task_id(work.tenant, ANSWER_MESSAGE, str(root)), task)


def _open_item(store: Store, work: UnitOfWork, id: str, task: Task) -> None:
    """Create the item, or open it again; an owner it already has is kept, an urgency it already has is not lowered."""
    task.data["id"] = id
    standing = next((one for one in store.read_many([(Task, id)]) if isinstance(one, Task)), None)
    if standing is not None:
        if task.focus is not None and task.focus.type == "Observation":
            task.focus = standing.focus  # the report that names this value is, or will be, the focus
        if standing.owner is not None:
            task.owner = standing.owner
        if standing.status in OPEN_TASK and standing.priority == "stat":
            task.priority = "stat"
    store.update(task)


def task_id(tenant: int, code: str, about: str) -> str:
    """The id of the item about something: the same for every report of one order and every message of one conversation."""
    return str(uuid5(NAMESPACE_URL, f"urn:openward:task/{tenant}/{code}/{about}"))


def owner_of(task: Any) -> str | None:
    """The practitioner whose item this is; None for everyone's."""
    return task.owner.target_id if task.owner is not None else None


def topic(practitioner: str | None) -> str:
    """The live topic of one practitioner's inbox, or of the shared worklist."""
    return f"inbox:{practitioner}" if practitioner else UNMATCHED_TOPIC


def tell(task: Any, work: UnitOfWork) -> None:
    work.notify(topic(owner_of(task)))


def _house(work: UnitOfWork) -> Store:
    """The same transaction in the name of the house: a laboratory may send results, not read orders or write tasks.

    References are not checked here: what an item points at is written by the transaction around it.
    """
    store, actor = work.store, Actor.system("file results and messages", tenant=work.tenant, on_behalf_of=work.actor)
    work.store.flush()
    return Store(
        store.connection,
        store.tenant,
        actor,
        policy=store.policy,
        auditor=store.auditor,
        transaction=store.transaction,
        guards=store.guards,
        strict_references=False,
    )
