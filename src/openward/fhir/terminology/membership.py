"""Is this code in that value set? Small sets become sets in memory once; then the answer is two look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openward.fhir.errors import FhirError
from openward.fhir.terminology.catalogue import Catalogue, Definition
from openward.fhir.terminology.compose import Composition

SMALL = 5_000
KEPT_ANSWERS = 100_000


@dataclass(frozen=True, slots=True)
class Members:
    """A whole value set. `folds`: a system in it does not mind case, so that a miss needs a second look."""

    by_system: Mapping[str, frozenset[str]]
    codes: frozenset[str]
    folds: bool


def member(catalogue: Catalogue, value_set: str, system: str | None, code: str) -> bool | None:
    state = catalogue.state
    members = state.members.get(value_set, state)
    if members is state:
        members = state.members[value_set] = _members(catalogue, value_set)
    if members is not None:
        if code in (members.codes if system is None else members.by_system.get(system, ())):
            return True
        if not members.folds:
            return False
    key = (value_set, system, code)
    if key not in state.answers:
        if len(state.answers) > KEPT_ANSWERS:
            state.answers.clear()
        state.answers[key] = _asked(catalogue, value_set, system, code)
    return state.answers[key]


def _asked(catalogue: Catalogue, value_set: str, system: str | None, code: str) -> bool | None:
    definition = catalogue.value_set(value_set)
    return Composition(catalogue).holds(definition, system, code) if definition else None


def _members(catalogue: Catalogue, value_set: str) -> Members | None:
    """None where a set in memory would be large, or would not be the whole truth."""
    definition = catalogue.value_set(value_set)
    if definition is None or not _may_be_small(catalogue, definition):
        return None
    composition = Composition(catalogue)
    found: dict[str, set[str]] = {}
    try:
        for count, concept in enumerate(composition.concepts(definition)):
            if count >= SMALL:
                return None
            found.setdefault(concept.system, set()).add(concept.code)
    except FhirError:
        return None
    if not composition.is_whole:
        return None
    by_system = {url: frozenset(codes) for url, codes in found.items()}
    return Members(by_system, frozenset().union(*found.values()), _folds(catalogue, definition))


def _may_be_small(catalogue: Catalogue, definition: Definition) -> bool:
    """Not so where all of a large code system would have to be read to find out."""
    for part in definition.resource.get("compose", {}).get("include", ()):
        if part.get("system") and not part.get("concept"):
            size = catalogue.size(part["system"], part.get("version"), definition.package)
            if size is None or size > SMALL:
                return False
    return True


def _folds(catalogue: Catalogue, definition: Definition) -> bool:
    compose = definition.resource.get("compose", {})
    if any(part.get("valueSet") for part in compose.get("include", ())):
        return True
    systems = [catalogue.system(part["system"], part.get("version"), definition.package) for part in compose.get("include", ()) if part.get("system")]
    return any(system is not None and not system.is_case_sensitive for system in systems)
