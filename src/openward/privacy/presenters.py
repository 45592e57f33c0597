"""The trail in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

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
        role = ROLES.get(self.event.actor_role or "")
        return role.title if role else {"client": _("Program"), "system": _("Openward itself")}.get(self.event.actor.split(":")[0], "")

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


def lines(events: Sequence[Entry], patient_names: Mapping[UUID, str]) -> list[Line]:
    return [Line(event, patient_names) for event in events]
