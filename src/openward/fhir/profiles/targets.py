"""What a reference may point at: resources of certain types, or that conform to certain profiles. https://hl7.org/fhir/R4/references.html"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.profiles.facts import Profile
from openward.fhir.profiles.findings import Finding, Findings, is_error
from openward.fhir.profiles.reduction import CORE
from openward.fhir.profiles.run import MAX_DEPTH, Definitions, Run

Rule = Callable[[Any, Run], Findings | None]


def target_types(canonicals: tuple[str, ...], known: Definitions, guide: str) -> frozenset[str] | None:
    """The resource types meant by target profiles; None when one of them is not known here, so that any type may be right."""
    types = {_type_of(canonical, known, guide) for canonical in canonicals}
    return None if None in types else frozenset(type for type in types if type)


def _type_of(canonical: str, known: Definitions, guide: str) -> str | None:
    plain = canonical.split("|")[0].removeprefix(CORE)
    if is_resource_type(plain):
        return plain
    profile = known.find(canonical, guide)
    return profile.type if profile else None


def target_rule(canonicals: tuple[str, ...], known: Definitions, guide: str) -> Rule | None:
    """A check of a Reference. A resource that is contained is held to the profiles too; one elsewhere answers for itself."""
    types = target_types(canonicals, known, guide)
    if types is None:
        return None
    names = sorted(types)
    sentence = f"may only refer to {', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else f"may only refer to {''.join(names)}"
    profiles = [profile for profile in (known.find(canonical, guide) for canonical in canonicals) if profile is not None]
    is_plain = len(profiles) < len(canonicals)

    def rule(reference: Any, run: Run) -> Findings | None:
        type = referred_type(reference, run)
        if type is not None and type not in types:
            return [Finding("", "invalid", f"{sentence}, not to {type}")]
        literal = reference.get("reference", "") if isinstance(reference, dict) else ""
        if is_plain or not isinstance(literal, str) or literal[:1] != "#" or type is None:
            return None
        return _held(literal, profiles, run)

    return rule


def _held(literal: str, profiles: list[Profile], run: Run) -> Findings | None:
    resource = run.resolve(literal)
    if resource is None or resource is run.container or run.depth >= MAX_DEPTH:
        return None
    wanted = [profile for profile in profiles if profile.type == resource.get("resourceType")]
    if not wanted or any(conforms(resource, profile, run) for profile in wanted):
        return None
    return [Finding("", "invalid", f"refers to a contained resource that conforms to none of {', '.join(profile.name for profile in wanted)}")]


def conforms(resource: dict[str, Any], profile: Profile, run: Run) -> bool:
    if resource.get("resourceType", profile.type) != profile.type or run.depth >= MAX_DEPTH:
        return False
    return not any(map(is_error, run.known.check(profile)(resource, profile.type, run.within(resource))))


def referred_type(reference: Any, run: Run) -> str | None:
    """The type of what a Reference points at, as far as the reference or the resource at hand tells it."""
    if not isinstance(reference, Mapping):
        return None
    literal = reference.get("reference")
    if isinstance(literal, str):
        for name in _named(literal):
            return name
        if literal[:1] == "#" or literal[:4] == "urn:":
            resource = run.resolve(literal)
            named = resource.get("resourceType") if resource is not None else None
            if isinstance(named, str):
                return named
    stated = reference.get("type")
    return stated if isinstance(stated, str) and is_resource_type(stated) else None


def _named(literal: str) -> Iterator[str]:
    """The type in `Patient/1`, `Patient?identifier=…`, `https://server/fhir/Patient/1/_history/2`."""
    parts = literal.split("?")[0].split("/")
    if len(parts) == 1 and "?" in literal and is_resource_type(parts[0]):
        yield parts[0]
    if len(parts) >= 4 and parts[-2] == "_history":
        parts = parts[:-2]
    if len(parts) >= 2 and is_resource_type(parts[-2]):
        yield parts[-2]
