"""The trail in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openward.access.roles import ROLES
from openward.audit.models import AuditEvent
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
}
OUTCOMES = {0: "", 4: gettext_lazy("refused"), 8: gettext_lazy("failed"), 12: gettext_lazy("failed badly")}


@dataclass(frozen=True)
class Line:
    """One event as a sentence in columns."""

    event: AuditEvent
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


def lines(events: Sequence[AuditEvent], patient_names: Mapping[UUID, str]) -> list[Line]:
    return [Line(event, patient_names) for event in events]
