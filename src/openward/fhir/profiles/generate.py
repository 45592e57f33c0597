"""Compile the profiles and value sets that Openward knows by itself into the tables this package loads.

    python -m openward.fhir.profiles.generate CORE_PACKAGE TERMINOLOGY_PACKAGE US_CORE_PACKAGE…

CORE_PACKAGE is the unpacked `hl7.fhir.r4.core` 4.0.1, TERMINOLOGY_PACKAGE the unpacked `hl7.terminology.r4`, US_CORE_PACKAGE each an
unpacked `hl7.fhir.us.core` (all CC0). The same packages give the same bytes. Facts only: names, cardinalities, values, bindings, expressions, codes.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from openward.fhir.definitions import codes_by_system
from openward.fhir.profiles.expansions import ANY, UNKNOWN, Codes, as_value_set, expand
from openward.fhir.profiles.facts import Node, Profile
from openward.fhir.profiles.reduction import reduce

HERE = Path(__file__).parent
CDC_RACE = "urn:oid:2.16.840.1.113883.6.238"
NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
GENDER = "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender"
SNOMED_CT = "http://snomed.info/sct"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
VSAC = "http://cts.nlm.nih.gov/fhir/ValueSet/"
RACES = ["1002-5", "2028-9", "2054-5", "2076-8", "2106-3"]
ETHNICITIES = ["2135-2", "2186-5"]
# Sets of the US Value Set Authority Center, which may be read there after signing in, but whose few codes the OMB standards and US Core's own
# text state. All others of VSAC are not known here and a code is never refused for them.
STATED_ELSEWHERE: dict[str, Codes] = {
    VSAC + "2.16.840.1.114222.4.11.836": {CDC_RACE: RACES},
    VSAC + "2.16.840.1.113883.4.642.2.575": {CDC_RACE: RACES, NULL_FLAVOR: ["ASKU", "UNK"]},
    VSAC + "2.16.840.1.114222.4.11.837": {CDC_RACE: ETHNICITIES},
    VSAC + "2.16.840.1.113883.4.642.40.2.48.3": {CDC_RACE: ETHNICITIES, NULL_FLAVOR: ["ASKU", "UNK"]},
    VSAC + "2.16.840.1.113762.1.4.1021.102": {NULL_FLAVOR: ["ASKU", "UNK"]},
    VSAC + "2.16.840.1.113762.1.4.1021.103": {NULL_FLAVOR: ["ASKU", "OTH", "UNK"]},
    VSAC + "2.16.840.1.113762.1.4.1": {GENDER: ["F", "M"]},
    VSAC + "2.16.840.1.113762.1.4.1021.24": {GENDER: ["F", "M"], NULL_FLAVOR: ["ASKU", "OTH", "UNK"]},
    VSAC + "2.16.840.1.113762.1.4.1240.3": {
        SNOMED_CT: ["184115007", "248152002", "248153007"],
        ABSENT: ["asked-declined", "unknown"],
        NULL_FLAVOR: ["ASKU", "UNK"],
    },
    VSAC + "2.16.840.1.114222.4.11.877": {CDC_RACE: UNKNOWN},
    VSAC + "2.16.840.1.113883.1.11.14914": {CDC_RACE: UNKNOWN},
    VSAC + "2.16.840.1.113762.1.4.1267.25": {CDC_RACE: UNKNOWN, NULL_FLAVOR: ANY},
    VSAC + "2.16.840.1.113883.4.642.40.2.48.1": {CDC_RACE: UNKNOWN, NULL_FLAVOR: ANY},
}


def read(package: Path, kind: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(package.glob(f"{kind}-*.json"))]


def guide_of(package: Path) -> str:
    manifest = json.loads(package.joinpath("package.json").read_text("utf-8"))
    return f"{manifest['name']}#{manifest['version']}"


def profiles_of(package: Path) -> list[Profile]:
    guide = guide_of(package)
    found = [d for d in read(package, "StructureDefinition") if d.get("derivation") == "constraint" and "snapshot" in d]
    return [reduce(definition, guide) for definition in found]


class Definitions:
    """The ValueSets and CodeSystems of several packages; of a code system in two of them, the codes of both are good."""

    def __init__(self, packages: Iterable[Path]) -> None:
        self.value_sets: dict[str, dict[str, Any]] = {}
        self.systems: dict[str, dict[str, Any]] = {}
        for package in packages:
            self.value_sets |= {v["url"]: v for v in read(package, "ValueSet") if "url" in v}
            for system in read(package, "CodeSystem"):
                self._add(system)

    def _add(self, system: dict[str, Any]) -> None:
        before = self.systems.get(system.get("url", ""))
        if before is not None and before.get("content") == system.get("content") == "complete":
            system = {**system, "concept": [*before.get("concept", ()), *system.get("concept", ())]}
        elif before is not None and before.get("content") == "complete":
            return
        self.systems[system.get("url", "")] = system

    def codes(self, url: str) -> Codes | None:
        if url in STATED_ELSEWHERE:
            return STATED_ELSEWHERE[url]
        definition = self.value_sets.get(url)
        return None if definition is None else expand(definition, self._find, self.systems.get)

    def _find(self, url: str) -> Mapping[str, Any] | None:
        if url in STATED_ELSEWHERE:
            return as_value_set(url, STATED_ELSEWHERE[url])
        return self.value_sets.get(url)


def bound(node: Node) -> Iterator[str]:
    """The value sets that the facts below `node` ask for."""
    if node.binding is not None:
        yield from (url.split("|")[0] for url in (node.binding.value_set, node.binding.most) if url)
    for part in (*node.children, *node.slices):
        yield from bound(part)


def write(name: str, table: Any) -> None:
    text = msgspec.json.encode(table)
    packed = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    HERE.joinpath("data", f"{name}.json.xz").write_bytes(packed)
    print(f"{name}: {len(text):,} bytes, {len(packed):,} packed")


def sets_of(profiles: Iterable[Profile], definitions: Definitions, besides: Iterable[str] = ()) -> dict[str, Codes]:
    """Url → codes of what `profiles` bind, but what the base validation knows and what nothing at all is known of."""
    wanted = sorted({url for profile in profiles for url in bound(profile.root)} - set(besides))
    found = {url: definitions.codes(url) for url in wanted if codes_by_system(url) is None}
    return {url: codes for url, codes in found.items() if codes and codes != {"": UNKNOWN}}


def generate(core: Path, terminology: Path, guides: list[Path]) -> None:
    own = profiles_of(core)
    base = Definitions([core, terminology])
    shared = sets_of(own, base)
    packages: dict[str, list[Profile]] = {"core": own}
    sets: dict[str, dict[str, Codes]] = {"core": shared}
    for guide in guides:
        name = guide_of(guide).replace("hl7.fhir.us.core#", "us-core-")
        packages[name] = profiles_of(guide)
        sets[name] = sets_of(packages[name], Definitions([core, terminology, guide]), shared)
    for name, profiles in packages.items():
        write(name, {"profiles": {profile.url: profile for profile in sorted(profiles, key=lambda p: p.url)}, "value_sets": sets[name]})


if __name__ == "__main__":
    generate(Path(sys.argv[1]), Path(sys.argv[2]), [*map(Path, sys.argv[3:])])
