"""One decision for pages, API interactions, exports and jobs. Default deny: no rule, no access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from openward.access.actor import Actor
from openward.access.roles import ROLES
from openward.access.scopes import narrow, permits
from openward.fhir.ids import key
from openward.fhir.protocols import Interaction, Where
from openward.fhir.search.token import token_hash

LETTERS: dict[Interaction, str] = {
    "read": "r",
    "vread": "r",
    "history": "r",
    "search": "s",
    "export": "s",
    "create": "c",
    "update": "u",
    "delete": "d",
}

# A copy of the whole record is for programs that were given a token for it, never for a person's sign-in.
EXPORTERS = ("client", "system")
# What every patient may see beside their own compartment: who works here, where, and what is offered.
PUBLIC_TO_PATIENTS = frozenset({"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Schedule"})
# Types a patient sees only once the practice has released them, or once they are signed.
RELEASED_ONLY = frozenset({"DiagnosticReport", "Observation"})
SIGNED_ONLY = frozenset({"Composition"})

RELEASED = token_hash("_tag", "urn:openward:tag", "released")
VITAL_SIGNS = token_hash("category", "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")
FINAL = token_hash("status", None, "final")


class AccessPolicy:
    """The policy of this installation, over roles (data), SMART scopes and the patient compartment."""

    def where(self, actor: Actor, interaction: Interaction, type: str) -> Where | None:
        if interaction == "export" and actor.kind not in EXPORTERS:
            return None
        if not self._granted(actor, LETTERS[interaction], type):
            return None
        where = self._own_compartment(actor, type) if actor.kind == "patient" else Where()
        return narrow(actor, LETTERS[interaction], type, where)

    def allows(self, actor: Actor, interaction: Interaction, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
        if not self._granted(actor, LETTERS[interaction], type) or not permits(actor, LETTERS[interaction], type, resource, patient):
            return False
        return actor.kind != "patient" or (patient is not None and patient == _own_key(actor))

    def _granted(self, actor: Actor, letter: str, type: str) -> bool:
        if actor.kind == "system":
            return True
        if actor.kind == "client":
            return actor.scopes is not None and actor.scopes.allow(letter, type)
        role = ROLES.get(actor.role or "")
        return role is not None and letter in role.grants.get(type, "")

    def _own_compartment(self, actor: Actor, type: str) -> Where | None:
        if type in PUBLIC_TO_PATIENTS:
            return Where()
        own = _own_key(actor)
        if own is None:
            return None
        if type == "Patient":
            return Where("c.rkey = %(policy_patient)s", {"policy_patient": own})
        if type in RELEASED_ONLY:
            return Where(
                "c.patient = %(policy_patient)s and c.tok && %(policy_shown)s::bigint[]",
                {"policy_patient": own, "policy_shown": [RELEASED, VITAL_SIGNS]},
            )
        if type in SIGNED_ONLY:
            return Where("c.patient = %(policy_patient)s and c.tok @> %(policy_shown)s::bigint[]", {"policy_patient": own, "policy_shown": [FINAL]})
        return Where("c.patient = %(policy_patient)s", {"policy_patient": own})


def _own_key(actor: Actor) -> UUID | None:
    return key("Patient", actor.reference_id) if actor.reference_id else None
