"""The invariants of US Core, each broken on an example that keeps it: named with its key, at its place. https://hl7.org/fhir/us/core/"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from openward.fhir.profiles import Catalogue, declared, validate
from tests.conformance.test_us_core_profiles import exceptions
from tests.conformance.us_core import Package

Resource = dict[str, Any]


def without(*names: str) -> Callable[[Resource], None]:
    def change(resource: Resource) -> None:
        for name in names:
            resource.pop(name, None)

    return change


def having(**more: Any) -> Callable[[Resource], None]:
    return lambda resource: resource.update(more)


def nameless(resource: Resource) -> None:
    resource["name"] = [{"text": "somebody"}]


def npi(value: str) -> Callable[[Resource], None]:
    return lambda resource: resource.update(identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": value}])


def number(system: str, value: str) -> Callable[[Resource], None]:
    return lambda resource: resource.update(identifier=[{"system": f"urn:oid:{system}", "value": value}])


def valueless_component(resource: Resource) -> None:
    for name in [name for name in resource["component"][0] if name.startswith(("value", "dataAbsentReason"))]:
        del resource["component"][0][name]


def addressless(resource: Resource) -> None:
    for name in ("url", "data"):
        resource["content"][0]["attachment"].pop(name, None)


def other_units(resource: Resource) -> None:
    resource["valueQuantity"] = {"value": 1, "unit": "apple", "system": "urn:apples", "code": "apple"}


# (type, word of the profile, key, change, place, severity)
BROKEN = [
    ("Patient", "us-core-patient", "us-core-6", nameless, "Patient.name[0]", "error"),
    ("DocumentReference", "us-core-documentreference", "us-core-6", addressless, "DocumentReference.content[0].attachment", "error"),
    ("Procedure", "us-core-procedure", "us-core-7", without("performedDateTime", "performedPeriod"), "Procedure", "error"),
    ("DiagnosticReport", "us-core-diagnosticreport-lab", "us-core-8", without("effectiveDateTime", "effectivePeriod"), "DiagnosticReport", "error"),
    ("DiagnosticReport", "us-core-diagnosticreport-lab", "us-core-9", without("issued"), "DiagnosticReport", "error"),
    ("DiagnosticReport", "us-core-diagnosticreport-note", "us-core-10", without("effectiveDateTime", "effectivePeriod"), "DiagnosticReport", "error"),
    ("RelatedPerson", "us-core-relatedperson", "us-core-14", without("name", "relationship"), "RelatedPerson", "error"),
    ("Coverage", "us-core-coverage", "us-core-15", without("identifier", "subscriberId"), "Coverage", "error"),
    ("Organization", "us-core-organization", "us-core-16", npi("12345"), "Organization.identifier[0]", "error"),
    ("Organization", "us-core-organization", "us-core-17", npi("1234567890"), "Organization.identifier[0]", "error"),
    ("Organization", "us-core-organization", "us-core-18", number("2.16.840.1.113883.4.7", "12"), "Organization.identifier[0]", "error"),
    ("Organization", "us-core-organization", "us-core-19", number("2.16.840.1.113883.6.300", "12"), "Organization.identifier[0]", "error"),
    ("MedicationDispense", "us-core-medicationdispense", "us-core-20", without("whenHandedOver"), "MedicationDispense", "error"),
    ("MedicationRequest", "us-core-medicationrequest", "us-core-21", without("requester"), "MedicationRequest", "error"),
    ("Observation", "us-core-observation-lab", "us-core-2", without("valueQuantity"), "Observation", "error"),
    ("Observation", "us-core-observation-lab", "us-core-3", other_units, "Observation.value", "error"),
    ("Observation", "us-core-blood-pressure", "vs-1", having(effectiveDateTime="2020-05"), "Observation.effective", "error"),
    ("Observation", "us-core-heart-rate", "vs-2", without("valueQuantity"), "Observation", "error"),
    ("Observation", "us-core-blood-pressure", "vs-3", valueless_component, "Observation.component[0]", "error"),
    ("Observation", "us-core-blood-pressure", "obs-3", having(referenceRange=[{"appliesTo": [{"text": "all"}]}]), "Observation.referenceRange[0]", "error"),
]  # fmt: skip


@pytest.fixture(scope="module", params=["610", "700", "800"])
def package(request, outside_data) -> Package:
    return Package.read(outside_data(f"us-core/us_core_{request.param}.tgz"))


@pytest.fixture(scope="module")
def catalogue(package) -> Catalogue:
    return Catalogue(prefer=[f"hl7.fhir.us.core#{package.version}"])


def candidates(package: Package, type: str, word: str) -> list[Resource]:
    found = [resource for resource in package.examples.values() if resource["resourceType"] == type]
    return [resource for resource in found if any(profile.split("|")[0].endswith(f"/{word}") for profile in declared(resource))]


@pytest.mark.parametrize(("type", "word", "key", "change", "where", "severity"), BROKEN, ids=[f"{row[1]}-{row[2]}" for row in BROKEN])
def test_a_broken_invariant_is_named_at_its_place(package, catalogue, type, word, key, change, where, severity):
    examples, found = candidates(package, type, word), []
    for example in examples:
        broken = copy.deepcopy(example)
        change(broken)
        before = set(validate(example, catalogue=catalogue))
        new = [issue for issue in validate(broken, catalogue=catalogue) if issue not in before]
        found += [issue for issue in new if (issue.expression, issue.severity) == (where, severity) and re.search(rf"[#(]{key}\)", issue.diagnostics)]
    assert examples
    assert bool(found) is (f"{package.version} {word} {key}" not in exceptions("US Core invariants that nothing breaks"))
