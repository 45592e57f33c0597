"""`openward ig`: a guide put into the record and taken out again, as a whole or not at all. https://hl7.org/fhir/R4/packages.html"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from openward.fhir.definitions import has_structure
from openward.fhir.errors import FhirError, NotFound, Refused
from openward.fhir.profiles import installed
from openward.fhir.profiles.catalogue import Catalogue
from openward.fhir.profiles.expansions import UNKNOWN, Codes, as_value_set, expand
from openward.fhir.profiles.facts import Profile
from openward.fhir.profiles.merging import merge, with_ids
from openward.fhir.profiles.packages import FILES
from openward.fhir.profiles.reading import Package, read
from openward.fhir.profiles.reduction import CORE, NotAProfile, reduce

if TYPE_CHECKING:
    from openward.fhir.store import Store

R4 = ("4.0", "4.0.0", "4.0.1")


@dataclass
class Report:
    """`without`: what was left out, by address, and why. `lacking`: guides that this one names and that are not here."""

    guide: str
    profiles: int = 0
    value_sets: int = 0
    resources: int = 0
    without: dict[str, str] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.guide}: {self.profiles:,} profiles, {self.value_sets:,} value sets with their codes, {self.resources:,} resources stored."]
        lines += [f"  left out: {address}: {why}" for address, why in self.without.items()]
        lines += [f"  names {guide}, which is not installed: what it defines is not checked." for guide in self.lacking]
        return "\n".join(lines)


def install(store: Store, packed: bytes) -> Report:
    """Put a package into the record, in place of an earlier copy of the same version. What is built in may be installed too: its resources are then there.

    Raises NotAPackage, TooCostly, and Refused for a guide of another FHIR version.
    """
    package = read(packed)
    if package.fhir_versions and not any(version in R4 for version in package.fhir_versions):
        raise Refused(f"{package.guide} is written for FHIR {', '.join(package.fhir_versions)}; this server speaks 4.0.1.")
    # A guide points at its examples, which stay out.
    with store.attempt("create", None), _any_reference(store):
        catalogue = installed.catalogue_of(store, fresh=True)
        report = Report(package.guide, lacking=_lacking(package, store))
        profiles = Reducing(package, catalogue, report.without).profiles()
        codes = _codes(package, catalogue)
        references = _store(store, package, report)
        installed.keep(store, package.guide, package.title, profiles, codes, references)
    report.profiles, report.value_sets, report.resources = len(profiles), len(codes), len(references)
    return report


def remove(store: Store, name: str) -> list[str]:
    """Take a guide out: `package#version`, or `package` for all its versions. Gives what was removed. Raises NotFound, Refused."""
    found = [one for one in installed.guides(store) if name in (one.guide, one.guide.split("#")[0])]
    if not found and any(name in (guide, guide.split("#")[0]) for guide in FILES):
        raise Refused(f"{name} is built in and stays.")
    if not found:
        raise NotFound(f"No guide {name[:200]} is installed.")
    with store.attempt("delete", None):
        for one in found:
            for reference in one.resources:
                type, _, id = reference.partition("/")
                if store.find(type, id) is not None:
                    store.delete(type, id)
            installed.drop(store, one.guide)
    return [one.guide for one in found]


def _lacking(package: Package, store: Store) -> list[str]:
    here = {guide.split("#")[0] for guide in FILES} | {one.guide.split("#")[0] for one in installed.guides(store)} | {"hl7.terminology.r4"}
    return sorted(f"{name}#{version}" for name, version in package.dependencies.items() if name not in here)


class Reducing:
    """The profiles of one package, each after the one it starts from."""

    def __init__(self, package: Package, catalogue: Catalogue, without: dict[str, str]) -> None:
        self.package = package
        self.catalogue = catalogue
        self.without = without
        self.definitions = {str(d.get("url")): d for d in package.of("StructureDefinition") if d.get("derivation") == "constraint"}
        self.made: dict[str, Profile] = {}
        self.under_way: set[str] = set()

    def profiles(self) -> list[Profile]:
        for url, definition in self.definitions.items():
            try:
                self._made(url, definition)
            except (NotAProfile, KeyError, TypeError, ValueError, AttributeError) as error:
                self.without[url] = str(error) if isinstance(error, NotAProfile) else "its StructureDefinition is damaged"
        for definition in self.package.of("StructureDefinition"):
            if definition.get("derivation") != "constraint":
                self.without[str(definition.get("url"))] = "it defines a type or a logical model, not a profile of R4"
        return list(self.made.values())

    def _made(self, url: str, definition: Mapping[str, Any]) -> Profile:
        if url not in self.made:
            if url in self.under_way:
                raise NotAProfile("it starts from itself")
            self.under_way.add(url)
            self.made[url] = self._reduced(definition)
        return self.made[url]

    def _reduced(self, definition: Mapping[str, Any]) -> Profile:
        if definition.get("snapshot", {}).get("element"):
            return reduce(definition, self.package.guide)
        elements = with_ids(definition.get("differential", {}).get("element", ()))
        if not elements:
            raise NotAProfile("it has neither a snapshot nor a differential")
        base = str(definition.get("baseDefinition", ""))
        profile = reduce(definition, self.package.guide, elements)
        plain = base.split("|")[0]
        if plain.startswith(CORE) and has_structure(plain.removeprefix(CORE)):
            return profile
        started = self.definitions.get(plain)
        parent = self._made(plain, started) if started is not None else self.catalogue.find(base)
        if parent is None:
            raise NotAProfile(f"it has no snapshot and starts from {base[:200]}, which is not known here: install that guide first")
        return msgspec.structs.replace(profile, root=merge(parent.root, profile.root))


def _codes(package: Package, catalogue: Catalogue) -> dict[str, Codes]:
    """The value sets whose codes can be listed from the package and from what is known here already."""
    sets = {str(one.get("url")): one for one in package.of("ValueSet")}
    systems = {str(one.get("url")): one for one in package.of("CodeSystem")}

    def value_set(url: str) -> Mapping[str, Any] | None:
        codes = None if url in sets else catalogue.codes(url)
        return sets.get(url) if codes is None else as_value_set(url, codes)

    found: dict[str, Codes] = {}
    for url, one in sets.items():
        codes = expand(one, value_set, systems.get)
        if codes and codes != {"": UNKNOWN}:
            found[url] = codes
    return found


def _store(store: Store, package: Package, report: Report) -> list[str]:
    """The guide's resources, in the record for everyone to read and search; those that are not sound are left out and named."""
    stored: list[str] = []
    for resource in package.resources:
        address = str(resource.get("url") or resource.get("id") or resource["resourceType"])
        id = resource_id(package.guide, resource["resourceType"], address)
        try:
            store.update({**resource, "id": id})
        except FhirError as error:
            report.without[f"{resource['resourceType']} {address}"] = f"not stored as a resource: {error}"
        else:
            stored.append(f"{resource['resourceType']}/{id}")
    return stored


@contextmanager
def _any_reference(store: Store) -> Iterator[None]:
    before, store.strict_references = store.strict_references, False
    try:
        yield
    finally:
        store.strict_references = before


def resource_id(guide: str, type: str, address: str) -> str:
    """The same for the same part of the same guide, so that installing it again adds nothing."""
    return "ig-" + hashlib.sha256(f"{guide} {type} {address}".encode()).hexdigest()[:40]
