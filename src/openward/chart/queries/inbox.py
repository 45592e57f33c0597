"""The inbox: open items of one practitioner and those that are everyone's, in the order they should be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.chart.codes import ANSWER_MESSAGE, OPEN_TASK, REVIEW_RESULT, TASK
from openward.chart.presenters.wording import code_in, who
from openward.chart.queries.patients import name_of, patients_by_id
from openward.fhir.resources import Composition, Patient, Task
from openward.fhir.store import Store
from openward.web.display import local, parse

MOST = 200


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One line of the inbox."""

    task: Task
    patient: Patient | None

    @property
    def id(self) -> str:
        return str(self.task.id)

    @property
    def kind(self) -> str:
        """`review-result`, `answer-message`, or another code of a task."""
        return code_in(self.task.code, TASK)

    @property
    def kind_in_words(self) -> str:
        return {REVIEW_RESULT: _("Result"), ANSWER_MESSAGE: _("Message")}.get(self.kind, _("Task"))

    @property
    def icon(self) -> str:
        return {REVIEW_RESULT: "flask-conical", ANSWER_MESSAGE: "message-square"}.get(self.kind, "list-todo")

    @property
    def title(self) -> str:
        return str(self.task.description or self.kind_in_words)

    @property
    def patient_name(self) -> str:
        return name_of(self.patient) if self.patient is not None else _("Patient not known")

    @property
    def patient_id(self) -> str:
        return str(self.patient.id) if self.patient is not None else ""

    @property
    def is_urgent(self) -> bool:
        return self.task.priority in ("stat", "asap", "urgent")

    @property
    def is_critical(self) -> bool:
        return bool(self.task.priority == "stat")

    @property
    def at(self) -> str:
        return str(self.task.lastModified or self.task.authoredOn or "")

    @property
    def is_of_today(self) -> bool:
        moment = parse(self.at)
        return hasattr(moment, "hour") and local(moment).date() == timezone.localdate()  # type: ignore[arg-type]

    @property
    def owner(self) -> str:
        return who(self.task.owner)

    @property
    def is_everyones(self) -> bool:
        return self.task.owner is None

    @property
    def focus(self) -> str:
        return str(self.task.focus.target_id) if self.task.focus is not None else ""


@dataclass(frozen=True, slots=True)
class UnsignedNote:
    """A draft and whose chart it belongs to: a title alone would be anybody's."""

    note: Composition
    patient: Patient | None

    @property
    def patient_name(self) -> str:
        return name_of(self.patient) if self.patient is not None else _("Patient not known")


@dataclass(frozen=True)
class Inbox:
    """The items with their counts."""

    items: Sequence[InboxItem]
    drafts: Sequence[UnsignedNote]

    def of(self, chosen: str) -> list[InboxItem]:
        """By filter: all, results, messages, tasks, today, everyone."""
        tests: dict[str, Any] = {
            "results": lambda item: item.kind == REVIEW_RESULT,
            "messages": lambda item: item.kind == ANSWER_MESSAGE,
            "tasks": lambda item: item.kind not in (REVIEW_RESULT, ANSWER_MESSAGE),
            "today": lambda item: item.kind == REVIEW_RESULT and item.is_of_today,
            "everyone": lambda item: item.is_everyones,
        }
        return [item for item in self.items if chosen not in tests or tests[chosen](item)]

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(self.of(name)) for name in ("all", "results", "messages", "tasks", "today", "everyone")}

    @property
    def critical(self) -> int:
        return sum(item.is_critical for item in self.items)


def read_inbox(store: Store, actor: Actor) -> Inbox:
    """The actor's open items, the unclaimed ones, and their unsigned notes. Critical first, then the oldest."""
    tasks = _open_tasks(store, actor.reference)
    notes = unsigned_notes(store, actor)
    patients = patients_by_id(
        store,
        [*(task.for_.target_id for task in tasks if task.for_ is not None), *(note.subject.target_id for note in notes if note.subject is not None)],
    )
    items = [InboxItem(task, patients.get(str(task.for_.target_id)) if task.for_ is not None else None) for task in tasks]
    drafts = [UnsignedNote(note, patients.get(str(note.subject.target_id)) if note.subject is not None else None) for note in notes]
    return Inbox(sorted(items, key=lambda item: (not item.is_critical, not item.is_urgent, item.at)), drafts)


def _open_tasks(store: Store, owner: str | None) -> list[Task]:
    open_now = {"status": ",".join(OPEN_TASK), "code": f"{TASK}|", "_count": MOST, "_sort": "-authored-on"}
    mine = store.search(Task, {**open_now, "owner": owner}).resources if owner and owner.startswith("Practitioner/") else []
    everyones = store.search(Task, {**open_now, "owner:missing": "true"}).resources
    return [*mine, *everyones]


def unsigned_notes(store: Store, actor: Actor) -> list[Composition]:
    """The actor's drafts, the latest first."""
    if not actor.reference:
        return []
    return store.search(Composition, {"status": "preliminary", "author": actor.reference, "_sort": "-date", "_count": 50}).resources


def item_count(store: Store, actor: Actor) -> int:
    """How many items wait for the actor: their own and those of everyone."""
    return len(_open_tasks(store, actor.reference))
