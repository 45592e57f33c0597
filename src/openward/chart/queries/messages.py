"""Conversations between patients and the practice: Communications, by thread. The portal reads the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from openward.chart.presenters.wording import concept, who
from openward.fhir.resources import Communication
from openward.fhir.store import Store


@dataclass(frozen=True, slots=True)
class Letter:
    """One message. `from_patient` is false for what the practice wrote."""

    resource: Any

    @property
    def text(self) -> str:
        return "\n".join(str(part.contentString) for part in self.resource.payload if part.contentString)

    @property
    def sent(self) -> str:
        return str(self.resource.sent or "")

    @property
    def sender(self) -> str:
        return who(self.resource.sender, "")

    @property
    def from_patient(self) -> bool:
        return bool(self.resource.sender is not None and self.resource.sender.type in ("Patient", "RelatedPerson"))


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, oldest message first. `id` is that of its first message."""

    id: str
    letters: Sequence[Letter]

    @property
    def topic(self) -> str:
        return concept(self.letters[0].resource.topic)

    @property
    def patient(self) -> str | None:
        subject = self.letters[0].resource.subject
        return subject.target_id if subject is not None else None

    @property
    def last(self) -> Letter:
        return self.letters[-1]

    @property
    def waits_for_answer(self) -> bool:
        """Whether the patient wrote last."""
        return self.last.from_patient


def root_of(message: Any) -> str:
    """The first message of the conversation this one belongs to."""
    return next((str(part.target_id) for part in message.partOf if part.type == "Communication" and part.target_id), str(message.id))


def thread(store: Store, root: str) -> Thread:
    """One conversation. Raises NotFound."""
    first = store.read(Communication, root)
    replies = store.search(Communication, {"part-of": f"Communication/{root}", "_sort": "sent", "_count": 200}).resources
    return _thread(root, [first, *replies])


def threads(store: Store, patient_id: str, *, count: int = 100) -> list[Thread]:
    """The conversations of one patient, the latest first."""
    found = store.search(Communication, {"patient": patient_id, "_sort": "-sent", "_count": count}).resources
    by_root: dict[str, list[Communication]] = {}
    for message in found:
        by_root.setdefault(root_of(message), []).append(message)
    made = [_thread(root, messages) for root, messages in by_root.items()]
    return sorted(made, key=lambda one: one.last.sent, reverse=True)


def _thread(root: str, messages: Iterable[Communication]) -> Thread:
    unique = {str(message.id): message for message in messages}
    ordered = sorted(unique.values(), key=lambda message: (str(message.id) != root, str(message.sent or "")))
    return Thread(root, [Letter(message) for message in ordered if message.status != "entered-in-error"] or [Letter(ordered[0])])
