"""A whole resource against its base type, its profiles, and the definitions of its extensions: every fault at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openward.fhir.definitions import has_structure, is_resource_type
from openward.fhir.errors import Issue
from openward.fhir.profiles.catalogue import Catalogue, built_in_catalogue
from openward.fhir.profiles.extensions import check_extensions
from openward.fhir.profiles.facts import Profile
from openward.fhir.profiles.findings import WARNING, Finding, Findings, place, under
from openward.fhir.profiles.reduction import CORE
from openward.fhir.profiles.run import MAX_DEPTH, Codes, Resolve, Run
from openward.fhir.validation import validate as validate_base

RELEASES = ("", "4.0", "4.0.1")
PLAIN = frozenset({"Binary", "Bundle", "Parameters"})
"""The types that are Resources and no DomainResources."""


def validate(
    resource: Mapping[str, Any],
    profiles: Sequence[str] | None = None,
    *,
    catalogue: Catalogue | None = None,
    terminology: Codes | None = None,
    resolve: Resolve | None = None,
    base: bool = True,
    errors_only: bool = False,
    besides: Sequence[str] = (),
) -> list[Issue]:
    """Everything there is to say of `resource` (parsed JSON, decimals as Decimal): errors, warnings; empty when it is sound.

    `profiles`: canonical addresses; None means those in its `meta.profile`, and in those of the resources of a Bundle. An address that is not
    known here is a warning. `resolve` finds a resource by a relative reference, for slices and invariants that look there.
    `base`: False when the base validation has been done. `errors_only`: warnings about codes are not looked for.
    `besides`: profiles to be kept besides those declared; a declared address without a version means the version that is named here.
    """
    known = catalogue or built_in_catalogue()
    issues = validate_base(resource) if base else []
    type = resource.get("resourceType")
    if not isinstance(resource, dict) or not isinstance(type, str) or not is_resource_type(type):
        return issues
    run = Run.of(resource, known, terminology, resolve, errors_only=errors_only)
    found = _findings(run, type, _wanted(resource, besides) if profiles is None else profiles)
    if profiles is None:
        found += _inside(run)
    return [*issues, *_distinct(one.issue(type) for one in found)]


def declared(resource: Mapping[str, Any]) -> list[str]:
    meta = resource.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    return [one for one in profiles if isinstance(one, str)] if isinstance(profiles, list) else []


def _wanted(resource: Mapping[str, Any], besides: Sequence[str]) -> list[str]:
    named = {canonical.split("|")[0] for canonical in besides}
    return list(dict.fromkeys([*(canonical for canonical in declared(resource) if canonical not in named), *besides]))


def _findings(run: Run, type: str, canonicals: Iterable[str]) -> Findings:
    profiles, found = [], Findings()
    for canonical in canonicals:
        profile = run.known.find(canonical)
        if profile is not None:
            profiles.append(profile)
            found += run.known.check(profile)(run.resource, type, run)
        elif is_base(canonical):
            found += _of_another_type(canonical, type)
        else:
            found.append(Finding(".meta.profile", "not-found", f"the profile {canonical[:200]} is not known here", WARNING))
    return found + check_extensions(run, type, _guide(profiles))


def is_base(canonical: str) -> bool:
    """A type's own definition in R4, which the base validation has checked of the resources that are of the type."""
    url, _, version = canonical.partition("|")
    return url.startswith(CORE) and has_structure(url.removeprefix(CORE)) and version in RELEASES


def _of_another_type(canonical: str, type: str) -> Findings:
    """A resource keeps the definition of its own type and of what that is derived from, and of no other."""
    named = canonical.partition("|")[0].removeprefix(CORE)
    if named in (type, "Resource") or (named == "DomainResource" and type not in PLAIN):
        return []
    return [Finding("", "structure", f"is a {type}; the profile is one of {named}", profile=canonical)]


def _guide(profiles: Sequence[Profile]) -> str:
    """The guide whose extension definitions hold: the first profile's that is not of the specification itself."""
    return next((profile.guide for profile in profiles if not profile.url.startswith(CORE)), "")


def _inside(run: Run) -> Findings:
    """What the resources inside a Bundle, and those contained, say of the profiles they declare themselves."""
    found: Findings = []
    for where, inner in _resources_in(run.resource):
        type = inner.get("resourceType")
        if isinstance(type, str) and is_resource_type(type):
            within = run.within(inner)
            found += under(where, _declared_findings(within, type))
            found += under(where, _inside(within)) if within.depth < MAX_DEPTH else []
    return found


def _declared_findings(run: Run, type: str) -> Findings:
    found: Findings = []
    for canonical in declared(run.resource):
        profile = run.known.find(canonical)
        if profile is not None:
            found += run.known.check(profile)(run.resource, type, run)
        elif is_base(canonical):
            found += _of_another_type(canonical, type)
    return found


def _resources_in(resource: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    entries, contained = resource.get("entry"), resource.get("contained")
    if resource.get("resourceType") == "Bundle" and isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield f"{place('entry', index)}.resource", entry["resource"]
    for index, one in enumerate(contained if isinstance(contained, list) else ()):
        if isinstance(one, dict):
            yield place("contained", index), one


def _distinct(issues: Iterable[Issue]) -> list[Issue]:
    return list(dict.fromkeys(issues))
