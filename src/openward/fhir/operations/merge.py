"""FHIR Patient/$merge: two records of one person become one; what was said of the source is said of the target.

https://build.fhir.org/patient-operation-merge.html (R5 and later; the parameters are the same here)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from openward.fhir.errors import BadRequest, Refused
from openward.fhir.ids import key as key_of
from openward.fhir.ids import new_id
from openward.fhir.interactions.read import read
from openward.fhir.interactions.writing import Address, prepare
from openward.fhir.moving import moved, places, under_way
from openward.fhir.operations import pair
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.versions import Version, instant, now


@dataclass(frozen=True, slots=True)
class Merge:
    """What is asked. `result`: the target as it shall be, when the caller says so."""

    source: str
    target: str
    result: Mapping[str, Any] | None

    @property
    def source_reference(self) -> str:
        return f"Patient/{self.source}"

    @property
    def target_reference(self) -> str:
        return f"Patient/{self.target}"


@operation(
    "merge", on=("type",), types=("Patient",), needs="update", url="http://hl7.org/fhir/OperationDefinition/Patient-merge", writes=True
)  # fmt: skip
def merge(call: Call) -> Answer:
    """Parameters: outcome, the resulting Patient, and the Task by which `$undo-merge` takes it back. With `preview` nothing is stored."""
    asked = _asked(call)
    source, target = (read(call.store, "Patient", id) for id in (asked.source, asked.target))
    _check(asked, source.content, target.content)
    moving = pair.pointing_at(call.store, asked.source)
    pair.may_change(call.store, {"Patient", *(type for type, _ in moving)})
    patients = (source.key, target.key)
    if call.parameters.flag("preview"):
        return Answer(resource=_preview(asked, source.content, target.content, moving), patients=patients)
    return Answer(resource=_carry_out(call, asked, moving), patients=patients)


def _asked(call: Call) -> Merge:
    given, store = call.parameters, call.store
    source, target = (
        pair.named(store, given.value(f"{which}-patient"), given.value(f"{which}-patient-identifier"), f"{which}-patient")
        for which in ("source", "target")
    )
    if source == target:
        raise BadRequest("A patient is not merged with themselves: source and target are the same.")
    result = given.resource("result-patient")
    if result is not None and (result.get("resourceType"), result.get("id")) != ("Patient", target):
        raise BadRequest("result-patient is the target as it shall be: a Patient with the id of the target.")
    return Merge(source, target, result)


def _check(asked: Merge, source: Mapping[str, Any], target: Mapping[str, Any]) -> None:
    """A record that was merged already stays with what it was merged into; into that one again moves what came since."""
    if any(link != asked.target_reference for link in pair.links(source, pair.REPLACED_BY)):
        raise Refused("The source was merged into another patient already. Undo that merge first.")
    if pair.links(target, pair.REPLACED_BY):
        raise Refused("The target was itself merged into another patient. Merge into that one.")


def _result(asked: Merge, source: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    """The target afterwards: as the caller says, else with the identifiers of the source as old ones."""
    if asked.result is not None:
        return pair.linked(asked.result, asked.source_reference, pair.REPLACES)
    known = {(one.get("system"), one.get("value")) for one in target.get("identifier", ())}
    taken = [{**deepcopy(one), "use": "old"} for one in source.get("identifier", ()) if (one.get("system"), one.get("value")) not in known]
    merged = pair.linked(target, asked.source_reference, pair.REPLACES)
    return {**merged, "identifier": [*merged.get("identifier", []), *taken]} if taken else merged


def _replaced(asked: Merge, source: Mapping[str, Any]) -> dict[str, Any]:
    return {**pair.linked(source, asked.target_reference, pair.REPLACED_BY), "active": False}


def _preview(asked: Merge, source: Mapping[str, Any], target: Mapping[str, Any], moving: Sequence[Address]) -> dict[str, Any]:
    counts = Counter(type for type, _ in moving)
    moves = [{"name": "moves", "part": [{"name": "type", "valueCode": t}, {"name": "count", "valueInteger": n}]} for t, n in sorted(counts.items())]
    said = pair.outcome(f"{len(moving)} resources would be moved to {asked.target_reference}.")
    return {"resourceType": "Parameters", "parameter": [said, {"name": "result", "resource": _result(asked, source, target)}, *moves]}


def _carry_out(call: Call, asked: Merge, moving: Sequence[Address]) -> dict[str, Any]:
    """All of it in one transaction. Every row is locked before it is looked at, so that of two merges of one patient the second sees the first."""
    store = call.store
    addresses: list[Address] = [*moving, *(("Patient", key_of("Patient", id)) for id in (asked.source, asked.target))]
    with store.attempt("update", "Patient", key_of("Patient", asked.target)), under_way():
        patients: dict[str, Version] = {}
        after: list[str] = []
        for version in pair.locked(store, addresses):
            if version.type == "Patient":
                patients[version.id] = version
            elif not pair.is_merge(version.content):
                after += _move(call, asked, version)
        source, target = (pair.live(patients, id) for id in (asked.source, asked.target))
        _check(asked, source.content, target.content)
        earlier = _earlier(call, asked) if pair.links(source.content, pair.REPLACED_BY) else None
        result = prepare(store, "update", "Patient", target.id, _result(asked, source.content, target.content), target).version
        replaced = prepare(store, "update", "Patient", source.id, _replaced(asked, source.content), source).version
        task = _record(call, asked, after, earlier) if earlier else _record(call, asked, [result.location, replaced.location, *after], None)
    said = pair.outcome(f"{len(after)} resources were moved from {asked.source_reference} to {asked.target_reference}.")
    parameters = [said, {"name": "result", "resource": result.content}, {"name": "task", "resource": task}]
    return {"resourceType": "Parameters", "parameter": parameters}


def _move(call: Call, asked: Merge, version: Version) -> list[str]:
    """The new version of one resource, as `Type/id/_history/n`; none when it does not say whose it is by a plain reference."""
    at = places(version.content, asked.source_reference)
    if not at:
        return []
    content = moved(version.content, at, asked.source_reference, asked.target_reference)
    return [prepare(call.store, "update", version.type, version.id, content, version).version.location]


def _earlier(call: Call, asked: Merge) -> Version | None:
    """The merge of the same two that this one goes on with."""
    code = f"{pair.TASK_CODE['system']}|{pair.TASK_CODE['code']}"
    params = [("focus", asked.source_reference), ("patient", asked.target_reference), ("code", code), ("status", "completed"), ("_count", "1")]
    return next(iter(call.store.search("Task", params).matches), None)


def _record(call: Call, asked: Merge, after: Sequence[str], earlier: Version | None) -> dict[str, Any]:
    """The Provenance names every version the merge made; the Task names the Provenance, and is what an undo is asked by."""
    store = call.store
    if earlier and not after:
        return earlier.content
    provenance = prepare(store, "create", "Provenance", new_id(), pair.provenance(store, after, "merge"), None).version
    output = {"type": {"text": "provenance"}, "valueReference": {"reference": provenance.reference}}
    if earlier:
        task = {**earlier.content, "lastModified": instant(now()), "output": [*earlier.content["output"], output]}
        return prepare(store, "update", "Task", earlier.id, task, earlier).version.content
    return prepare(store, "create", "Task", new_id(), _task(asked, output), None).version.content


def _task(asked: Merge, output: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": "completed",
        "intent": "order",
        "code": {"coding": [pair.TASK_CODE]},
        "for": {"reference": asked.target_reference},
        "focus": {"reference": asked.source_reference},
        "authoredOn": instant(now()),
        "lastModified": instant(now()),
        "output": [output],
    }
