"""What the store checks and does for notes, results, prescriptions, orders, tasks and messages, whoever writes them."""

from __future__ import annotations

from typing import Any

from openward.chart import inbox
from openward.chart.codes import LABORATORY, ORDER
from openward.chart.errors import NoteIsSigned, NotSigner, ResultIsFinal
from openward.chart.presenters.wording import has_code
from openward.chart.transitions import COMPOSITION, MEDICATION_REQUEST, OBSERVATION, REPORT, SERVICE_REQUEST, TASK
from openward.fhir.guards import Change, guard
from openward.fhir.ids import new_id
from openward.fhir.moving import is_under_way
from openward.fhir.resources import Communication, Composition, Identifier, MedicationRequest, Observation, ServiceRequest, Task
from openward.fhir.work import UnitOfWork

SIGNED = ("final", "amended")
SETTLED = ("final", "amended", "corrected", "appended")
ADMINISTRATIVE = ("meta", "status", "note", "interpretation", "conclusion", "resultsInterpreter", "text")
"""What may change on a settled result without it being another result: its tags, and what the reviewer says about it."""
ATTACHED = ("subject", "encounter", "basedOn")


@guard("Composition", on=("create", "update", "delete"))
def keep_signed_notes(change: Change, work: UnitOfWork) -> None:
    """A signed note never changes and is never deleted, by anyone: what comes later is an addendum. Only a person who may sign signs; raises NoteIsSigned."""
    note: Composition = change.resource
    if change.before is not None and change.before.status in SIGNED:
        if change.interaction == "update" and (is_under_way() or _content(note) == _content(change.before)):
            return
        raise NoteIsSigned
    if change.interaction == "delete":
        return
    COMPOSITION.check(change.before.status if change.before else None, note.status)
    if note.status in SIGNED and not _may_sign(work):
        raise NotSigner


def _content(resource: Any) -> dict[str, Any]:
    """The resource without what the server itself keeps."""
    meta = {name: value for name, value in resource.data.get("meta", {}).items() if name not in ("versionId", "lastUpdated", "tag", "security")}
    return {**{name: value for name, value in resource.data.items() if name != "meta"}, **({"meta": meta} if meta else {})}


def _may_sign(work: UnitOfWork) -> bool:
    """Staff need the permission; clients and system purposes bring notes signed elsewhere."""
    from openward.access.permissions import Permission

    return bool(work.actor.kind != "staff" or work.actor.may(Permission.SIGN_NOTES))


@guard("Observation", on=("create", "update", "delete"), is_quiet=True)
def keep_final_results(change: Change, work: UnitOfWork) -> None:
    """A final observation changes only as amended, corrected or entered in error; a laboratory result lands in the inbox of who ordered it. Raises ResultIsFinal."""
    observation: Observation = change.resource
    if change.interaction == "delete":
        if change.before is not None and change.before.status in SETTLED:
            raise ResultIsFinal
        return
    if is_under_way():
        return
    if change.before is not None:
        OBSERVATION.check(change.before.status, observation.status)
        _refuse_silent_change(change)
    if has_code(observation.category, LABORATORY):
        inbox.file_result(change, work)


@guard("DiagnosticReport", on=("create", "update"))
def file_the_report(change: Change, work: UnitOfWork) -> None:
    """A report lands in the inbox of who ordered it, a corrected one lands there again, one nobody ordered goes to the unmatched worklist."""
    if is_under_way():
        return
    if change.before is not None:
        REPORT.check(change.before.status, change.resource.status)
        _refuse_silent_change(change)
    inbox.file_result(change, work)


def _refuse_silent_change(change: Change) -> None:
    """The content of a settled result may change only together with a status that says so."""
    before, after = change.before, change.resource
    if before is None or before.status not in SETTLED or after.status in ("entered-in-error", "cancelled"):
        return
    said_so = after.status in ("amended", "corrected", "appended")
    if not said_so and _measured(before) != _measured(after, before):
        raise ResultIsFinal


def _measured(resource: Any, before: Any | None = None) -> dict[str, Any]:
    """What the result says. Whose it is and which order it answers may be filled in later, where the laboratory did not say."""
    filled_in = [name for name in ATTACHED if before is not None and name not in before.data]
    return {name: value for name, value in resource.data.items() if name not in (*ADMINISTRATIVE, *filled_in)}


@guard("MedicationRequest", is_quiet=True)
def step_prescriptions(change: Change, work: UnitOfWork) -> None:
    """A prescription moves by the declared transitions."""
    prescription: MedicationRequest = change.resource
    MEDICATION_REQUEST.check(change.before.status if change.before else None, prescription.status)


@guard("ServiceRequest", is_quiet=True)
def step_orders(change: Change, work: UnitOfWork) -> None:
    """An order moves by the declared transitions, and gets an order number when it becomes active."""
    order: ServiceRequest = change.resource
    SERVICE_REQUEST.check(change.before.status if change.before else None, order.status)
    if order.intent == "order" and order.status == "active" and not any(one.system == ORDER for one in order.identifier):
        order.identifier.append(Identifier(system=ORDER, value=f"LAB-{new_id().replace('-', '')[-10:].upper()}"))


@guard("Task")
def step_tasks(change: Change, work: UnitOfWork) -> None:
    """A task moves by the declared transitions, and open inboxes of its owner are told."""
    task: Task = change.resource
    TASK.check(change.before.status if change.before else None, task.status)
    inbox.tell(task, work)
    if change.before is not None and inbox.owner_of(change.before) != inbox.owner_of(task):
        inbox.tell(change.before, work)


@guard("Communication")
def file_the_message(change: Change, work: UnitOfWork) -> None:
    """A patient's message lands in the inbox of whom it is for, or of everyone who answers messages."""
    message: Communication = change.resource
    if change.before is None:
        inbox.file_message(change, message, work)
