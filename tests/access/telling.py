"""The record of the questions as it stands in the tables: under the guards for the whole house, and for each persona a mirror of what is theirs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.known import changed
from openward.access.models import Assignment, Clearance, CustomRole, Opening, ProxyGrant
from openward.access.policy import LETTERS
from openward.access.roles import ROLES
from openward.audit.auditor import TableAuditor
from openward.fhir.guards import Guards
from openward.fhir.protocols import Interaction, Where
from openward.fhir.store import Store
from openward.record import open_store
from openward.record.connection import DjangoTransaction, connection
from tests import cast
from tests.access.record import CONSENTS, DELETED, USERS, P, Persona, Resource, consents, granted, labels_in, patient_of, proxy, record

Address = tuple[str, str]


class OnlyGrants:
    """Over a mirror: every row of the types the persona has at all."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona

    def where(self, actor: Any, interaction: Interaction, type: str) -> Where | None:
        return Where() if interaction != "export" and granted(self.persona.actor, LETTERS[interaction], type) else None

    def allows(self, *_: Any) -> bool:
        return False


def stand() -> None:
    """Who they are, beside their roles."""
    made = {
        key: CustomRole.objects.create(
            tenant=1, key=key, title=key, sentence="Tested.", based_on="nurse", reach=reach, cleared=cleared, cleared_in_care=[], made_by="test",
            permissions=[], grants=dict(ROLES["nurse"].grants),
        )
        for key, reach, cleared in (("southern", "facility", ["PSY"]), ("team", "care-team", sorted(ROLES["nurse"].cleared)))
    }  # fmt: skip
    Assignment.objects.create(tenant=1, user_id=USERS["south"], role=made["southern"], facility="Location/south", given_by="test")
    Assignment.objects.create(tenant=1, user_id=USERS["team"], role=made["team"], given_by="test")
    for label in ("ETH", "PSY"):
        Clearance.objects.create(tenant=1, actor="client:cleared", label=label, reason="test", given_by="test")
    for user, patient, kind, areas in (
        ("parent", 4, "parent", ["health"]),
        ("payer", 4, "parent", ["bills"]),
        ("carer", 2, "carer", ["appointments"]),
    ):
        reference = proxy(user, P[patient]).reference or ""
        ProxyGrant.objects.create(
            tenant=1, user_id=USERS[user], patient=UUID(P[patient]), reference=reference, kind=kind, areas=areas, given_by="test"
        )
    for patient in (5, 3):
        now = timezone.now()
        Opening.objects.create(
            tenant=1, actor="user:glass", actor_name="G", actor_role="nurse", patient=UUID(P[patient]), reference=f"Patient/{P[patient]}", reason="emergency",
            words="an emergency", until=now + dt.timedelta(hours=1),
        )  # fmt: skip
    changed()


@dataclass
class Told:
    """What was written, in order; what stands in the end, what of it was deleted; and the labels of the patients themselves."""

    written: list[Resource]
    final: dict[Address, Resource]
    gone: list[Address]
    marks: dict[str, frozenset[str]] = field(default_factory=dict)

    def shown(self, persona: Persona) -> set[Address]:
        """The addresses of what is theirs to see, by the plain reading of the rules. Grants by type aside."""
        return {
            at
            for at, one in self.final.items()
            if persona.sees(one, patient_of(one), self.marks) and (at not in self.gone or _knows_deleted(persona, one, self.final))
        }


def tell() -> Told:
    """Store the whole record under the guards."""
    house = open_store(cast.system())
    house.strict_references = False
    written = [house.update(dict(one)).data for one in record()]
    final = {_address(one): one for one in written}
    marks = {one["id"]: labels_in(one) for one in final.values() if one["resourceType"] == "Patient"}
    written += [house.create(one).data for one in consents()]
    final |= {_address(one): one for one in written}
    gone = [at for at in final if at[1] in DELETED]
    for at in gone:
        house.delete(*at)
    return Told(written, final, gone, marks)


def mirror(told: Told, persona: Persona, number: int) -> None:
    """Beside it, for one persona what of it they may see, as it was stored."""
    shown, other = told.shown(persona), _mirror(persona, 100 + number)
    for one in told.written:
        if _address(one) in shown:
            other.update(json.loads(json.dumps(one)))
    for at in told.gone:
        if at in shown:
            other.delete(*at)


def _knows_deleted(persona: Persona, resource: Mapping[str, Any], final: Mapping[Any, Any]) -> bool:
    """Of what is deleted no label is known: it shows only to one from whom no label could hide it. A patient's own is shown by its tags."""
    type, patient = resource["resourceType"], patient_of(resource)
    if persona.own is not None and type in ("Observation", "DiagnosticReport", "Composition"):
        return False
    if patient in persona.glass or (persona.own is not None and persona.actor.role == "patient"):
        return True
    used = {label for (kind, _), one in final.items() if kind == type for label in labels_in(one)}
    return used <= persona.cleared and not any(persona.refuses_by_label(one, patient, type) for one in CONSENTS)


def _address(resource: Mapping[str, Any]) -> tuple[str, str]:
    return resource["resourceType"], resource["id"]


def _mirror(persona: Persona, tenant: int) -> Store:
    class Open(OnlyGrants):
        def where(self, actor: Any, interaction: Interaction, type: str) -> Where | None:
            return Where()

        def allows(self, *_: Any) -> bool:
            return True

    return mirrored_store(tenant, Open(persona))


def mirrored_store(tenant: int, policy: Any) -> Store:
    actor = Actor.system("mirror", tenant=tenant)
    return Store(
        connection(), tenant, actor, policy=policy, auditor=TableAuditor(), transaction=DjangoTransaction(), guards=Guards(), strict_references=False
    )
