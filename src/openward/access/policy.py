"""One decision for pages, API interactions, exports and jobs. Default deny: no rule, no access.

First the role's grants (a client's scopes) say which types and interactions; then where the actor stands (`standing`) says which rows of them
(`sight`): whose records they reach, which sensitivity labels they may see, what the patients' consents say, which glass they broke.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from openward.access.actor import Actor
from openward.access.labels import labels_of
from openward.access.proxies import Acting, acting
from openward.access.roles import PROXY, role_of
from openward.access.scopes import narrow, permits
from openward.access.sight import Sight, both
from openward.access.standing import Standing, standing_for, standing_of
from openward.fhir.definitions import type_number
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

# SMART counts the history of a type, and of the record, as searching. The history of one resource would need `r` alone, but is asked for here by the
# same name: through an app both take both letters, so that one that may only read what it knows of cannot list the rest.
# https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
SCOPED: dict[Interaction, str] = {**LETTERS, "history": "rs"}

# A copy of the whole record is for programs that were given a token for it, never for a person's sign-in.
EXPORTERS = ("client", "system")
# What every patient may see beside their own compartment: who works here, where, and what is offered; and what their prescriptions name.
PUBLIC_TO_PATIENTS = frozenset({"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Schedule", "Medication"})
# Types a patient sees only once the practice has released them, or once they are signed.
RELEASED_ONLY = frozenset({"DiagnosticReport", "Observation"})
SIGNED_ONLY = frozenset({"Composition"})

RELEASED = token_hash("_tag", "urn:openward:tag", "released")
VITAL_SIGNS = token_hash("category", "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")
FINAL = token_hash("status", None, "final")


class AccessPolicy:
    """The policy of this installation, over roles (data), SMART scopes, the patient compartment, labels, consents and care relations."""

    def where(self, actor: Actor, interaction: Interaction, type: str) -> Where | None:
        if actor.kind != "client":
            return self._where(actor, interaction, type)
        answers = standing_of(actor, None).answers
        known = answers.get((interaction, type))
        if known is None or known[0] is not actor.scopes:
            known = answers[interaction, type] = actor.scopes, self._where(actor, interaction, type)
        return known[1]

    def _where(self, actor: Actor, interaction: Interaction, type: str) -> Where | None:
        if interaction == "export" and actor.kind not in EXPORTERS:
            return None
        if not self._granted(actor, LETTERS[interaction], type):
            return None
        if actor.kind == "system":
            return Where()
        seen = self._own_compartment(actor, type) if actor.kind == "patient" else Sight(type, standing_of(actor, role_of(actor))).where()
        return narrow(actor, SCOPED[interaction], type, seen)

    def allows(self, actor: Actor, interaction: Interaction, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
        """What stands is written only by who sees it; a label on what is new does not keep its author from storing it."""
        letter = LETTERS[interaction]
        if not self._granted(actor, letter, type) or not permits(actor, letter, type, resource, patient):
            return False
        if actor.kind == "system":
            return True
        if actor.kind == "patient":
            return patient is not None and patient == _own_key(actor) and _may_act(actor, type)
        if interaction == "create" and type == "Patient":
            return True
        return Sight(type, standing_of(actor, role_of(actor))).admits(labels_of(resource), patient, by_label=interaction != "create")

    def _granted(self, actor: Actor, letter: str, type: str) -> bool:
        if actor.kind == "system":
            return True
        if actor.kind == "client":
            return actor.scopes is not None and actor.scopes.allow(letter, type)
        role = role_of(actor)
        return role is not None and letter in role.grants.get(type, "")

    def _own_compartment(self, actor: Actor, type: str) -> Where | None:
        if type in PUBLIC_TO_PATIENTS:
            return Where()
        own = _own_key(actor)
        if own is None:
            return None
        mine = _of_patient(own, type)
        if actor.role != PROXY.key:
            return mine
        for_whom = acting(actor)
        if for_whom is None:
            return None
        if not for_whom.covers(type):
            return Where("false")
        return both(mine, Sight(type, for_whom.standing).where())


def shows(actor: Actor, type: str, labels: frozenset[str], patient: UUID | None) -> bool:
    """Whether labels, consents and reach leave a row of `type` to the actor, known by its labels and patient alone. The role's grants are not asked.

    For tables beside the record that say a little of what stands in it. What is known of the actor is kept: it mostly costs no statement.
    """
    if actor.kind == "system":
        return True
    if actor.kind == "patient":
        own = patient is not None and patient == _own_key(actor)
        if actor.role != PROXY.key:
            return own
        for_whom = acting(actor)
        return own and for_whom is not None and _beside(type, for_whom.standing, labels).admits(labels, patient)
    return _beside(type, standing_for(actor)[1], labels).admits(labels, patient)


def _beside(type: str, standing: Standing, labels: frozenset[str]) -> Sight:
    """Sight of a row beside the record: its labels are in use by being there, whatever type they came from."""
    return Sight(type, replace(standing, used={type_number(type): labels}) if labels else standing)


def _of_patient(own: UUID, type: str) -> Where:
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


def _may_act(actor: Actor, type: str) -> bool:
    """A patient for themselves; a proxy while their grant covers the type."""
    if actor.role != PROXY.key:
        return True
    for_whom: Acting | None = acting(actor)
    return for_whom is not None and for_whom.covers(type)


def _own_key(actor: Actor) -> UUID | None:
    """The patient whose compartment it is; none for who is no patient."""
    if actor.reference is None or not actor.reference.startswith("Patient/"):
        return None
    return key("Patient", actor.reference.split("/", 1)[1])
