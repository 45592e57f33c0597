"""Slicing by each kind of discriminator, and the rules of order, closing and number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.profiles.making import URL, definition, element, found, issues, sliced

LOINC = "http://loinc.org"


def concept(code: str, system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def observation(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    parts = {"component": list(components)} if components else {}
    return {"resourceType": "Observation", "status": "final", "code": concept("85354-9"), **parts, **more}


def component(code: str, **more: Any) -> dict[str, Any]:
    return {"code": concept(code), **more}


def pressure(rules: str = "open", *, ordered: bool = False, kind: str = "pattern") -> dict[str, Any]:
    return definition(
        "pressure", "Observation",
        sliced("Observation.component", (kind, "code"), rules=rules, ordered=ordered),
        element("Observation.component", slice="upper", min=1, max="1"),
        element("Observation.component.code", patternCodeableConcept=concept("8480-6")),
        element("Observation.component.value[x]", min=1, type=[{"code": "Quantity"}]),
        element("Observation.component", slice="lower", min=0, max="1"),
        element("Observation.component.code", patternCodeableConcept=concept("8462-4")),
    )  # fmt: skip


UPPER = component("8480-6", valueQuantity={"value": 120})
LOWER = component("8462-4", valueQuantity={"value": 80})
OTHER = component("8867-4", valueInteger=60)


@pytest.mark.parametrize(
    ("rules", "ordered", "components", "places"),
    [
        ("open", False, [OTHER, LOWER, UPPER], []),
        ("open", False, [LOWER], ["Observation.component"]),
        ("open", False, [UPPER, LOWER, UPPER], ["Observation.component[2]"]),
        ("open", True, [LOWER, UPPER], ["Observation.component[1]"]),
        ("open", True, [UPPER, OTHER, LOWER], []),
        ("closed", False, [UPPER, OTHER], ["Observation.component[1]"]),
        ("openAtEnd", False, [UPPER, OTHER], []),
        ("openAtEnd", False, [OTHER, UPPER], ["Observation.component[1]"]),
        ("open", False, [component("8480-6")], ["Observation.component[0].value"]),
        ("open", False, [component("8480-6", valueInteger=3)], ["Observation.component[0].value"]),
    ],
)
@pytest.mark.parametrize("kind", ["pattern", "value"])
def test_values_are_counted_ordered_and_checked_by_slice(rules, ordered, components, places, kind):
    assert found(observation(*components), pressure(rules, ordered=ordered, kind=kind)) == places


def test_every_finding_names_the_profile():
    (issue,) = issues(observation(LOWER), pressure())
    assert f"{URL}pressure|1.0" in issue.diagnostics


def test_a_choice_is_sliced_by_its_type():
    profile = definition(
        "either", "Observation",
        sliced("Observation.value[x]", ("type", "$this"), rules="closed"),
        element("Observation.value[x]", slice="valueQuantity", min=0, max="1", type=[{"code": "Quantity"}]),
        element("Observation.value[x].unit", min=1),
        element("Observation.value[x]", slice="valueString", min=0, max="1", type=[{"code": "string"}]),
    )  # fmt: skip
    assert found(observation(valueString="high"), profile) == []
    assert found(observation(valueQuantity={"value": 1}), profile) == ["Observation.value.unit"]
    assert found(observation(valueBoolean=True), profile) == ["Observation.value"]


def test_the_short_name_of_a_choice_is_a_slice_of_it():
    profile = definition("short", "Observation", element("Observation.valueQuantity", min=1), element("Observation.valueQuantity.code", min=1))
    assert found(observation(valueQuantity={"value": 1}), profile) == ["Observation.value.code"]
    assert set(found(observation(valueString="high"), profile)) == {"Observation.value"}


def test_existence_tells_slices_apart():
    profile = definition(
        "dated", "Patient",
        sliced("Patient.identifier", ("exists", "period"), rules="closed"),
        element("Patient.identifier", slice="dated", min=0, max="1"),
        element("Patient.identifier.period", min=1),
        element("Patient.identifier", slice="plain", min=1, max="1"),
        element("Patient.identifier.period", max="0"),
    )  # fmt: skip
    plain, dated = {"value": "1"}, {"value": "2", "period": {"start": "2020"}}
    assert found({"resourceType": "Patient", "identifier": [plain, dated]}, profile) == []
    assert found({"resourceType": "Patient", "identifier": [dated]}, profile) == ["Patient.identifier"]
    assert found({"resourceType": "Patient", "identifier": [plain, plain]}, profile) == ["Patient.identifier[1]"]


def test_the_type_of_what_a_reference_leads_to_tells_slices_apart():
    target = "http://hl7.org/fhir/StructureDefinition/"
    profile = definition(
        "performers", "Observation",
        sliced("Observation.performer", ("type", "resolve()")),
        element("Observation.performer", slice="who", min=1, max="1", type=[{"code": "Reference", "targetProfile": [target + "Practitioner"]}]),
    )  # fmt: skip
    assert found(observation(performer=[{"reference": "Practitioner/1"}, {"reference": "Organization/1"}]), profile) == []
    assert found(observation(performer=[{"reference": "Organization/1"}]), profile) == ["Observation.performer"]


NAMED = definition("named", "Practitioner", element("Practitioner.name", min=1))


@pytest.mark.parametrize(("inner", "places"), [({"name": [{"family": "Wu"}]}, []), ({}, ["Observation.performer"])])
def test_the_profile_of_what_a_reference_leads_to_tells_slices_apart(inner, places):
    profile = definition(
        "by-profile", "Observation",
        sliced("Observation.performer", ("profile", "resolve()")),
        element("Observation.performer", slice="named", min=1, type=[{"code": "Reference", "targetProfile": [URL + "named"]}]),
    )  # fmt: skip
    contained = {"resourceType": "Practitioner", "id": "p", **inner}
    resource = observation(performer=[{"reference": "#p"}], contained=[contained])
    assert found(resource, profile, NAMED) == places


def test_a_type_named_without_a_profile_is_its_own_profile():
    profile = definition(
        "by-plain-type", "Bundle",
        sliced("Bundle.entry", ("profile", "resource"), rules="closed"),
        element("Bundle.entry", slice="people", min=1, max="1"),
        element("Bundle.entry.resource", min=1, type=[{"code": "Patient"}]),
    )  # fmt: skip
    patient, device = {"resource": {"resourceType": "Patient", "gender": "male"}}, {"resource": {"resourceType": "Device", "lotNumber": "1"}}
    bundle = {"resourceType": "Bundle", "type": "collection"}
    assert found({**bundle, "entry": [patient]}, profile) == []
    assert found({**bundle, "entry": [patient, device]}, profile) == ["Bundle.entry[1]"]


def test_a_value_behind_a_reference_tells_slices_apart():
    profile = definition(
        "panel", "Observation",
        sliced("Observation.hasMember", ("value", "resolve().code")),
        element("Observation.hasMember", slice="pulse", min=1, type=[{"code": "Reference", "targetProfile": [URL + "pulse"]}]),
    )  # fmt: skip
    pulse = definition("pulse", "Observation", element("Observation.code", patternCodeableConcept=concept("8867-4")))
    inner = {**observation(), "id": "m", "code": concept("8867-4")}
    assert found(observation(hasMember=[{"reference": "#m"}], contained=[inner]), profile, pulse) == []
    other = {**inner, "code": concept("8480-6")}
    assert found(observation(hasMember=[{"reference": "#m"}], contained=[other]), profile, pulse) == ["Observation.hasMember"]


def test_an_extension_and_a_type_on_the_way_tell_slices_apart():
    profile = definition(
        "marked", "Patient",
        sliced("Patient.name", ("value", "extension('urn:mark').value.ofType(string)")),
        element("Patient.name", slice="marked", min=1, max="1"),
        sliced("Patient.name.extension", ("value", "url")),
        element("Patient.name.extension", slice="mark", min=1, max="1"),
        element("Patient.name.extension.url", fixedUri="urn:mark"),
        element("Patient.name.extension.value[x]", type=[{"code": "string"}], fixedString="yes"),
    )  # fmt: skip
    marked = {"family": "Wu", "extension": [{"url": "urn:mark", "valueString": "yes"}]}
    assert found({"resourceType": "Patient", "name": [{"family": "Li"}, marked]}, profile) == []
    assert found({"resourceType": "Patient", "name": [{"family": "Li"}]}, profile) == ["Patient.name"]


def test_a_slice_is_sliced_again():
    profile = definition(
        "again", "Patient",
        sliced("Patient.identifier", ("value", "system")),
        element("Patient.identifier", slice="ours", min=1),
        element("Patient.identifier.system", fixedUri="urn:ours"),
        sliced("Patient.identifier", ("value", "use")) | {"sliceName": "ours"},
        element("Patient.identifier", slice="ours/old", min=0, max="1"),
        element("Patient.identifier.use", fixedCode="old"),
        element("Patient.identifier", slice="ours/official", min=1, max="1"),
        element("Patient.identifier.use", fixedCode="official"),
    )  # fmt: skip
    official, old = ({"system": "urn:ours", "use": use, "value": "1"} for use in ("official", "old"))
    assert found({"resourceType": "Patient", "identifier": [official, old, {"system": "urn:theirs", "use": "old"}]}, profile) == []
    assert found({"resourceType": "Patient", "identifier": [old]}, profile) == ["Patient.identifier"]
    assert found({"resourceType": "Patient", "identifier": [official, old, old]}, profile) == ["Patient.identifier[2]"]


def test_a_required_value_set_tells_slices_apart():
    codes = {"urn:set": {LOINC: frozenset({"8480-6"})}}
    profile = definition(
        "bound", "Observation",
        sliced("Observation.category", ("value", "$this")),
        element("Observation.category", slice="ours", min=1, max="1", binding={"strength": "required", "valueSet": "urn:set"}),
    )  # fmt: skip
    assert found(observation(category=[concept("8867-4"), concept("8480-6")]), profile, codes=codes) == []
    assert found(observation(category=[concept("8867-4")]), profile, codes=codes) == ["Observation.category"]


def test_slices_that_nothing_tells_apart_are_a_warning_and_no_error():
    profile = definition("vague", "Patient", sliced("Patient.name", ("value", "use")), element("Patient.name", slice="any", min=1))
    patient = {"resourceType": "Patient", "name": [{"family": "Wu"}]}
    assert found(patient, profile) == []
    assert found(patient, profile, severity="warning") == ["Patient.name"]


def test_a_differential_need_not_name_what_stands_between_a_slice_and_its_rule():
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    slices = [
        (element("Observation.category", slice=code, max="1"), element("Observation.category.coding.code", fixedCode=code, min=1))
        for code in ("laboratory", "exam")
    ]
    by = sliced("Observation.category", ("value", "coding.code"))
    profile = definition("kinds", "Observation", by, *slices[0], element("Observation.category.coding", min=1), *slices[1])
    one, other = ({"coding": [{"system": system, "code": code}]} for code in ("laboratory", "exam"))
    assert found(observation(category=[one, other]), profile) == []
    assert found(observation(category=[one, other, other]), profile) == ["Observation.category[2]"]
