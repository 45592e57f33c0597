"""Resources others made: nothing sound is refused, and what is found can be looked up."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openward.fhir.definitions import extractor, patient_paths
from openward.fhir.json import dumps, loads
from openward.fhir.resources import Resource
from openward.fhir.validation import validate

DATA = Path(os.environ.get("OPENWARD_TEST_DATA") or Path(__file__).parents[4] / "shared" / "data")

# API descriptions, and a validator's log whose outcomes are empty.
NOT_RESOURCES = {"openapi", "other"}
# The one example that really is wrong: `"gender": ""` in Patient-example-targeted-provenance of 6.1.0 and 7.0.0.
KNOWN_FAULTS = {"Patient.gender: is empty; leave the element out instead"}


def archived(*parts: str) -> Iterator[bytes]:
    """The JSON files of an archive of the outside data."""
    archive = DATA.joinpath(*parts)
    if not archive.exists():
        pytest.skip(f"outside test data is absent: {archive}; set OPENWARD_TEST_DATA")
    with tarfile.open(archive) as files:
        for member in files:
            if member.name.endswith(".json") and not NOT_RESOURCES & set(member.name.split("/")):
                yield files.extractfile(member).read()


def test_all_38970_synthea_resources_are_sound_and_searchable():
    resources = [entry["resource"] for body in archived("synthea", "r4-100-patients-2020.tar.xz") for entry in loads(body).get("entry", ())]
    faults = [issue.diagnostics for resource in resources for issue in validate(resource)]
    found = [extractor(resource["resourceType"])(resource) for resource in resources]
    assert (len(resources), faults[:5]) == (38_970, [])
    assert all(found)


@pytest.mark.parametrize("release", ["us_core_610.tgz", "us_core_700.tgz", "us_core_800.tgz"])
class TestUsCoreExamples:
    def resources(self, release: str) -> list[dict]:
        parsed = [loads(body) for body in archived("us-core", release)]
        return [resource for resource in parsed if "resourceType" in resource]

    def test_are_sound(self, release):
        faults = {issue.diagnostics for resource in self.resources(release) for issue in validate(resource)}
        assert faults <= KNOWN_FAULTS

    def test_come_back_as_they_went(self, release):
        for resource in self.resources(release):
            assert loads(dumps(Resource.of(resource).copy().data)) == resource


def test_a_resource_about_a_patient_leads_to_the_patient():
    body = next(archived("synthea", "r4-100-patients-2020.tar.xz"))
    types = {entry["resource"]["resourceType"] for entry in loads(body)["entry"]}
    assert types & {"Observation", "Encounter", "Condition"} <= {type for type in types if patient_paths(type)}
