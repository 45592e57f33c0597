"""Patient/$undo-merge: take a merge back. Our own operation: FHIR has none.

What the merge moved goes back to the source, and nothing else: a resource that was changed since keeps that change and only its references go
back; what came to the target since then stays there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from openward.fhir.definitions import type_number
from openward.fhir.errors import BadRequest, Refused
from openward.fhir.ids import is_id, new_id
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.read import read
from openward.fhir.interactions.writing import Address, prepare
from openward.fhir.moving import moved, places, under_way
from openward.fhir.operations import pair
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.references import target as target_of
from openward.fhir.search.rows import COLUMNS, version_of
from openward.fhir.versions import Version, instant, now

if TYPE_CHECKING:
    from openward.fhir.store import Store

VERSIONS = f"""select {COLUMNS} from unnest(%(rtype)s::smallint[], %(rkey)s::uuid[], %(ver)s::int[]) n(r, k, v)
  join fhir.body b on b.tenant = %(tenant)s and b.rtype = n.r and b.rkey = n.k and b.ver = n.v"""  # noqa: S608

NOT_A_MERGE = "The provenance of this task is not that of a merge."
MADE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})/_history/([1-9][0-9]{0,8})")

# (type, key) → the version the merge made of it
Made = Mapping[Address, int]


@operation("undo-merge", on=("type",), types=("Patient",), needs="update", url="urn:openward:operation:undo-merge", writes=True)
def undo_merge(call: Call) -> Answer:
    """Parameters: `task`, the Task that `$merge` answered with. Answers with outcome, and both patients as they are again."""
    store = call.store
    task = read(store, "Task", _task(call)).content
    if not pair.is_merge(task):
        raise BadRequest("This task is no merge.")
    source, target = (_patient(task, name) for name in ("focus", "for"))
    for id in (source, target):
        read(store, "Patient", id)
    made: dict[Address, int] = {}
    for output in task.get("output", ()):
        made |= _made(read(store, "Provenance", _named(output, "valueReference", "Provenance")).content)
    if not {("Patient", key_of("Patient", id)) for id in (source, target)} <= made.keys():
        raise BadRequest("The task does not say what the merge did.")
    pair.may_change(store, {"Task", *(type for type, _ in made)})
    patients = (key_of("Patient", source), key_of("Patient", target))
    return Answer(resource=_carry_out(store, task["id"], source, target, made), patients=patients)


def _task(call: Call) -> str:
    given = call.parameters.value("task")
    text = given.get("reference") if isinstance(given, dict) else given
    id = str(text or "").removeprefix("Task/")
    if not is_id(id):
        raise BadRequest("Which merge? The parameter task names the Task that $merge answered with.")
    return id


def _patient(task: Mapping[str, Any], name: str) -> str:
    return _named(task, name, "Patient")


def _named(holder: Mapping[str, Any], name: str, type: str) -> str:
    """The id a reference of the task names. Tasks can be written by anybody who may write tasks, so that nothing is taken on trust."""
    place = target_of(str(holder.get(name, {}).get("reference", "")))
    if place is None or place.type != type:
        raise BadRequest("The task does not say what was merged.")
    return place.id


def _made(provenance: Mapping[str, Any]) -> dict[Address, int]:
    found = [MADE.fullmatch(target.get("reference", "")) for target in provenance["target"]]
    if not all(found):
        raise BadRequest(NOT_A_MERGE)
    return {(one[1], key_of(one[1], one[2])): int(one[3]) for one in found if one}


def _carry_out(store: Store, task: str, source: str, target: str, made: Made) -> dict[str, Any]:
    with store.attempt("update", "Patient", key_of("Patient", target)), under_way():
        patients: dict[str, Version] = {}
        after: list[str] = []
        tasks: list[Version] = []
        batch: list[Version] = []
        for version in pair.locked(store, [*made, ("Task", key_of("Task", task))]):
            if version.type == "Patient":
                patients[version.id] = version
            elif version.type == "Task" and version.id == task:
                tasks.append(version)
            else:
                batch.append(version)
            if len(batch) == pair.AT_ONCE:
                after += _put_back(store, batch, made, source, target)
                batch = []
        after += _put_back(store, batch, made, source, target)
        standing = pair.live(patients, source), pair.live(patients, target)
        _check(tasks, *standing)
        restored = _restore(store, *standing, made)
        prepare(store, "create", "Provenance", new_id(), pair.provenance(store, [*(one.location for one in restored), *after], "unmerge"), None)
        _close(store, tasks[0])
    said = pair.outcome(f"{len(after)} resources went back from Patient/{target} to Patient/{source}.")
    parameters = [said, {"name": "source", "resource": restored[0].content}, {"name": "result", "resource": restored[1].content}]
    return {"resourceType": "Parameters", "parameter": parameters}


def _check(tasks: Sequence[Version], source: Version, target: Version) -> None:
    if not tasks or tasks[0].content["status"] != "completed":
        raise Refused("This merge was undone already.")
    if pair.links(source.content, pair.REPLACED_BY) != [target.reference]:
        raise Refused("The source is no longer merged into this target.")
    if pair.links(target.content, pair.REPLACED_BY):
        raise Refused("The target was itself merged into another patient since. Undo that merge first.")


def _before(store: Store, versions: Sequence[Version], made: Made) -> dict[Address, Version]:
    """Each resource as it stood just before the merge."""
    params = {
        "tenant": store.tenant,
        "rtype": [type_number(version.type) for version in versions],
        "rkey": [version.key for version in versions],
        "ver": [made[version.type, version.key] - 1 for version in versions],
    }
    found = {(one.type, one.key): one for one in map(version_of, store.execute(VERSIONS, params)) if not one.deleted}
    if len(found) < len(versions):
        raise BadRequest(NOT_A_MERGE)
    return found


def _put_back(store: Store, versions: Sequence[Version], made: Made, source: str, target: str) -> list[str]:
    """The versions that say the source again, where they said it before."""
    old = _before(store, versions, made)
    after = []
    for version in versions:
        at = places(old[version.type, version.key].content, f"Patient/{source}")
        content = moved(version.content, at, f"Patient/{target}", f"Patient/{source}")
        after.append(prepare(store, "update", version.type, version.id, content, version).version.location)
    return after


def _restore(store: Store, source: Version, target: Version, made: Made) -> tuple[Version, Version]:
    """Both patients as they were; of one changed since then only what the merge did to it is taken back."""
    before = _before(store, (source, target), made)
    old_source, old_target = (before["Patient", version.key].content for version in (source, target))
    was = {"active": old_source["active"]} if "active" in old_source else {}
    freed = {name: value for name, value in pair.unlinked(source.content, target.reference, pair.REPLACED_BY).items() if name != "active"} | was
    left = pair.unlinked(target.content, source.reference, pair.REPLACES)
    left = _without(left, old_source.get("identifier", ()), old_target.get("identifier", ()))
    contents = [
        deepcopy(old) if version.number == made["Patient", version.key] else new
        for version, old, new in ((source, old_source, freed), (target, old_target, left))
    ]
    written = [prepare(store, "update", "Patient", one.id, content, one).version for one, content in zip((source, target), contents, strict=True)]
    return written[0], written[1]


def _without(patient: dict[str, Any], given: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Without the identifiers the merge gave it."""
    names = {(one.get("system"), one.get("value")) for one in given} - {(one.get("system"), one.get("value")) for one in own}
    kept = [one for one in patient.pop("identifier", []) if (one.get("system"), one.get("value")) not in names]
    return {**patient, "identifier": kept} if kept else patient


def _close(store: Store, task: Version) -> None:
    """A merge that was undone was a mistake, and its task says so."""
    closed = {**task.content, "status": "entered-in-error", "statusReason": {"text": "undone"}, "lastModified": instant(now())}
    prepare(store, "update", "Task", task.id, closed, task)
