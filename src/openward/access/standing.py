"""Where an actor stands towards the record at this moment: what they are cleared for, whose records they reach, what patients said of them.

Computed from the policy's tables and kept for seconds (`known`). Nothing here decides: `sight` does, from this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.known import as_json, house, keep, kept, rows
from openward.access.labels import LABELS, RELABEL
from openward.access.roles import Role, role_of
from openward.access.scopes import Scopes
from openward.fhir.definitions import type_number
from openward.fhir.ids import key
from openward.fhir.protocols import Where
from openward.fhir.search.reference import link_hash

WHO = attrgetter("tenant", "id", "role", "reference", "purpose")
ROLE_OF_PRACTITIONER = type_number("PractitionerRole")
PATIENT = type_number("Patient")

CLEARED = """select label, extract(epoch from until) from access_clearance
  where tenant = %(tenant)s and actor = %(actor)s and since <= %(now)s and (until is null or until > %(now)s)"""
OPENED = """select patient, extract(epoch from until) from access_opening
  where tenant = %(tenant)s and actor = %(actor)s and since <= %(now)s and until > %(now)s and verdict <> 'wrong'"""
SAID = """select consent, depth, patient, permits, labels, types, extract(epoch from until) from access_directive
  where tenant = %(tenant)s and since <= %(now)s and (until is null or until > %(now)s)
  and (actors = '[]'::jsonb or actors ?| %(names)s::text[]) and (purposes = '[]'::jsonb or purposes ? %(purpose)s)
  order by consent, depth desc, place"""
MARKED = "select rkey from fhir.current where tenant = %(tenant)s and rtype = %(patient)s and tok && %(token)s::bigint[]"
# The practice's own roles of a practitioner: which organisation, which place.
PLACES = """select b.body::jsonb from fhir.edge e join fhir.current c on c.tenant = e.tenant and c.rtype = e.stype and c.rkey = e.src
  join fhir.body b on b.tenant = c.tenant and b.rtype = c.rtype and b.rkey = c.rkey and b.ver = c.ver
  where e.tenant = %(tenant)s and e.tgt = %(me)s and e.link = %(link)s and e.stype = %(role)s"""
WITHIN = """select e.src from fhir.edge e where e.tenant = %(tenant)s and e.tgt = any(%(places)s::uuid[]) and e.link = %(link)s and e.stype = %(location)s"""
TIED = """select exists (select from access_tie where tenant = %(tenant)s and holder = any(%(holders)s::uuid[]) and patient = %(patient)s
  and (until is null or until > now()))"""


@dataclass(frozen=True, slots=True)
class Said:
    """One provision that speaks of this actor now. No labels: whatever label; no types: whatever type."""

    permits: bool
    labels: frozenset[str]
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides beside the role's grants. `consents` are the provisions of one consent, the deepest first, with the patient who made it."""

    tenant: int
    used: Mapping[int, frozenset[str]]
    cleared: frozenset[str]
    in_care: frozenset[str] = frozenset()
    reach: str = "everyone"
    me: UUID | None = None
    places: tuple[UUID, ...] = ()
    glass: frozenset[UUID] = frozenset()
    marked: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    consents: tuple[tuple[UUID, tuple[Said, ...]], ...] = ()
    may_relabel: bool = False
    sights: dict[str, Where] = field(default_factory=dict, compare=False, repr=False)  # by type, as `sight` works them out
    # What a program with these scopes was answered, by interaction and type: its reads are many and alike.
    answers: dict[tuple[str, str], tuple[Scopes | None, Where | None]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def holders(self) -> tuple[UUID, ...]:
        """Whose ties to a patient bring the patient within the actor's reach."""
        if self.reach == "facility":
            return self.places
        return (self.me,) if self.me else ()

    def hidden(self, type: str) -> frozenset[str]:
        """Labels some resource of the type has that the actor does not see on everyone."""
        return self.used.get(type_number(type), frozenset()) - self.cleared

    def tied(self, holders: Sequence[UUID], patient: UUID) -> bool:
        return bool(holders and rows(TIED, {"tenant": self.tenant, "holders": list(holders), "patient": patient})[0][0])


def standing_of(actor: Actor, role: Role | None) -> Standing:
    """Kept for seconds, and no longer than anything in it holds."""
    who = "standing", WHO(actor)
    known: Standing | None = kept(actor, who)
    if known is not None:
        return known
    found, seconds = _found(actor, role)
    keep(actor, who, found, seconds=seconds)
    return found


def purpose_of(actor: Actor, role: Role | None) -> str:
    """What the actor uses the record for: what they say, else what their role is for."""
    return role.purpose if role is not None and actor.purpose == "TREAT" else actor.purpose


def _found(actor: Actor, role: Role | None) -> tuple[Standing, float]:
    used = house(actor).used
    now = timezone.now()
    asked = {"tenant": actor.tenant, "actor": actor.id, "now": now}
    given = rows(CLEARED, asked)
    glass = rows(OPENED, asked) if actor.kind == "staff" else []
    me = key(*actor.reference.split("/", 1)) if actor.reference and "/" in actor.reference else None
    names, places = _names(actor, me)
    said = rows(SAID, {**asked, "names": names, "purpose": purpose_of(actor, role)})
    labels = {label for label, _ in given}
    cleared = (role.cleared if role else frozenset()) | frozenset(labels & LABELS.keys())
    in_care = (role.cleared_in_care if role else frozenset()) - cleared
    standing = Standing(
        actor.tenant,
        used,
        cleared,
        in_care,
        role.reach if role else "everyone",
        me,
        _reached(actor, role, places),
        frozenset(patient for patient, _ in glass),
        _marked(actor.tenant, used.get(PATIENT, frozenset()) - cleared),
        consents_of(said),
        RELABEL in labels,
    )
    ends = [float(until) for *_, until in (*given, *glass, *said) if until is not None]
    return standing, min((end - now.timestamp() for end in ends), default=60.0)


def _names(actor: Actor, me: UUID | None) -> tuple[list[str], list[str]]:
    """What a consent may call the actor, and the places they work at."""
    names = [actor.id, *([actor.reference] if actor.reference else [])]
    if actor.kind != "staff" or me is None:
        return names, []
    asked = {"tenant": actor.tenant, "me": me, "link": link_hash("practitioner", "Practitioner"), "role": ROLE_OF_PRACTITIONER}
    found = [as_json(row[0]) for row in rows(PLACES, asked)]
    names += [f"PractitionerRole/{role['id']}" for role in found]
    names += [role["organization"]["reference"] for role in found if role.get("organization", {}).get("reference")]
    return names, [place["reference"] for role in found for place in role.get("location", ()) if place.get("reference")]


def _reached(actor: Actor, role: Role | None, places: Sequence[str]) -> tuple[UUID, ...]:
    """The facilities of the actor and the rooms in them, for a role that reaches no further."""
    if role is None or role.reach != "facility":
        return ()
    assigned = house(actor).assigned.get(actor.user_id or "")
    named = [assigned.facility] if assigned and assigned.facility else list(places)
    facilities = [key("Location", name.split("/", 1)[1]) for name in named if name.startswith("Location/")]
    asked = {"tenant": actor.tenant, "places": facilities, "link": link_hash("partof", "Location"), "location": type_number("Location")}
    return (*facilities, *(row[0] for row in rows(WITHIN, asked))) if facilities else ()


def _marked(tenant: int, labels: frozenset[str]) -> Mapping[str, frozenset[UUID]]:
    """The patients who themselves have a label: it covers their whole record."""
    asked = {"tenant": tenant, "patient": PATIENT}
    return {label: frozenset(row[0] for row in rows(MARKED, {**asked, "token": [LABELS[label].token]})) for label in labels}


def consents_of(said: Sequence[Sequence[Any]]) -> tuple[tuple[UUID, tuple[Said, ...]], ...]:
    found: dict[tuple[UUID, UUID], list[Said]] = {}
    for consent, _, patient, permits, labels, types, _ in said:
        one = Said(bool(permits), frozenset(as_json(labels)), frozenset(as_json(types)))
        found.setdefault((consent, patient), []).append(one)
    return tuple((patient, tuple(provisions)) for (_, patient), provisions in found.items())


def standing_for(actor: Actor) -> tuple[Role | None, Standing]:
    role = role_of(actor) if actor.kind != "client" else None
    return role, standing_of(actor, role)
