"""Results under review: the report, its values, the values before, and what was ordered but has not come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils import timezone

from openward.chart.codes import CATEGORY, LABORATORY, TAKEN_BACK
from openward.chart.presenters.results import Person, ResultGroup, ResultRow, grouped
from openward.chart.presenters.wording import concept, date_of
from openward.chart.queries.patients import name_of
from openward.fhir.errors import NotFound
from openward.fhir.resources import DiagnosticReport, Observation, Patient, ServiceRequest, Task
from openward.fhir.store import Store
from openward.web.display import parse

OVERDUE_AFTER = dt.timedelta(days=7)
URGENT_OVERDUE_AFTER = dt.timedelta(days=1)


@dataclass(frozen=True)
class ResultUnderReview:
    """One inbox item with all that is needed to judge it."""

    task: Task
    focus: Any
    patient: Patient | None
    groups: Sequence[ResultGroup]
    order: ServiceRequest | None
    seen: str = ""
    taken_back: Sequence[ResultRow] = ()

    @property
    def name(self) -> str:
        return concept(self.focus.code)

    @property
    def is_report(self) -> bool:
        return isinstance(self.focus, DiagnosticReport)

    @property
    def status(self) -> str:
        return str(self.focus.status or "")

    @property
    def conclusion(self) -> str:
        return str(getattr(self.focus, "conclusion", "") or "")

    @property
    def at(self) -> str:
        return str(self.focus.data.get("issued") or date_of(self.focus))

    @property
    def worst_first(self) -> list[ResultGroup]:
        weight = {"HH": 0, "LL": 0, "AA": 0, "H": 1, "L": 1, "A": 1}
        return sorted(self.groups, key=lambda group: weight.get(group.latest.mark, 2))

    @property
    def charted(self) -> list[ResultGroup]:
        """What is worth a chart on the page: abnormal and measured before. One value alone is charted whatever it is."""
        several = [group for group in self.worst_first if len(group.history) > 1]
        return several if len(self.groups) == 1 else [group for group in several if group.latest.mark][:4]


def stamp_of(focus: Any, values: Sequence[Any]) -> str:
    """The versions of what is on the screen, for its form to bring back: short, and saying nothing of whose they are."""
    read = sorted({f"{one.resourceType}/{one.id}/{one.meta.versionId if one.meta is not None else ''}" for one in (focus, *values)})
    return sha256("\n".join(read).encode()).hexdigest()[:32]


def values_of(store: Store, focus: Any, task: Task) -> list[Observation]:
    """The values of the result: those the report names, else those that came for the order."""
    if isinstance(focus, DiagnosticReport):
        named = [(Observation, reference.target_id) for reference in focus.result if reference.target_id]
        found = [one for one in store.read_many(named) if isinstance(one, Observation)]
        members = [(Observation, member.target_id) for one in found for member in one.hasMember if member.target_id]
        return found + [one for one in store.read_many(members) if isinstance(one, Observation)]
    order = next((reference.target_id for reference in task.basedOn if reference.target_id), None)
    if order:
        return store.search(Observation, {"based-on": f"ServiceRequest/{order}", "_count": 100}).resources
    return [focus] if isinstance(focus, Observation) else []


def focus_of(store: Store, task: Task) -> Any:
    """What the item is about. Raises NotFound."""
    if task.focus is None or not task.focus.type or not task.focus.target_id:
        raise NotFound(type="Task", id=task.id)
    return store.read(task.focus.type, task.focus.target_id)


def under_review(store: Store, task_id: str) -> ResultUnderReview:
    """Raises NotFound."""
    task = store.read(Task, task_id)
    focus = focus_of(store, task)
    values = values_of(store, focus, task)
    patient = store.find(Patient, str(task.for_.target_id)) if task.for_ is not None and task.for_.target_id else None
    order = next((store.find(ServiceRequest, reference.target_id) for reference in task.basedOn if reference.target_id), None)
    gone = [ResultRow(one, Person(None, None)) for one in values if one.status in TAKEN_BACK]
    return ResultUnderReview(task, focus, patient, _with_history(store, values, patient), order, stamp_of(focus, values), gone)


def _with_history(store: Store, values: Sequence[Observation], patient: Patient | None) -> list[ResultGroup]:
    """Each value with those of the same test before it, the reviewed one first."""
    person = Person(patient.gender, patient.birthDate) if patient is not None else Person(None, None)
    measured = [one for one in values if not one.hasMember]
    if patient is None or not measured:
        return grouped(measured, person)
    codes = {coding.code for one in measured for coding in one.code.coding if coding.code}
    earlier: list[Observation] = []
    if codes:
        asked = {
            "patient": str(patient.id),
            "category": f"{CATEGORY}|{LABORATORY}",
            "code": ",".join(sorted(str(code) for code in codes)),
            "_sort": "-date",
            "_count": 200,
        }
        earlier = store.search(Observation, asked).resources
    ids = {str(one.id) for one in measured}
    groups = grouped([*measured, *(one for one in earlier if str(one.id) not in ids)], person)
    return [ResultGroup(sorted(group.rows, key=lambda row: row.id not in ids)) for group in groups if any(row.id in ids for row in group.rows)]


@dataclass(frozen=True, slots=True)
class OverdueOrder:
    """An order whose result has not come in the time it should."""

    order: ServiceRequest
    patient: Patient | None

    @property
    def patient_name(self) -> str:
        return name_of(self.patient) if self.patient is not None else ""

    @property
    def days(self) -> int:
        moment = parse(str(self.order.authoredOn or ""))
        day = moment.date() if isinstance(moment, dt.datetime) else moment
        return (timezone.localdate() - day).days if day is not None else 0


def overdue_orders(store: Store, practitioner: str | None = None, *, count: int = 100) -> list[OverdueOrder]:
    """Active laboratory orders past their time, the longest waiting first; of one practitioner, or of everyone."""
    now = timezone.now()
    asked: dict[str, Any] = {
        "status": "active",
        "category": LABORATORY,
        "authored": f"lt{(now - URGENT_OVERDUE_AFTER).date().isoformat()}",
        "_sort": "authored",
        "_count": count,
    }
    if practitioner:
        asked["requester"] = f"Practitioner/{practitioner}"
    late = [one for one in store.search(ServiceRequest, asked).resources if _is_late(one, now)]
    people = store.read_many((Patient, one.subject.target_id) for one in late if one.subject is not None and one.subject.target_id)
    by_id = {str(one.id): one for one in people if isinstance(one, Patient)}
    return [OverdueOrder(one, by_id.get(str(one.subject.target_id))) for one in late]


def _is_late(order: ServiceRequest, now: dt.datetime) -> bool:
    moment = parse(str(order.authoredOn or ""))
    if not isinstance(moment, dt.datetime):
        return True
    return now - moment > (URGENT_OVERDUE_AFTER if order.priority in ("urgent", "asap", "stat") else OVERDUE_AFTER)
