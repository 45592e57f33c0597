"""Two records of one patient: naming them, the links between them, and what points at one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from openward.fhir.definitions import type_name
from openward.fhir.errors import BadRequest, Forbidden, NotFound, TooCostly
from openward.fhir.ids import is_id
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.writing import Address, lock
from openward.fhir.references import target
from openward.fhir.versions import Version, instant, now

if TYPE_CHECKING:
    from openward.fhir.store import Store

MOST = 20_000  # resources moved by one merge
AT_ONCE = 500
REPLACED_BY, REPLACES = "replaced-by", "replaces"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
TASK_CODE = {"system": "urn:openward:task", "code": "merge-patients"}

# What was done and by whom is said of the record it was done to; it is never said of another.
STAYS = frozenset({"Patient", "Provenance", "AuditEvent"})

POINTING = """select c.rtype, c.rkey from fhir.current c where c.tenant = %(tenant)s and c.patient = %(key)s
  union select e.stype, e.src from fhir.edge e where e.tenant = %(tenant)s and e.tgt = %(key)s limit %(limit)s"""


def pointing_at(store: Store, patient: str) -> list[Address]:
    """The resources that refer to the patient and are moved with them. Raises TooCostly."""
    store.flush()
    params = {"tenant": store.tenant, "key": key_of("Patient", patient), "limit": MOST + 1}
    rows = store.execute(POINTING, params).fetchall()
    if len(rows) > MOST:
        raise TooCostly(f"More than {MOST:,} resources refer to Patient/{patient}; this is more than is moved at once.")
    return sorted((type_name(number), key) for number, key in rows if type_name(number) not in STAYS)


def locked(store: Store, addresses: Sequence[Address]) -> Iterator[Version]:
    """The last versions, their rows locked, in the one order every writer locks in; a batch at a time, the one before written by then."""
    ordered = sorted(addresses)
    for start in range(0, len(ordered), AT_ONCE):
        standing = lock(store, ordered[start : start + AT_ONCE])
        yield from (version for version in standing.values() if not version.deleted)
    store.flush()


def is_merge(content: Mapping[str, Any]) -> bool:
    """Whether a Task is the record of a merge, which stays as it is."""
    codings = content.get("code", {}).get("coding", ()) if content.get("resourceType") == "Task" else ()
    return any((coding.get("system"), coding.get("code")) == (TASK_CODE["system"], TASK_CODE["code"]) for coding in codings)


def may_change(store: Store, types: set[str]) -> None:
    """Raises Forbidden unless the actor may update something of each type: whose records are moved must be allowed to move them all."""
    refused = sorted(type for type in types if store.policy.where(store.actor, "update", type) is None)
    if refused:
        raise Forbidden(f"There are records of this patient that you may not move: {', '.join(refused)}.")


def named(store: Store, reference: Any, identifier: Any, name: str) -> str:
    """The id of the patient a parameter names, by a Reference, text, or an Identifier that exactly one patient has."""
    if isinstance(identifier, dict) and reference is None:
        value = f"{identifier.get('system', '')}|{identifier.get('value', '')}"
        found = list(store.search("Patient", [("identifier", value), ("_count", "2")]).matches)
        if len(found) != 1:
            raise BadRequest(f"{name}-identifier names {'no' if not found else 'more than one'} patient.")
        return found[0].id
    text = reference.get("reference") if isinstance(reference, dict) else reference
    place = target(text) if isinstance(text, str) else None
    if place and place.type == "Patient":
        return place.id
    if isinstance(text, str) and is_id(text):
        return text
    raise BadRequest(f"{name} is missing: a reference such as Patient/123.")


def links(patient: Mapping[str, Any], kind: str) -> list[str]:
    """The patients this one is linked to by `kind`, as references."""
    return [link.get("other", {}).get("reference", "") for link in patient.get("link", ()) if link.get("type") == kind]


def linked(patient: Mapping[str, Any], other: str, kind: str) -> dict[str, Any]:
    copy = unlinked(patient, other, kind)
    copy["link"] = [*copy.get("link", []), {"other": {"reference": other}, "type": kind}]
    return copy


def unlinked(patient: Mapping[str, Any], other: str, kind: str) -> dict[str, Any]:
    copy = deepcopy(dict(patient))
    kept = [link for link in copy.pop("link", []) if (link.get("other", {}).get("reference"), link.get("type")) != (other, kind)]
    return {**copy, "link": kept} if kept else copy


def live(versions: Mapping[str, Version], id: str) -> Version:
    found = versions.get(id)
    if found is None:
        raise NotFound(type="Patient", id=id)
    return found


def provenance(store: Store, targets: Sequence[str], activity: str) -> dict[str, Any]:
    """Who did it, to which versions. https://hl7.org/fhir/R4/provenance.html"""
    actor = store.actor
    who = {"reference": actor.reference} if actor.reference else {"display": actor.name}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": instant(now()),
        "activity": {"coding": [{"system": LIFECYCLE, "code": activity}]},
        "agent": [{"who": who}],
    }


def outcome(text: str) -> dict[str, Any]:
    issue = {"severity": "information", "code": "informational", "diagnostics": text}
    return {"name": "outcome", "resource": {"resourceType": "OperationOutcome", "issue": [issue]}}
