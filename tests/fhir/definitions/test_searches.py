"""Search parameters of all types: every expression is read, and finds what the specification says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openward.fhir.definitions import RESOURCE_TYPES, compartment, extract, extractor, patient_paths, search_parameters, type_name, type_number

# The specification gives these no expression: whole-text search, filters, and two that would need arithmetic on extensions.
WITHOUT_EXPRESSION = {"_text", "_content", "_filter", "_query", "age", "birthOrderBoolean"}


def values(type: str, code: str, resource: dict) -> list:
    return [value for found, _, value in extractor(type)(resource) if found == code]


class TestTheResourceTypes:
    def test_are_all_146_of_r4(self):
        assert len(RESOURCE_TYPES) == 146

    def test_keep_their_numbers(self):
        assert (type_number("Account"), type_number("Patient"), type_name(145)) == (0, 102, "VisionPrescription")


@pytest.mark.parametrize("type", RESOURCE_TYPES)
class TestEveryParameterOfEveryType:
    def test_has_paths(self, type):
        pathless = {code for code, parameter in search_parameters(type).items() if not parameter.paths}
        assert pathless <= WITHOUT_EXPRESSION

    def test_has_paths_for_each_component_of_a_composite(self, type):
        components = [component for parameter in search_parameters(type).values() for component in parameter.components]
        assert all(component.paths for component in components)

    def test_finds_nothing_in_an_empty_resource_but_what_absence_means(self, type):
        found = {code for code, _, _ in extractor(type)({"resourceType": type})}
        assert found == ({"deceased"} if type == "Patient" else set())


PHONE, EMAIL = {"system": "phone", "value": "555 0100"}, {"system": "email", "value": "ada@example.org"}
QUANTITY = {"value": Decimal("1.10"), "unit": "g"}
HEAD = {"coding": [{"system": "urn:x", "code": "head"}]}

EXAMPLES = [
    ("Patient", "phone", {"telecom": [PHONE, EMAIL]}, [PHONE]),
    ("Patient", "deceased", {"deceasedBoolean": False}, [False]),
    ("Patient", "deceased", {"deceasedDateTime": "2020"}, [True]),
    ("Patient", "death-date", {"deceasedDateTime": "2020"}, ["2020"]),
    ("Patient", "given", {"name": [{"given": ["Ada", None, "Mae"]}]}, ["Ada", "Mae"]),
    (
        "Patient",
        "mothersMaidenName",
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Bell"}]},
        ["Bell"],
    ),
    ("Observation", "patient", {"subject": {"reference": "Group/1"}}, []),
    ("Observation", "patient", {"subject": {"reference": "Patient/1"}}, [{"reference": "Patient/1"}]),
    ("Observation", "patient", {"subject": {"reference": "https://x/Patient/1"}}, [{"reference": "https://x/Patient/1"}]),
    ("Observation", "value-quantity", {"valueQuantity": QUANTITY}, [QUANTITY]),
    ("Observation", "value-string", {"valueCodeableConcept": {"text": "yes"}}, ["yes"]),
    ("Observation", "code-value-quantity", {"code": HEAD, "valueString": "x"}, []),
    (
        "Observation",
        "code-value-quantity",
        {"code": HEAD, "valueQuantity": QUANTITY},
        [((("CodeableConcept", HEAD),), (("Quantity", QUANTITY),))],
    ),
    (
        "Observation",
        "component-code-value-quantity",
        {"component": [{"code": HEAD}, {"code": HEAD, "valueQuantity": QUANTITY}]},
        [((("CodeableConcept", HEAD),), (("Quantity", QUANTITY),))],
    ),
    ("Condition", "onset-age", {"onsetAge": QUANTITY}, [QUANTITY]),
    ("Encounter", "practitioner", {"participant": [{"individual": {"reference": "RelatedPerson/1"}}]}, []),
    ("Bundle", "composition", {"entry": [{"resource": {"resourceType": "Composition"}}, {"resource": {}}]}, [{"resourceType": "Composition"}]),
    (
        "ActivityDefinition",
        "depends-on",
        {"relatedArtifact": [{"type": "depends-on", "resource": "a"}, {"type": "citation", "resource": "b"}]},
        ["a"],
    ),
    (
        "MolecularSequence",
        "chromosome-variant-coordinate",
        {"referenceSeq": {"chromosome": HEAD}, "variant": [{"start": 1, "end": 2}]},
        [((("CodeableConcept", HEAD),), (("integer", 1),), (("integer", 2),))],
    ),
]


class TestExtraction:
    @pytest.mark.parametrize(("type", "code", "body", "expected"), EXAMPLES)
    def test_finds_what_the_parameter_means(self, type, code, body, expected):
        assert values(type, code, {"resourceType": type} | body) == expected

    def test_follows_one_path_alone(self):
        (path,) = search_parameters("Patient")["birthdate"].paths
        assert list(extract(path, {"birthDate": "1980-02-03"})) == [("date", "1980-02-03")]

    def test_resolves_a_contained_patient(self):
        resource = {"subject": {"reference": "#p"}, "contained": [{"resourceType": "Patient", "id": "p"}]}
        assert values("Observation", "patient", resource) == [{"reference": "#p"}]

    def test_can_leave_parameters_out(self):
        assert extractor("Basic", frozenset({"_id"}))({"id": "1"}) == []


class TestThePatientCompartment:
    def test_names_its_parameters_by_type(self):
        assert compartment("Patient")["Observation"] == ("subject", "performer")

    def test_is_entered_by_references_to_patients_only(self):
        assert {(str(path), path.target) for path in patient_paths("Observation")} == {("subject", "Patient"), ("performer", "Patient")}
