"""US Core as HL7 publishes it: every example keeps its profiles, and no damaged example does. https://hl7.org/fhir/us/core/"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from openward.fhir.json import dumps, loads
from openward.fhir.profiles import Catalogue, declared, validate
from openward.fhir.profiles.installing import Reducing
from openward.fhir.profiles.packages import Guide
from openward.fhir.profiles.reading import read
from tests.conformance.us_core import Damage, Package, damage, extensions

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
RELEASES = ("610", "700", "800")
AT_LEAST = {
    "required element out": 790, "wrong reference": 390, "wrong code": 225, "too many of a slice": 155, "wrong type": 140, "slice out": 110,
    "slice broken": 100, "fixed value changed": 25, "too many": 20,
}  # fmt: skip
"""Damages tried in each release, by kind: a floor that only rises."""


@pytest.fixture(scope="module", params=RELEASES)
def release(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def package(release, outside_data) -> Package:
    return Package.read(outside_data(f"us-core/us_core_{release}.tgz"))


@pytest.fixture(scope="module")
def catalogue(package) -> Catalogue:
    """What is known when a profile without a version means this release."""
    return Catalogue(prefer=[f"hl7.fhir.us.core#{package.version}"])


def exceptions(heading: str) -> set[str]:
    """The first column of the table under a heading of docs/conformance.md."""
    _, _, rest = DOCUMENT.read_text("utf-8").partition(f"### {heading}\n")
    rows = rest.split("\n#")[0].split("\n|")[3:]
    return {row.split("|")[0].strip().strip("`") for row in rows}


def test_every_example_keeps_the_profiles_it_declares(package, catalogue):
    faults = {
        (name, issue.diagnostics)
        for name, resource in package.examples.items()
        for issue in validate(resource, catalogue=catalogue)
        if issue.severity == "error"
    }
    listed = exceptions("US Core examples that do not keep their profiles")
    assert {f"{package.version} {name}" for name, _ in faults} == {name for name in listed if name.startswith(package.version)}, faults


def test_the_examples_declare_profiles_that_are_known(package, catalogue):
    unknown = {profile for resource in package.examples.values() for profile in declared(resource) if catalogue.find(profile) is None}
    assert unknown <= {"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"}


def damages(package: Package) -> Iterator[tuple[str, Damage]]:
    for name, resource in package.examples.items():
        for profile in declared(resource):
            if profile.split("|")[0] in package.definitions:
                yield from ((name, one) for one in damage(resource, package.definitions[profile.split("|")[0]]))
        for url, at, where in extensions(resource):
            if url in package.definitions and any(profile.split("|")[0] in package.definitions for profile in declared(resource)):
                yield from ((name, one) for one in damage(resource, package.definitions[url], at, where))


def place(expression: str | None) -> str:
    """Without the last index: of a list as a whole and of its last value both are good answers."""
    return re.sub(r"\[\d+\]$", "", expression or "")


def taken(package: Package, catalogue: Catalogue, tried: Counter[str]) -> Iterator[tuple[str, str, str, str]]:
    """The damages that nothing was said of at their place."""
    for name, one in damages(package):
        tried[one.kind] += 1
        places = {place(issue.expression) for issue in validate(one.resource, catalogue=catalogue) if issue.severity == "error"}
        if place(one.where) not in places:
            yield name, one.kind, one.where, one.rule


def test_every_damaged_example_is_refused_at_the_right_place(package, catalogue):
    tried = Counter[str]()
    assert list(taken(package, catalogue, tried)) == []
    assert all(tried[kind] >= least for kind, least in AT_LEAST.items()), tried


def test_the_profiles_say_the_same_without_their_snapshots(package, catalogue, release, outside_data):
    """Laid over what they start from. The package itself does not hold the codes of race, ethnicity and sex."""
    guide = read(outside_data(f"us-core/us_core_{release}.tgz").read_bytes())
    guide.name = "differentials"
    for definition in guide.of("StructureDefinition"):
        if "/sdc/" not in definition["baseDefinition"]:
            del definition["snapshot"]
    without: dict[str, str] = {}
    profiles = Reducing(guide, catalogue, without).profiles()
    packed = {one.url: msgspec.Raw(msgspec.json.encode(one)) for one in profiles}
    alone = Catalogue([Guide(guide.guide, packed, {})], prefer=[guide.guide])
    assert (without, len(profiles)) == ({}, len(guide.of("StructureDefinition")))
    assert not [one for one in taken(package, alone, Counter()) if one[1] != "wrong code"]


def test_nothing_of_a_wrong_shape_stops_the_check(package, catalogue):
    random = Random(7)
    examples = sorted(package.examples.items())
    for _ in range(400):
        resource = copy.deepcopy(random.choice(examples)[1])
        holder, key = random.choice(list(places_in(resource)))
        holder[key] = copy.deepcopy(random.choice(SHAPES))
        validate(resource, catalogue=catalogue)


SHAPES: list[Any] = [None, 3, "", "#", [], {}, [None], [[]], {"a": 1}, True, [3], {"url": 3}, {"coding": "x"}, {"coding": [3]}, {"reference": []}]


def places_in(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, dict | list):
            yield from places_in(value)


def test_a_modifier_that_nobody_knows_is_refused_on_every_example(package, catalogue):
    modifier = {"url": "http://example.org/turns-the-meaning-round", "valueBoolean": True}
    taken = [
        name
        for name, resource in package.examples.items()
        if resource["resourceType"] not in ("Bundle", "Parameters", "Binary")
        and not any(
            issue.expression == f"{resource['resourceType']}.modifierExtension[0]" and issue.severity == "error"
            for issue in validate({**resource, "modifierExtension": [modifier]}, catalogue=catalogue)
        )
    ]
    assert taken == []


class TestOverHttp:
    """What the server of a new installation answers to $validate; there US Core without a version means 6.1.0."""

    def test_finds_no_error_in_an_example(self, surface, package):
        faults = []
        for name, resource in package.examples.items():
            outcome = surface.json("POST", f"/{resource['resourceType']}/$validate", dumps(resource))
            faults += [(name, issue["diagnostics"]) for issue in outcome["issue"] if issue["severity"] == "error"]
        listed = exceptions("US Core examples that do not keep their profiles")
        assert {f"{package.version} {name}" for name, _ in faults} == {name for name in listed if name.startswith(package.version)}, faults

    def test_holds_a_write_to_the_version_it_names(self, surface):
        profile = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"
        bare = {"resourceType": "Patient", "meta": {"profile": [profile + "|6.1.0"]}}
        answer = surface("POST", "/Patient", bare)
        places = {place(issue["expression"][0]) for issue in loads(answer.body)["issue"]}
        assert (answer.status, places) == (422, {"Patient.name", "Patient.gender"})  # the record gives a number by itself
        assert surface("POST", "/Patient", {"resourceType": "Patient", "meta": {"profile": [profile]}}).status == 201
