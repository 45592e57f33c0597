"""One entry of the trail as an AuditEvent, in the shape of IHE's Basic Audit Log Patterns where one fits.

https://hl7.org/fhir/R4/auditevent.html
https://profiles.ihe.net/ITI/BALP/
A search names no query: what was searched for is often a name, and the trail keeps none. It therefore claims no profile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from openward.audit.events.words import ACTIONS, REST, event_type
from openward.fhir.definitions import type_name
from openward.fhir.json import dumps
from openward.fhir.versions import Version, instant

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
PROFILED = {"read": "Read", "vread": "Read", "create": "Create", "update": "Update", "delete": "Delete"}
DCM = "http://dicom.nema.org/resources/ontology/DCM"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SOURCE, DESTINATION = ("110153", "Source Role ID"), ("110152", "Destination Role ID")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `audit.event`."""

    tx: int
    id: int
    at: dt.datetime
    actor: str
    actor_name: str
    actor_role: str | None
    on_behalf_of: str | None
    purpose: str
    address: str | None
    interaction: str
    rtype: int | None
    rkey: UUID | None
    version: int | None
    patient: UUID | None
    patients: list[UUID] | None
    outcome: int
    detail: str | None
    request_id: str | None

    @property
    def whose(self) -> list[UUID]:
        return self.patients or ([self.patient] if self.patient else [])

    @property
    def event_id(self) -> str:
        """Transaction and number: a FHIR id that leads straight to the row."""
        return f"{self.tx}-{self.id}"


Names = Mapping[tuple[str, UUID], str]
"""(type, key) → id, of resources whose id is not their key."""


def version(entry: Entry, key: UUID, names: Names, base: str) -> Version:
    """`base`: the server's own address, which is the serving side of every event."""
    text = dumps(resource(entry, names, base)).decode()
    return Version("AuditEvent", entry.event_id, key, 1, entry.at, "C", entry.patient, text)


def resource(entry: Entry, names: Names, base: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"versionId": "1", "lastUpdated": instant(entry.at)}
    if profile := _profile(entry):
        meta["profile"] = [profile]
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": entry.event_id,
        "meta": meta,
        **event_type(entry.interaction),
        "action": ACTIONS.get(entry.interaction, "E"),
        "recorded": instant(entry.at),
        "outcome": str(entry.outcome),
        "agent": _agents(entry, base),
        "source": {"observer": {"display": "Openward"}},
    }
    if entry.detail and entry.outcome:
        made["outcomeDesc"] = entry.detail
    if entry.purpose:
        made["purposeOfEvent"] = [_purpose(entry)]
    if entities := _entities(entry, names):
        made["entity"] = entities
    return made


def _profile(entry: Entry) -> str | None:
    """The profile the event fits. A failure, work of the house's own, and what is of several patients fit none."""
    kind = PROFILED.get(entry.interaction)
    if kind is None or entry.outcome or entry.address is None or entry.rtype is None or entry.rkey is None or len(entry.whose) > 1:
        return None
    return f"{PROFILE}{'Patient' if entry.whose else ''}{kind}"


def _agents(entry: Entry, base: str) -> list[dict[str, Any]]:
    """Who asked, from where, and this server. What is read goes from the server to the client, what is written the other way."""
    reads = entry.interaction not in ("create", "update", "delete")
    theirs, ours = (DESTINATION, SOURCE) if reads else (SOURCE, DESTINATION)
    is_person = entry.actor.startswith("user:")
    found = [_user(entry, reads)] if is_person else []
    client: dict[str, Any] = {"type": _coded(DCM, *theirs), "who": _who(entry), "requestor": not is_person}
    if entry.address:
        client["network"] = {"address": entry.address, "type": "2"}
    server = {"type": _coded(DCM, *ours), "who": {"display": "Openward"}, "requestor": False, "network": {"address": base, "type": "5"}}
    found += [client, server]
    if entry.on_behalf_of:
        found.append({"who": {"identifier": {"system": "urn:openward:actor", "value": entry.on_behalf_of}}, "requestor": False})
    return found


def _user(entry: Entry, reads: bool) -> dict[str, Any]:
    code = ("IRCP", "information recipient") if reads else ("AUT", "author (originator)")
    made: dict[str, Any] = {"type": _coded(PARTICIPATION, *code), "who": _who(entry), "name": entry.actor_name, "requestor": True}
    if entry.actor_role:
        made["role"] = [{"coding": [{"system": "urn:openward:role", "code": entry.actor_role}]}]
    if entry.purpose:
        made["purposeOfUse"] = [_purpose(entry)]
    return made


def _who(entry: Entry) -> dict[str, Any]:
    return {"identifier": {"system": "urn:openward:actor", "value": entry.actor}, "display": entry.actor_name}


def _purpose(entry: Entry) -> dict[str, Any]:
    return {"coding": [{"system": REASON, "code": entry.purpose}]}


def _entities(entry: Entry, names: Names) -> list[dict[str, Any]]:
    found = [_of_patient(names.get(("Patient", key), str(key))) for key in entry.whose]
    if entry.rtype is not None and entry.rkey is not None:
        found.append(_data(entry, names))
    elif entry.rtype is not None and entry.interaction == "search":
        what = {"system": ENTITY_TYPE, "code": "2", "display": "System Object"}
        found.append({"type": what, "role": {"system": OBJECT_ROLE, "code": "24", "display": "Query"}, "description": type_name(entry.rtype)})
    if entry.detail and not entry.outcome:
        found.append({"description": entry.detail})
    if entry.request_id:
        kind = {"system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}
        found.append({"what": {"identifier": {"value": entry.request_id}}, "type": kind})
    return found


def _of_patient(id: str) -> dict[str, Any]:
    role = {"system": OBJECT_ROLE, "code": "1", "display": "Patient"}
    return {"what": {"reference": f"Patient/{id}"}, "type": {"system": ENTITY_TYPE, "code": "1", "display": "Person"}, "role": role}


def _data(entry: Entry, names: Names) -> dict[str, Any]:
    assert entry.rtype is not None
    assert entry.rkey is not None
    type = type_name(entry.rtype)
    address = f"{type}/{names.get((type, entry.rkey), str(entry.rkey))}"
    reference = f"{address}/_history/{entry.version}" if entry.version and entry.interaction != "read" else address
    role = {"system": OBJECT_ROLE, "code": "4", "display": "Domain Resource"}
    return {"what": {"reference": reference}, "type": {"system": ENTITY_TYPE, "code": "2", "display": "System Object"}, "role": role}


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


__all__ = ["REST", "Entry", "Names", "resource", "version"]
