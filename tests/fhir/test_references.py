from __future__ import annotations

from typing import Any

import pytest

from openward.fhir.references import Target, is_unreadable, literals, located, rewrite, slots, target

URN = "urn:uuid:0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"


def observation() -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "subject": {"reference": URN},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}],
        "instantiatesUri": [URN],
        "contained": [{"resourceType": "Specimen", "subject": {"reference": "Patient/1"}}],
    }


class TestSlots:
    def test_references_are_found_also_in_what_is_contained(self) -> None:
        assert sorted(literals(slots(observation()))) == ["Patient/1", URN]

    def test_every_urn_but_an_identifiers_value_is_rewritten(self) -> None:
        resource = observation()
        rewrite(slots(resource), {URN: "Patient/2"})
        assert resource["subject"]["reference"] == "Patient/2"
        assert resource["instantiatesUri"] == ["Patient/2"]
        assert resource["identifier"][0]["value"] == URN

    def test_places_are_told_as_fhirpath(self) -> None:
        assert ("Observation.contained[0].subject.reference", "Patient/1") in list(located(observation(), "Observation"))


class TestTargets:
    @pytest.mark.parametrize(("reference", "found"), [("Patient/1", Target("Patient", "1")), ("Patient/1/_history/2", Target("Patient", "1"))])
    def test_relative_ones_name_a_resource_here(self, reference: str, found: Target) -> None:
        assert target(reference) == found

    @pytest.mark.parametrize("reference", ["#p1", URN, "https://elsewhere.example/Patient/1"])
    def test_others_are_let_be(self, reference: str) -> None:
        assert target(reference) is None
        assert not is_unreadable(reference)

    @pytest.mark.parametrize("reference", ["Patient", "Pasient/1", "1", "Patient/a b", "Patient/1/2", ""])
    def test_what_names_nothing_is_unreadable(self, reference: str) -> None:
        assert is_unreadable(reference)
