"""FHIR Patient/$match: who on record may be this person, each with how sure that is.

https://hl7.org/fhir/R4/patient-operation-match.html
"""

from __future__ import annotations

from typing import Any

from openward.fhir.bundles.answers import raw
from openward.fhir.errors import BadRequest, Forbidden
from openward.fhir.matching import Match, Matcher
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.validation import check
from openward.fhir.versions import Version

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
USUAL, MOST = 10, 100


@operation("match", on=("type",), types=("Patient",), needs="search", url="http://hl7.org/fhir/OperationDefinition/Patient-match")
def match(call: Call) -> Answer:
    """A searchset of candidates, the likeliest first; with onlyCertainMatches the certain ones, and none when two are certain."""
    patient = call.parameters.resource("resource")
    if patient is None or patient.get("resourceType") != "Patient":
        raise BadRequest("$match needs a Patient to match, in the parameter resource.")
    check(patient)
    where = call.store.policy.where(call.store.actor, "search", "Patient")
    if where is None:
        raise Forbidden("You may not search Patient.")
    call.store.flush()
    wanted = min(call.parameters.number("count") or USUAL, MOST)
    theirs = {name: value for name, value in patient.items() if name != "id"}  # an id of theirs may be another person's here
    found = Matcher(call.store.connection, call.store.tenant, where).compared(theirs, limit=MOST)
    if call.parameters.flag("onlyCertainMatches"):
        certain = [pair for pair in found if pair[0].grade == "certain"]
        found = certain if len(certain) == 1 else []  # of all there are: `count` must not make one of two
    found = found[:wanted]
    patients = tuple(version.key for _, version in found)
    return Answer(resource=_bundle(call, [_entry(call, *pair) for pair in found]), patients=patients)


def _bundle(call: Call, entries: list[dict[str, Any]]) -> dict[str, Any]:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    bundle["link"] = [{"relation": "self", "url": f"{call.url}/Patient/$match"}]
    return {**bundle, "entry": entries} if entries else bundle


def _entry(call: Call, match: Match, version: Version) -> dict[str, Any]:
    search = {"extension": [{"url": GRADE, "valueCode": match.grade}], "mode": "match", "score": match.score}
    return {"fullUrl": f"{call.url}/{version.reference}", "resource": raw(version), "search": search}
