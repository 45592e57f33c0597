"""How each operation of the FHIR surface is called, and walking up to each as somebody: what the door itself answered.

An operation that is registered and stands not here fails the matrix.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from openward.access.actor import Actor
from openward.fhir.errors import Unauthenticated
from openward.fhir.http import fhir_app
from openward.fhir.operations.registry import OPERATIONS
from openward.fhir.store import Store
from openward.record import open_store
from tests import cast
from tests.fhir.http.client import Answer, Client

LOINC, GENDER = "http://loinc.org", "http://hl7.org/fhir/administrative-gender"
ASYNC = {"prefer": "respond-async"}
WHOSE = {"own": "o", "same": "s", "other": "e", "closed": "v"}
PATIENTS = {"own": cast.PATIENT_ID, "same": f"{cast.PATIENT_ID[:-2]}c2", "other": f"{cast.PATIENT_ID[:-2]}c3", "closed": f"{cast.PATIENT_ID[:-2]}c4"}
TWIN = f"{cast.PATIENT_ID[:-2]}d1"
Key = tuple[str, str | None, str]


@dataclass(frozen=True)
class Door:
    """One operation at one level. In `path`, `body` and `shows` stand {whose} and {patient} for whose data is asked for.

    `shows`: what is in the answer exactly when it holds their data. `lets_in`: what it answers to who may call it.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    shows: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    lets_in: tuple[int, ...] = (200, 201, 202)

    @property
    def is_of_somebody(self) -> bool:
        return "{" in self.path + self.shows or "{whose}" in json.dumps(self.body) or "{patient}" in json.dumps(self.body)


def parameters(**given: Any) -> dict[str, Any]:
    """A Parameters resource: {name: {"valueString": …}} or {"resource": …}."""
    return {"resourceType": "Parameters", "parameter": [{"name": name.replace("_", "-"), **value} for name, value in given.items()]}


CODED = {"system": {"valueUri": GENDER}, "code": {"valueCode": "male"}}
TAG = {"meta": {"valueMeta": {"tag": [{"system": "urn:example:tag", "code": "seen"}]}}}
MERGE = parameters(
    source_patient={"valueReference": {"reference": "Patient/{patient}"}},
    target_patient={"valueReference": {"reference": f"Patient/{TWIN}"}},
    preview={"valueBoolean": True},
)

DOORS: Mapping[Key, Door] = {
    ("closure", None, "system"): Door("POST", "$closure", parameters(name={"valueString": "mine"})),
    ("docref", "DocumentReference", "type"): Door("GET", "DocumentReference/$docref?patient={patient}", shows="paper-{whose}"),
    ("document", "Composition", "type"): Door("GET", "Composition/$document?id=note-{whose}", shows="note-{whose}"),
    ("document", "Composition", "instance"): Door("GET", "Composition/note-{whose}/$document", shows="note-{whose}"),
    ("events", "Subscription", "instance"): Door("GET", "Subscription/told/$events"),
    ("everything", "Encounter", "instance"): Door("GET", "Encounter/visit-{whose}/$everything", shows="visit-{whose}"),
    ("everything", "Patient", "instance"): Door("GET", "Patient/{patient}/$everything", shows='"id":"{patient}"'),
    ("everything", "Patient", "type"): Door("GET", "Patient/$everything"),
    ("expand", "ValueSet", "type"): Door("GET", f"ValueSet/$expand?url={GENDER.replace('fhir/', 'fhir/ValueSet/')}"),
    ("expand", "ValueSet", "instance"): Door("GET", "ValueSet/colours/$expand"),
    ("export", None, "system"): Door("GET", "$export", headers=ASYNC),
    ("export", "Group", "instance"): Door("GET", "Group/of-{whose}/$export", headers=ASYNC),
    ("export", "Patient", "type"): Door("GET", "Patient/$export", headers=ASYNC),
    ("get-ws-binding-token", "Subscription", "type"): Door("GET", "Subscription/$get-ws-binding-token", lets_in=(501,)),
    ("get-ws-binding-token", "Subscription", "instance"): Door("GET", "Subscription/told/$get-ws-binding-token", lets_in=(501,)),
    ("graphql", None, "system"): Door("GET", "$graphql?query={{ConditionList(_count:1000){{id}}}}", shows="{whose}-plain"),
    ("graphql", None, "instance"): Door("GET", "Patient/{patient}/$graphql?query={{ConditionList(_reference:subject){{id}}}}", shows="{whose}-plain"),
    ("import", None, "system"): Door(
        "POST",
        "$import",
        {"resourceType": "Parameters", "parameter": [{"name": "input", "part": [{"name": "url", "valueUrl": "Binary/none"}]}]},
        headers=ASYNC,
    ),
    ("lastn", "Observation", "type"): Door("GET", "Observation/$lastn?patient={patient}", shows="seen-{whose}"),
    ("lookup", "CodeSystem", "type"): Door("POST", "CodeSystem/$lookup", parameters(**CODED)),
    ("match", "Patient", "type"): Door(
        "POST",
        "Patient/$match",
        parameters(resource={"resource": {"resourceType": "Patient", "name": [{"family": "{whose}"}], "birthDate": "2018-01-01"}}),
        shows="{patient}",
    ),
    ("merge", "Patient", "type"): Door("POST", "Patient/$merge", MERGE),
    ("meta", None, "system"): Door("GET", "$meta"),
    ("meta", None, "type"): Door("GET", "Condition/$meta"),
    ("meta", None, "instance"): Door("GET", "Condition/{whose}-plain/$meta"),
    ("meta-add", None, "instance"): Door("POST", "Condition/{whose}-plain/$meta-add", parameters(**TAG)),
    ("meta-delete", None, "instance"): Door("POST", "Condition/{whose}-plain/$meta-delete", parameters(**TAG)),
    ("reindex-status", "SearchParameter", "type"): Door("GET", "SearchParameter/$reindex-status"),
    ("status", "Subscription", "type"): Door("GET", "Subscription/$status?id=told"),
    ("status", "Subscription", "instance"): Door("GET", "Subscription/told/$status"),
    ("subsumes", "CodeSystem", "type"): Door("GET", f"CodeSystem/$subsumes?system={GENDER}&codeA=male&codeB=male"),
    ("subsumes", "CodeSystem", "instance"): Door("GET", "CodeSystem/colours/$subsumes?codeA=red&codeB=red"),
    ("translate", "ConceptMap", "type"): Door("GET", "ConceptMap/$translate?url=urn:example:map&system=urn:example:colours&code=red"),
    ("translate", "ConceptMap", "instance"): Door("GET", "ConceptMap/colours/$translate?system=urn:example:colours&code=red"),
    ("undo-merge", "Patient", "type"): Door("POST", "Patient/$undo-merge", parameters(task={"valueString": "Task/{merge}"})),
    ("validate", None, "type"): Door("POST", "Condition/$validate", parameters(resource={"resource": {"resourceType": "Condition"}})),
    ("validate", None, "instance"): Door("GET", "Condition/{whose}-plain/$validate"),
    ("validate-code", "CodeSystem", "type"): Door("GET", f"CodeSystem/$validate-code?url={GENDER}&code=male"),
    ("validate-code", "CodeSystem", "instance"): Door("GET", "CodeSystem/colours/$validate-code?code=red"),
    ("validate-code", "ValueSet", "type"): Door(
        "GET", f"ValueSet/$validate-code?url={GENDER.replace('fhir/', 'fhir/ValueSet/')}&system={GENDER}&code=male"
    ),
    ("validate-code", "ValueSet", "instance"): Door("GET", "ValueSet/colours/$validate-code?system=urn:example:colours&code=red"),
}


def words(key: Key) -> str:
    """The address in words: `Patient/$everything`, `[type]/[id]/$meta`."""
    name, type, level = key
    return {"system": "", "type": f"{type or '[type]'}/", "instance": f"{type or '[type]'}/[id]/"}[level] + f"${name}"


def registered() -> set[Key]:
    """Every operation at every level it stands on."""
    return {(name, type, level) for (name, type), operation in OPERATIONS.items() for level in operation.on}


def behind_them() -> Iterator[dict[str, Any]]:
    """What the operations are called about: of each of the four patients the same, and some things of nobody's."""
    for whose, patient in PATIENTS.items():
        subject = {"reference": f"Patient/{patient}"}
        yield {"resourceType": "Observation", "id": f"seen-{whose}", "status": "final", "subject": subject, "code": _coding("8867-4"),
               "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
               "effectiveDateTime": "2026-11-02"}  # fmt: skip
        yield {"resourceType": "DocumentReference", "id": f"paper-{whose}", "status": "current", "subject": subject, "type": _coding("34133-9"),
               "date": "2026-11-02T10:00:00Z", "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}]}  # fmt: skip
        yield {"resourceType": "Composition", "id": f"note-{whose}", "status": "final", "type": _coding("11506-3"), "subject": subject,
               "date": "2026-11-02T10:00:00Z", "title": "Note", "author": [{"reference": f"Practitioner/{cast.PRACTITIONER_ID}"}]}  # fmt: skip
        yield {"resourceType": "Group", "id": f"of-{whose}", "type": "person", "actual": True, "member": [{"entity": subject}]}
    yield {"resourceType": "Patient", "id": TWIN, "name": [{"family": "twin"}], "birthDate": "1950-01-01"}
    for number in ("e1", "e2"):
        yield {"resourceType": "Patient", "id": f"{cast.PATIENT_ID[:-2]}{number}", "name": [{"family": "merged"}], "birthDate": "1951-01-01"}
    concept = [{"code": "red", "display": "Red"}]
    yield {"resourceType": "CodeSystem", "id": "colours", "url": "urn:example:colours", "status": "active", "content": "complete", "concept": concept}
    yield {"resourceType": "ValueSet", "id": "colours", "url": "urn:example:of-colours", "status": "active",
           "compose": {"include": [{"system": "urn:example:colours"}]}}  # fmt: skip
    target = [{"code": "red", "equivalence": "equal"}]
    yield {"resourceType": "ConceptMap", "id": "colours", "url": "urn:example:map", "status": "active",
           "group": [{"source": "urn:example:colours", "target": "urn:example:others", "element": [{"code": "red", "target": target}]}]}  # fmt: skip


def _coding(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


TOLD = {"resourceType": "Subscription", "id": "told", "status": "requested", "reason": "test", "criteria": "Condition?code=none",
        "channel": {"type": "email", "endpoint": "mailto:ward@example.org"}}  # fmt: skip


def merged(owner: Client) -> str:
    """Two patients merged, for who would take it back; the id of the Task that says so."""
    one, two = (f"Patient/{cast.PATIENT_ID[:-2]}{number}" for number in ("e1", "e2"))
    asked = parameters(source_patient={"valueReference": {"reference": one}}, target_patient={"valueReference": {"reference": two}})
    answer = owner("POST", "/Patient/$merge", asked)
    assert answer.status == 200, answer.body
    return next(str(part["resource"]["id"]) for part in answer.json["parameter"] if part["name"] == "task")


def client_of(actor: Actor | None) -> Client:
    """The REST surface as this actor; as nobody every door asks who it is."""

    def authenticate(_: Mapping[str, Any]) -> Actor:
        if actor is None:
            raise Unauthenticated
        return actor

    @contextmanager
    def store(who: Actor) -> Iterator[Store]:
        yield open_store(who)

    return Client(fhir_app(authenticate, store))


def walk(client: Client, door: Door, merge: str) -> str:
    """What the door answers: `yes`, or a letter for each whose data it shows; else the refusals, as HTTP has them."""
    shown, refused, known = "", set(), {}
    for whose, letter in WHOSE.items() if door.is_of_somebody else [("", "yes")]:
        words = {"whose": whose, "patient": PATIENTS.get(whose, ""), "merge": merge}
        asked = (door.path.format(**words) if "{" in door.path else door.path, _filled(door.body, words))
        if asked not in known:
            known[asked] = _ask(client, door, *asked)
        answer = known[asked]
        if answer.status in door.lets_in and door.shows.format(**words).encode() in answer.body:
            shown += letter
        else:
            refused.add("none" if answer.status in door.lets_in else str(answer.status))
    return shown or " ".join(sorted(refused))


def _filled(body: Mapping[str, Any] | None, words: Mapping[str, str]) -> bytes:
    text = json.dumps(body) if body else ""
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text.encode()


def _ask(client: Client, door: Door, path: str, body: bytes) -> Answer:
    """Called in earnest, and taken back."""
    with transaction.atomic():
        answer = client(door.method, f"/{path}", body or None, **door.headers)
        transaction.set_rollback(True)
    return answer


__all__ = ["DOORS", "TOLD", "Door", "behind_them", "client_of", "merged", "registered", "walk"]
