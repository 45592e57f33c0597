"""Extensions by their own definitions: where they may stand and what they hold. https://hl7.org/fhir/R4/extensibility.html

One that nobody here knows is a warning; a modifier nobody here knows is an error, for it may turn the meaning round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import has_structure, is_resource_type, structure
from openward.fhir.errors import Malformed
from openward.fhir.fhirpath import FhirPathError
from openward.fhir.json import dumps
from openward.fhir.profiles.constraints import evaluated, holds
from openward.fhir.profiles.discriminators import addresses
from openward.fhir.profiles.facts import Context, Profile
from openward.fhir.profiles.findings import ERROR, WARNING, Finding, Findings, place, under
from openward.fhir.profiles.packages import CORE
from openward.fhir.profiles.run import Run
from openward.fhir.profiles.values import type_of

NAMES = ("extension", "modifierExtension")
EXTENSION = b'xtension":'  # how a key of either name ends; within a string the quote would be escaped


@dataclass(frozen=True, slots=True)
class Place:
    """A value that may have extensions: `type` is the data type it is of, `name` and `index` where it stands in its parent."""

    value: dict[str, Any]
    type: str
    name: str = ""
    index: int | None = None
    parent: Place | None = None

    @property
    def where(self) -> str:
        return "" if self.parent is None else self.parent.where + place(self.name, self.index)

    @property
    def path(self) -> str:
        """The element, as the definitions name it; a whole resource starts anew."""
        return self.type if self.parent is None or is_resource_type(self.type) else f"{self.parent.path}.{self.name}"

    @property
    def url(self) -> str:
        """The extension that this is, or that it stands in."""
        return str(self.value.get("url", "")) if self.type == "Extension" else ""

    def kinds(self) -> Iterator[str]:
        """The element as seen from every type on the way to it, down to the type it is of, each with what it inherits from."""
        yield from _lineage(self.type)
        ways: list[str] = []
        here: Place = self
        while here.parent is not None and not is_resource_type(here.type):
            ways.insert(0, here.name)
            here = here.parent
            yield from (".".join([one, *ways]) for one in _lineage(here.type))


def _lineage(type: str) -> Iterator[str]:
    own: str | None = type
    while own is not None:
        yield own
        own = structure(own).base if has_structure(own) else None


def check_extensions(run: Run, type: str, guide: str) -> Findings:
    """Every extension in the resource, those inside extensions and contained resources too."""
    found: Findings = []
    if not has_extensions(run.resource):
        return found
    for one in extensions_below(Place(run.resource, type)):
        found += _found_in(one, run, guide)
    return found


def has_extensions(data: dict[str, Any]) -> bool:
    """Most resources have none, and looking for the names in the text alone is the quickest way to know it."""
    try:
        return EXTENSION in dumps(data)
    except Malformed:
        return True


def extensions_below(root: Place) -> list[Place]:
    """The extensions in a value and in everything below it, each as a place of its own."""
    found: list[Place] = []
    waiting = [root]
    while waiting:
        here = waiting.pop()
        if here.name in NAMES and here.type == "Extension":
            found.append(here)
        by_key = structure(here.type).by_key if has_structure(here.type) else ELEMENT
        for key, value in here.value.items():
            kind = value.__class__
            if kind is dict or kind is list:
                known = by_key.get(key) or by_key.get(key.removeprefix("_"))
                if known is not None:
                    waiting += _places(value, known[0].name, known[1], here)
    return found


ELEMENT = structure("Element").by_key


def _places(value: Any, name: str, type: str, parent: Place) -> Iterator[Place]:
    if value.__class__ is dict:
        yield Place(value, type_of(value, type), name, None, parent)
        return
    for index, one in enumerate(value):
        if one.__class__ is dict:
            yield Place(one, type_of(one, type), name, index, parent)


def _found_in(one: Place, run: Run, guide: str) -> Findings:
    url, around = one.url, one.parent
    if around is None or not url:
        return []
    if around.url and ":" not in url:
        return _of_no_part(one, url, around.url, run, guide)
    profile = run.known.find(url, guide)
    if profile is None or profile.type != "Extension":
        if one.name == "modifierExtension":
            return [Finding(one.where, "extension", f"the modifier extension {url[:200]} is not known here")]
        return [Finding(one.where, "extension", f"the extension {url[:200]} is not known here", WARNING)]
    return [*under(one.where, run.known.check(profile)(one.value, "Extension", run)), *_misplaced(one, around, profile, run)]


def _of_no_part(one: Place, url: str, outer: str, run: Run, guide: str) -> Findings:
    """A relative url names a part that the extension around it defines; of another nobody can know what it means."""
    profile = run.known.find(outer, guide) if ":" in outer else None
    parts = profile.root.child("extension") if profile is not None and profile.type == "Extension" else None
    if parts is None or not parts.slices or any(url in addresses(part) for part in parts.slices):
        return []
    return [Finding(one.where, "extension", f"{url[:200]} is not a part of the extension {outer[:200]}", WARNING)]


def _misplaced(one: Place, around: Place, profile: Profile, run: Run) -> Iterator[Finding]:
    # The contexts in the 4.0.1 package are narrower than the specification's own resources keep to.
    severity = WARNING if profile.guide == CORE else ERROR
    if profile.is_modifier is not (one.name == "modifierExtension"):
        yield Finding(one.where, "extension", f"stands as {one.name}, which it is not", profile=profile.canonical)
    if profile.contexts and not any(_is_here(context, around, run) for context in profile.contexts):
        yield Finding(one.where, "extension", f"may not stand on {around.path}", severity, profile=profile.canonical)
    for expression in profile.context_invariants:
        if not _keeps(expression, around, run):
            yield Finding(one.where, "extension", "may not stand here: a rule of its context is broken", severity, profile=profile.canonical)


def _keeps(expression: str, around: Place, run: Run) -> bool:
    try:
        return holds(expression, around.value, around.type, run)
    except FhirPathError:
        return True


def _is_here(context: Context, around: Place, run: Run) -> bool:
    """https://hl7.org/fhir/R4/valueset-extension-context-type.html"""
    if context.type == "extension":
        return around.url == context.expression
    if context.type == "fhirpath":
        return _is_among(context.expression, around, run)
    wanted = context.expression.rpartition("#")[2].replace("[x]", "")
    return wanted in ("Element", "*") or wanted in around.kinds()


def _is_among(expression: str, around: Place, run: Run) -> bool:
    try:
        found = evaluated(expression, run.resource, str(run.resource.get("resourceType")), run)
    except FhirPathError:
        return True
    return any(one is around.value or one == around.value for one in found)
