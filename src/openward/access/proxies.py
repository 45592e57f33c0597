"""Acting for someone one cares for: parent, guardian, carer. Scoped, expiring, and blind to what an adolescent may keep to themselves.

A proxy's actor has the role `proxy`, the patient's reference, and says in `on_behalf_of` whom they act for; the grant is asked at every look.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.known import house, keep, kept, rows
from openward.access.labels import LABELS
from openward.access.permissions import Permission as P
from openward.access.roles import PROXY, Role
from openward.access.standing import SAID, Standing, consents_of
from openward.fhir.definitions import type_number
from openward.fhir.ids import key
from openward.fhir.resources import Patient

# What a grant may cover, in words a family understands, and the types that need it.
AREAS: Mapping[str, tuple[str, frozenset[str]]] = {
    "health": (
        "Health record: results, medications, visits, notes",
        frozenset({"AllergyIntolerance", "Condition", "Observation", "MedicationRequest", "Immunization", "DiagnosticReport", "Procedure", "List",
                   "Encounter", "Composition", "DocumentReference", "Binary", "ServiceRequest", "CarePlan"}),
    ),
    "appointments": ("Appointments: see, book, move", frozenset({"Appointment", "Slot"})),
    "messages": ("Messages with the practice", frozenset({"Communication", "Task"})),
    "bills": ("Bills and payments", frozenset({"Invoice", "ExplanationOfBenefit", "PaymentNotice", "Coverage"})),
}  # fmt: skip
ALWAYS = frozenset({"Patient"})
# What of a patient's pages an area opens.
OPENS: Mapping[str, P] = {"appointments": P.BOOK_OWN, "messages": P.MESSAGE_PRACTICE, "bills": P.PAY_BALANCE}
NOBODY = replace(PROXY, permissions=frozenset(), grants={})

PERSON = """select b.body::jsonb ->> 'birthDate', b.body::jsonb #>> '{address,0,state}' from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
  where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = %(patient)s"""
GRANTS = """select patient, reference, kind, areas, related, extract(epoch from until) from access_proxygrant
  where tenant = %(tenant)s and user_id = %(user)s and since <= %(now)s and (until is null or until > %(now)s) order by since, id"""


@dataclass(frozen=True, slots=True)
class Grant:
    """One person's leave to look after a record, while it holds. `kind` is a ProxyGrant.Kind."""

    patient: UUID
    reference: str
    kind: str
    areas: frozenset[str]
    related: str
    ends: float | None

    @property
    def ends_words(self) -> str:
        """Until when, in words."""
        if self.ends is None:
            return _("No end is set.")
        return _("Until {day}").format(day=f"{timezone.localtime(dt.datetime.fromtimestamp(self.ends, dt.UTC)):%d-%b-%Y}")


@dataclass(frozen=True, slots=True)
class Acting:
    """What a grant comes to today: the types it covers, and where its holder stands towards labels and consents."""

    areas: frozenset[str]
    standing: Standing

    def covers(self, type: str) -> bool:
        return type in ALWAYS or any(type in AREAS[area][1] for area in self.areas if area in AREAS)


def grants_of(actor: Actor) -> Sequence[Grant]:
    """The grants that hold now of the person who signed in."""
    if actor.user_id is None:
        return ()
    known: Sequence[Grant] | None = kept(actor, ("grants", actor.tenant, actor.user_id))
    if known is not None:
        return known
    found = rows(GRANTS, {"tenant": actor.tenant, "user": actor.user_id, "now": timezone.now()})
    grants = [
        Grant(patient, reference, kind, frozenset(_list(areas)), related, float(ends) if ends is not None else None)
        for patient, reference, kind, areas, related, ends in found
    ]
    seconds = min((grant.ends - timezone.now().timestamp() for grant in grants if grant.ends is not None), default=60.0)
    keep(actor, ("grants", actor.tenant, actor.user_id), grants, seconds=seconds)
    return grants


def as_proxy(actor: Actor, reference: str) -> Actor | None:
    """The same person acting for the patient `reference` (`Patient/<id>`); None without a grant that holds."""
    if actor.kind != "patient" or all(grant.reference != reference for grant in grants_of(actor)):
        return None
    return replace(actor, role=PROXY.key, reference=reference, purpose="FAMRQT", on_behalf_of=reference)


def role_for(actor: Actor) -> Role:
    """A proxy's role, narrowed to the pages of the areas they were given; without a grant that holds, nothing."""
    for_whom = acting(actor)
    if for_whom is None:
        return NOBODY
    closed = {permission for area, permission in OPENS.items() if area not in for_whom.areas}
    return replace(PROXY, permissions=PROXY.permissions - closed)


def acting(actor: Actor) -> Acting | None:
    """What the proxy may do for the patient they act for, today; None when no grant holds any more."""
    place = ("acting", actor.tenant, actor.user_id, actor.reference)
    known: Acting | None = kept(actor, place)
    if known is not None:
        return known
    grant = next((one for one in grants_of(actor) if one.reference == actor.reference), None)
    if grant is None or actor.role != PROXY.key:
        return None
    found = _today(actor, grant)
    if found is not None:
        keep(actor, place, found, seconds=grant.ends - timezone.now().timestamp() if grant.ends is not None else 60.0)
    return found


def _today(actor: Actor, grant: Grant) -> Acting | None:
    person = rows(PERSON, {"tenant": actor.tenant, "rtype": type_number("Patient"), "patient": grant.patient})
    if not person:
        return None
    birth, state = person[0]
    years = age(birth, timezone.localdate())
    if grant.kind == "parent" and (years is None or years >= rule(state)["adult_age"]):
        return None  # a parent's leave ends when the child is of age
    now = timezone.now()
    names = [actor.id, *([grant.related] if grant.related else [])]
    said = rows(SAID, {"tenant": actor.tenant, "now": now, "names": names, "purpose": "FAMRQT"})
    cleared = frozenset(LABELS) - hidden_at(years, state) - ({"PRS"} if grant.kind == "carer" else frozenset())
    standing = Standing(actor.tenant, house(actor).used, cleared, consents=consents_of(said))
    return Acting(grant.areas, standing)


def hidden_at(years: int | None, state: str | None) -> frozenset[str]:
    """The labels a young person of this age keeps to themselves. An unknown age counts as that of an adolescent."""
    said = rule(state)
    if years is None or said["from_age"] <= years < said["adult_age"]:
        return frozenset(said["hidden"])
    return frozenset()


def age(birth: str | None, today: dt.date) -> int | None:
    """Whole years. A birth date known to the year or month counts from the first day of it: too old an age never shows more to a parent."""
    if not birth:
        return None
    year, month, day = (int(part) for part in f"{birth}-01-01"[: 10 if len(birth) > 4 else None].split("-")[:3])
    return today.year - year - ((today.month, today.day) < (month, day))


def age_and_state(patient: Patient, today: dt.date) -> tuple[int | None, str | None]:
    """What the rules for the young ask of a patient; `PERSON` reads the same from the database."""
    return age(patient.birthDate, today), patient.address[0].state if patient.address else None


@cache
def _rules() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(files("openward.access").joinpath("content/adolescents.json").read_text(encoding="utf-8"))
    return found


def rule(state: str | None) -> Mapping[str, Any]:
    """The house's rule with what the state says otherwise."""
    data = _rules()
    return {**data["house"], **data["states"].get((state or "").upper(), {})}


def of_patient(tenant: int, reference: str) -> list[Any]:
    """Every grant ever given for a record, the newest first."""
    from openward.access.models import ProxyGrant

    return list(ProxyGrant.objects.filter(tenant=tenant, patient=key("Patient", reference.split("/", 1)[1])).order_by("-since"))


def _list(value: Any) -> list[str]:
    return json.loads(value) if isinstance(value, str) else list(value)
