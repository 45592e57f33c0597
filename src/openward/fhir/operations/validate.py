"""FHIR $validate: would this resource be taken, and does it keep its profiles? https://hl7.org/fhir/R4/resource-operation-validate.html"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openward.fhir.errors import BadRequest, FhirError, Issue
from openward.fhir.fhirpath import FhirPathTooCostly
from openward.fhir.ids import is_id
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.writing import existing, unseen
from openward.fhir.operations.registry import Call, operation
from openward.fhir.profiles import validate as validate_resource
from openward.fhir.profiles.holding import Lookup, fetching
from openward.fhir.profiles.installed import catalogue_of
from openward.fhir.profiles.policy import current
from openward.fhir.profiles.validating import is_base
from openward.fhir.protocols import Interaction
from openward.fhir.references import located, target
from openward.fhir.terminology import Terminology
from openward.fhir.terminology.doubts import doubts
from openward.fhir.validation.advice import advise

MODES = ("create", "update", "delete", "profile")
MAX_PROFILES = 20
SOUND = Issue("informational", "All OK: nothing was found wrong.", severity="information")


@operation("validate", on=("type", "instance"), needs="read", url="http://hl7.org/fhir/OperationDefinition/Resource-validate")
def validate(call: Call) -> Mapping[str, Any]:
    """An OperationOutcome that lists everything there is to say, with status 200 whether the resource is sound or not."""
    mode = call.parameters.text("mode")
    if mode is not None and mode not in MODES:
        raise BadRequest(f"mode is one of {', '.join(MODES)}.")
    if mode == "delete":
        return outcome(list(_deletion(call)))
    resource = _resource(call, mode)
    issues = _of_profiles(call, resource) + list(_of_mode(call, resource, mode))
    is_sound = all(issue.severity in ("warning", "information") for issue in issues)
    return outcome([*issues, *(_advice(resource, call) if is_sound else ())])


def _advice(resource: dict[str, Any], call: Call) -> list[Issue]:
    """What R4 itself only warns of, such as a resource without a narrative (dom-6), and codes that their code systems do not have."""
    try:
        return [*advise(resource), *doubts(resource, Terminology.of(call.store))]
    except FhirPathTooCostly:
        return [Issue("too-costly", "The resource is too large to be looked through for what R4 only advises.", severity="information")]


def outcome(issues: Sequence[Issue]) -> dict[str, Any]:
    """Errors first, then warnings."""
    ordered = sorted(issues, key=lambda issue: ("fatal", "error", "warning", "information").index(issue.severity))
    return {"resourceType": "OperationOutcome", "issue": [issue.to_fhir() for issue in ordered or [SOUND]]}


def _resource(call: Call, mode: str | None) -> dict[str, Any]:
    """The one sent, or the one stored at the address. Raises BadRequest when there is neither, and what reading raises."""
    sent = call.parameters.resource("resource")
    if sent is not None and mode == "profile" and call.id is not None:
        raise BadRequest("With the mode profile the stored resource is validated: send none, or use another mode.")
    if sent is not None:
        return sent
    if call.id is None or call.type is None or mode in ("create", "update"):
        raise BadRequest("Send the resource to be validated, as the body or as the parameter resource.")
    stored: dict[str, Any] = call.store.read(call.type, call.id).data
    return stored


def _profiles(call: Call) -> list[str]:
    named = [str(one) for one in call.parameters.all("profile")]
    if len(named) > MAX_PROFILES:
        raise BadRequest(f"profile is given {len(named)} times; at most {MAX_PROFILES} are taken.")
    return named


def _of_profiles(call: Call, resource: dict[str, Any]) -> list[Issue]:
    """Base, extensions, and the profiles: those named, else those declared; and those the policy of writes holds the type to."""
    store, named = call.store, _profiles(call)
    catalogue, terminology, resolve = catalogue_of(store, fresh=True), Lookup(store), fetching(store)
    unknown = {canonical for canonical in named if catalogue.find(canonical) is None and not is_base(canonical)}
    besides = [*(one for one in named if one not in unknown), *current().by_type.get(str(resource.get("resourceType")), ())]
    issues = validate_resource(resource, catalogue=catalogue, terminology=terminology, resolve=resolve, besides=besides)
    issues += [Issue("not-found", f"The profile {canonical[:200]} is not known here.") for canonical in sorted(unknown)]
    return issues


def _of_mode(call: Call, resource: dict[str, Any], mode: str | None) -> Iterator[Issue]:
    """What only this address and this interaction would refuse."""
    type, id = resource.get("resourceType"), resource.get("id")
    if type != call.type:
        yield Issue("invalid", f"The resource is not a {call.type}, which this address is for.", str(type)[:64])
        return
    if mode == "update" and not (isinstance(id, str) and is_id(id)):
        yield Issue("required", f"{type}.id: an update needs the id of the resource", f"{type}.id")
    if mode == "update" and call.id is not None and id != call.id:
        yield Issue("value", f"{type}.id: is not {call.id}, the id of the address", f"{type}.id")
    if mode in ("create", "update"):
        refused = list(_unwelcome(call, mode))
        # What is there is told only to those who would be told by the write itself.
        yield from refused or _dangling(call, resource)


def _unwelcome(call: Call, mode: str) -> Iterator[Issue]:
    store, type = call.store, str(call.type)
    interaction: Interaction = "create" if mode == "create" else "update"
    if store.policy.where(store.actor, interaction, type) is None:
        yield Issue("forbidden", f"You may not {interaction} {type}.")


def _dangling(call: Call, resource: dict[str, Any]) -> Iterator[Issue]:
    """References of this server that lead to nothing, which a write would be refused for."""
    if not call.store.strict_references:
        return
    named = [(path, reference, found) for path, reference in located(resource, str(call.type)) if (found := target(reference))]
    addresses = {(found.type, key_of(found.type, found.id)) for _, _, found in named}
    there = set(existing(call.store, sorted(addresses))) - set(unseen(call.store, addresses))
    for path, reference, found in named:
        if (found.type, key_of(found.type, found.id)) not in there:
            yield Issue("not-found", f"{reference} does not exist.", path)


def _deletion(call: Call) -> Iterator[Issue]:
    """Whether the resource is there and the actor may delete it; nothing is deleted."""
    if call.id is None or call.type is None:
        raise BadRequest("Whether a resource may be deleted is asked at its own address.")
    try:
        stored = call.store.read(call.type, call.id)
    except FhirError as error:
        yield from error.issues
        return
    if not call.store.policy.allows(call.store.actor, "delete", call.type, stored.data, None):
        yield Issue("forbidden", f"You may not delete this {call.type}.")
