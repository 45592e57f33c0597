"""Two records of one person: what a merge would move, merging, and taking a merge back. Every action is one unit of work in the name of `by`.

Who keeps registrations may not read the chart, and need not: the records move unread, by the house, which says on whose behalf.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.fhir.errors import Forbidden
from openward.fhir.operations.pair import TASK_CODE
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import Answer, Call, named
from openward.fhir.resources import Patient, Task
from openward.fhir.store import Store
from openward.record import unit_of_work

PURPOSE = "merging-records"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that stands: the task it is undone by, and the record that was taken up."""

    task: str
    source: Patient


def preview(*, by: Actor, source: str, target: str) -> list[tuple[str, int]]:
    """How many resources of each type would move from `source` to `target`. Raises Refused."""
    parts = _operate(by, "merge", [("source-patient", f"Patient/{source}"), ("target-patient", f"Patient/{target}"), ("preview", True)])
    moves = [{part["name"]: part for part in one["part"]} for one in parts if one["name"] == "moves"]
    return [(one["type"]["valueCode"], one["count"]["valueInteger"]) for one in moves]


def merge(*, by: Actor, source: str, target: str) -> str:
    """Make one record of two; gives the task by which it is undone. Raises Refused, and whatever a guard of the records moved raises."""
    parts = _operate(by, "merge", [("source-patient", f"Patient/{source}"), ("target-patient", f"Patient/{target}")])
    return next(str(one["resource"]["id"]) for one in parts if one["name"] == "task")


def undo(*, by: Actor, task: str) -> None:
    """Take the merge back. Raises Refused when it was undone already."""
    _operate(by, "undo-merge", [("task", f"Task/{task}")])


def merges(store: Store, patient: str) -> list[Merged]:
    """The records this one has taken up, the latest first; none for who may not see tasks."""
    if store.policy.where(store.actor, "search", "Task") is None:
        return []
    code = f"{TASK_CODE['system']}|{TASK_CODE['code']}"
    params = {"patient": f"Patient/{patient}", "code": code, "status": "completed", "_count": MOST_SHOWN}
    tasks = list(store.search(Task, params).resources)
    sources = {str(one.id): one for one in store.read_many([(Patient, task.focus.target_id) for task in tasks if task.focus])}
    found = [(str(task.id), sources.get(str(task.focus.target_id))) for task in tasks if task.focus]
    return [Merged(task, source) for task, source in found if isinstance(source, Patient)]


def _operate(by: Actor, name: str, given: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    if not by.may(Permission.MERGE_PATIENTS):
        raise Forbidden
    house = replace(Actor.system(PURPOSE, tenant=by.tenant, on_behalf_of=by), name=by.name, reference=by.reference)
    with unit_of_work(by=house) as work:
        answer = named(name, "type", "Patient")(Call(work.store, name, "Patient", None, Parameters(given)))
        resource = answer.resource if isinstance(answer, Answer) else answer
        parts: list[dict[str, Any]] = (resource or {})["parameter"]
        return parts
