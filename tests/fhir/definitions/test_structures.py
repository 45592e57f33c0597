"""Types, elements and codes as R4 4.0.1 states them."""

from __future__ import annotations

import pytest

from openward.fhir.definitions import (
    RESOURCE_TYPES,
    codes,
    codes_by_system,
    element,
    has_structure,
    is_primitive,
    is_resource_type,
    primitive,
    structure,
)
from openward.fhir.definitions.structures import primitive_names, structure_names

CALENDAR = "http://hl7.org/fhir/ValueSet/administrative-gender"


class TestStructures:
    def test_state_cardinality_type_and_summary(self):
        name = element("Patient")["name"]
        assert (name.min, name.max, name.types, name.is_many, name.is_summary, name.is_modifier) == (0, None, ("HumanName",), True, True, False)

    def test_spell_out_choices(self):
        value = element("Observation")["value"]
        assert value.is_choice
        assert value.keys["valueQuantity"] == "Quantity"
        assert value.keys["valueDateTime"] == "dateTime"
        assert structure("Observation").by_key["valueQuantity"] == (value, "Quantity")

    def test_name_the_targets_of_references(self):
        assert element("Observation")["subject"].targets == ("Patient", "Group", "Device", "Location")
        assert element("Extension")["value"].targets == ()

    def test_name_required_bindings_and_modifiers(self):
        status = element("Observation")["status"]
        assert (status.min, status.binding, status.is_modifier) == (1, "http://hl7.org/fhir/ValueSet/observation-status", True)

    def test_give_backbone_elements_their_own_structure(self):
        assert element("Patient")["contact"].types == ("Patient.contact",)
        assert structure("Patient.contact").kind == "backbone"

    def test_follow_content_references(self):
        assert element("Questionnaire.item")["item"].types == ("Questionnaire.item",)
        assert element("Observation.component")["referenceRange"].types == ("Observation.referenceRange",)

    def test_refer_only_to_types_that_exist(self):
        named = {type for name in structure_names() for e in element(name).values() for type in e.types}
        assert {type for type in named if not (is_primitive(type) or has_structure(type))} == set()

    def test_know_resources_from_other_types(self):
        assert [is_resource_type(name) for name in ("Patient", "HumanName", "DomainResource", None)] == [True, False, False, False]
        assert all(structure(name).kind == "resource" for name in RESOURCE_TYPES)

    def test_raise_for_what_r4_does_not_have(self):
        with pytest.raises(KeyError):
            structure("Pateint")


class TestPrimitives:
    def test_are_the_twenty_of_r4(self):
        assert len(primitive_names()) == 20

    def test_know_their_parent_and_pattern(self):
        assert (primitive("id").base, primitive("id").pattern) == ("string", r"[A-Za-z0-9\-\.]{1,64}")


class TestCodes:
    def test_are_given_alone_and_by_system(self):
        assert codes(CALENDAR) == {"male", "female", "other", "unknown"}
        assert codes_by_system(CALENDAR) == {"http://hl7.org/fhir/administrative-gender": codes(CALENDAR)}

    def test_reach_into_hierarchies(self):
        assert {"draft", "requested", "completed"} <= codes("http://hl7.org/fhir/ValueSet/task-status")

    def test_of_an_open_set_are_none(self):
        assert codes("http://hl7.org/fhir/ValueSet/mimetypes") is None

    def test_close_all_but_a_few_bindings(self):
        bound = {e.binding for name in structure_names() for e in element(name).values() if e.binding}
        assert {value_set for value_set in bound if codes(value_set) is None} == {
            "http://hl7.org/fhir/ValueSet/mimetypes",
            "http://hl7.org/fhir/ValueSet/ucum-units",
            "http://loinc.org/vs/LL379-9",
            "http://hl7.org/fhir/ValueSet/all-languages",
            "http://www.rfc-editor.org/bcp/bcp13.txt",
        }
