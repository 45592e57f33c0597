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

VERBS = {
    "read": gettext_lazy("opened"),
    "vread": gettext_lazy("opened an earlier version of"),
    "history": gettext_lazy("looked through the versions of"),
    "search": gettext_lazy("looked through"),
    "create": gettext_lazy("wrote"),
    "update": gettext_lazy("changed"),
    "delete": gettext_lazy("deleted"),
    "export": gettext_lazy("exported"),
    "sign-in": gettext_lazy("signed in"),
    "sign-out": gettext_lazy("signed out"),
    "change-password": gettext_lazy("changed their password"),
    "audit-review": gettext_lazy("looked through this trail"),
    "print": gettext_lazy("printed"),
    "disclosure": gettext_lazy("gave out from"),
    "record-consent": gettext_lazy("recorded a consent:"),
    "withdraw-consent": gettext_lazy("withdrew a consent:"),
    "relabel": gettext_lazy("changed the labels of"),
    "break-glass": gettext_lazy("took emergency access to"),
    "break-glass-end": gettext_lazy("ended emergency access to"),
    "break-glass-review": gettext_lazy("reviewed emergency access to"),
}
OUTCOMES = {0: "", 4: gettext_lazy("refused"), 8: gettext_lazy("failed"), 12: gettext_lazy("failed badly")}


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
        verb = VERBS.get(self.event.interaction, self.event.interaction)
        what = type_name(self.event.rtype) if self.event.rtype is not None else ""
        return f"{verb} {what}".strip()

    @property
    def outcome(self) -> str:
        return str(OUTCOMES.get(self.event.outcome, ""))

    @property
    def patients(self) -> str:
        names = [self.patient_names.get(key, _("a patient")) for key in self.event.whose[:3]]
        more = len(self.event.whose) - 3
        return ", ".join(names) + (_(" and {n} more").format(n=more) if more > 0 else "")


def type_words(type: str) -> str:
    """A resource type as people call it."""
    return str(TYPES.get(type, type))


TYPES = {
    "Patient": gettext_lazy("name and contact details"),
    "Observation": gettext_lazy("results and vital signs"),
    "DiagnosticReport": gettext_lazy("reports"),
    "Condition": gettext_lazy("problems and diagnoses"),
    "AllergyIntolerance": gettext_lazy("allergies"),
    "MedicationRequest": gettext_lazy("prescriptions"),
    "MedicationStatement": gettext_lazy("medications"),
    "Immunization": gettext_lazy("immunizations"),
    "Procedure": gettext_lazy("procedures"),
    "Encounter": gettext_lazy("visits"),
    "Appointment": gettext_lazy("appointments"),
    "Composition": gettext_lazy("notes"),
    "DocumentReference": gettext_lazy("documents"),
    "Communication": gettext_lazy("messages"),
    "Coverage": gettext_lazy("insurance"),
    "Claim": gettext_lazy("claims"),
    "Invoice": gettext_lazy("bills"),
    "ServiceRequest": gettext_lazy("orders"),
}


def lines(events: Sequence[Entry], patient_names: Mapping[UUID, str]) -> list[Line]:
    return [Line(event, patient_names) for event in events]
