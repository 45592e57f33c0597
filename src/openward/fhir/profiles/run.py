"""One validation: what is looked at, and whom to ask about codes, profiles and references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from openward.fhir.profiles.findings import Findings
from openward.fhir.references import target

if TYPE_CHECKING:
    from openward.fhir.profiles.facts import Profile

Resolve = Callable[[str], Mapping[str, Any] | None]
MAX_DEPTH = 8
"""How many times a profile may lead on to another, from a resource to what it contains and from there on."""


class Codes(Protocol):
    """The part of openward.fhir.terminology.Terminology that profiles need."""

    def member(self, value_set: str, system: str | None, code: str, version: str | None = None) -> bool | None: ...


class Definitions(Protocol):
    """Where profiles and the value sets of their guides are found: see `catalogue.Catalogue`."""

    def find(self, canonical: str, guide: str = "") -> Profile | None: ...
    def check(self, profile: Profile) -> Callable[[Any, str, Run], Findings]: ...
    def member(self, value_set: str, system: str | None, code: str, guide: str = "") -> bool | None: ...


@dataclass(slots=True)
class Run:
    """`root` is all that was sent, perhaps a Bundle; `resource` the one under examination; `container` the one that it is contained in, else itself.

    `fetch` finds a resource elsewhere by its reference, None when it may not or cannot.
    """

    root: dict[str, Any]
    resource: dict[str, Any]
    known: Definitions
    terminology: Codes | None = None
    fetch: Resolve | None = None
    errors_only: bool = False
    depth: int = 0
    resolved: dict[str, Any] = field(default_factory=dict)
    container: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, resource: dict[str, Any], known: Definitions, terminology: Codes | None, fetch: Resolve | None, *, errors_only: bool) -> Run:
        return cls(resource, resource, known, terminology, fetch, errors_only, container=resource)

    def within(self, resource: dict[str, Any]) -> Run:
        """The same for a resource met on the way: contained, in the Bundle, or found by a reference."""
        is_inside = resource is self.container or any(one is resource for one in contained_in(self.container))
        container, resolved = (self.container, self.resolved) if is_inside else (resource, {})
        return Run(self.root, resource, self.known, self.terminology, self.fetch, self.errors_only, self.depth + 1, resolved, container)

    def member(self, value_set: str, system: str | None, code: str, guide: str) -> bool | None:
        known = self.known.member(value_set, system, code, guide)
        return known if known is not None or self.terminology is None else self.terminology.member(value_set, system, code)

    def resolve(self, reference: str) -> dict[str, Any] | None:
        """What a literal reference points at: contained, in the same Bundle, or elsewhere; None when that is not at hand."""
        if reference not in self.resolved:
            self.resolved[reference] = _contained(self, reference) or _bundled(self.root, reference) or self._elsewhere(reference)
        found: dict[str, Any] | None = self.resolved[reference]
        return found

    def _elsewhere(self, reference: str) -> Mapping[str, Any] | None:
        return self.fetch(reference) if self.fetch is not None and target(reference) else None


def contained_in(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    held = resource.get("contained")
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []


def _contained(run: Run, reference: str) -> dict[str, Any] | None:
    if reference == "#":
        return run.container
    named = reference[1:] if reference.startswith("#") else None
    return next((one for one in contained_in(run.container) if named is not None and one.get("id") == named), None)


def _bundled(root: Mapping[str, Any], reference: str) -> dict[str, Any] | None:
    entries = root.get("entry")
    if root.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return None
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and _is_named(entry, resource, reference):
            return resource
    return None


def _is_named(entry: Mapping[str, Any], resource: Mapping[str, Any], reference: str) -> bool:
    full = entry.get("fullUrl")
    if full == reference:
        return True
    return reference == f"{resource.get('resourceType')}/{resource.get('id')}"
