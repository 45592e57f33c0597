"""The trail in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.roles import ROLES
from openward.audit.events.resource import Entry
from openward.fhir.definitions import type_name
from openward.privacy.words import OUTCOMES, detail_words, type_words, verb_words


@dataclass(frozen=True)
class Line:
    """One event as a sentence in columns."""

    event: Entry
    patient_names: Mapping[UUID, str]

    @property
    def role(self) -> str:
        return role_words(self.event.actor, self.event.actor_role)

    @property
    def did(self) -> str:
        verb = verb_words(self.event.interaction)
        what = type_words(type_name(self.event.rtype)) if self.event.rtype is not None else ""
        return f"{verb} {what}".strip()

    @property
    def outcome(self) -> str:
        return str(OUTCOMES.get(self.event.outcome, ""))

    @property
    def detail(self) -> str:
        return detail_words(self.event.detail, self.event.outcome)

    @property
    def patients(self) -> str:
        names = [self.patient_names.get(key, _("a patient")) for key in self.event.whose[:3]]
        more = len(self.event.whose) - 3
        return ", ".join(names) + (_(" and {n} more").format(n=more) if more > 0 else "")


def role_words(actor: str, role: str | None) -> str:
    """What somebody was when they did it; of a role made here its key, since it may be gone by now."""
    if role in ROLES:
        return str(ROLES[role].title)
    return str({"client": _("Program"), "system": _("Openward itself")}.get(actor.split(":")[0]) or OTHERS.get(role or "") or role or "")


OTHERS = {"patient": gettext_lazy("Patient"), "proxy": gettext_lazy("Looks after the patient")}


def lines(events: Sequence[Entry], patient_names: Mapping[UUID, str]) -> list[Line]:
    return [Line(event, patient_names) for event in events]
