"""What a profile may ask of one element: number, value, codes, references, constraints, extensions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openward.fhir.profiles import validate
from tests.fhir.profiles.making import URL, catalogue, definition, element, found, issues, sliced

TARGET = "http://hl7.org/fhir/StructureDefinition/"


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


@pytest.mark.parametrize(
    ("rule", "good", "bad", "place"),
    [
        (element("Patient.name", min=1), {"name": [{"family": "Wu"}]}, {}, "Patient.name"),
        (element("Patient.name", min=2), {"name": [{"family": "Wu"}] * 2}, {"name": [{"family": "Wu"}]}, "Patient.name"),
        (element("Patient.name", max="1"), {"name": [{"family": "Wu"}]}, {"name": [{"family": "Wu"}] * 2}, "Patient.name"),
        (element("Patient.photo", max="0"), {}, {"photo": [{"url": "http://a.b/c"}]}, "Patient.photo"),
        (element("Patient.gender", fixedCode="female"), {"gender": "female"}, {"gender": "male"}, "Patient.gender"),
        (element("Patient.name.given", max="1"), {"name": [{"given": ["A"]}]}, {"name": [{"given": ["A", "B"]}]}, "Patient.name[0].given"),
        (
            element("Patient.maritalStatus", fixedCodeableConcept={"coding": [{"code": "M"}]}),
            {"maritalStatus": {"coding": [{"code": "M"}]}},
            {"maritalStatus": {"coding": [{"code": "M"}], "text": "married"}},
            "Patient.maritalStatus",
        ),
        (
            element("Patient.maritalStatus", patternCodeableConcept={"coding": [{"code": "M"}]}),
            {"maritalStatus": {"coding": [{"code": "S"}, {"code": "M", "system": "urn:x"}], "text": "married"}},
            {"maritalStatus": {"coding": [{"code": "S"}]}},
            "Patient.maritalStatus",
        ),
        (element("Patient.name.family", maxLength=3), {"name": [{"family": "Wuu"}]}, {"name": [{"family": "Wuuu"}]}, "Patient.name[0].family"),
        (element("Patient.birthDate", minValueDate="1900-01-01"), {"birthDate": "1900-01-01"}, {"birthDate": "1899-12-31"}, "Patient.birthDate"),
        (element("Patient.multipleBirth[x]", maxValueInteger=5), {"multipleBirthInteger": 5}, {"multipleBirthInteger": 6}, "Patient.multipleBirth"),
        (element("Patient.deceased[x]", type=[{"code": "boolean"}]), {"deceasedBoolean": False}, {"deceasedDateTime": "2020"}, "Patient.deceased"),
        (
            element("Patient.generalPractitioner", type=[{"code": "Reference", "targetProfile": [TARGET + "Organization"]}]),
            {"generalPractitioner": [{"reference": "http://elsewhere.org/fhir/Organization/1"}]},
            {"generalPractitioner": [{"reference": "http://elsewhere.org/fhir/Practitioner/1"}]},
            "Patient.generalPractitioner[0]",
        ),
        (
            element("Patient.name", constraint=[{"key": "t-1", "severity": "error", "human": "A family name", "expression": "family.exists()"}]),
            {"name": [{"family": "Wu"}]},
            {"name": [{"text": "Wu"}]},
            "Patient.name[0]",
        ),
    ],
)
def test_a_rule_takes_what_keeps_it_and_names_the_place_of_what_does_not(rule, good, bad, place):
    profile = definition("ruled", "Patient", rule)
    assert found(patient(**good), profile) == []
    assert found(patient(**bad), profile) == [place]


def test_several_faults_are_all_found_at_once():
    profile = definition("many", "Patient", element("Patient.name", min=1), element("Patient.gender", min=1), element("Patient.photo", max="0"))
    assert found(patient(photo=[{"url": "http://a.b/c"}]), profile) == ["Patient.name", "Patient.gender", "Patient.photo"]


@pytest.mark.parametrize(("path", "expression"), [("Patient", "name.("), ("Patient.name", "nonsense()"), ("Patient.name.family", "length(")])
def test_a_constraint_that_cannot_be_read_is_a_warning(path, expression):
    rule = {"key": "odd-1", "severity": "error", "human": "odd", "expression": expression}
    (issue,) = issues({"resourceType": "Patient", "name": [{"family": "F"}]}, definition("odd", "Patient", element(path, constraint=[rule])))
    assert (issue.severity, issue.code) == ("warning", "not-supported")
    assert "odd-1 could not be checked" in issue.diagnostics


def test_a_constraint_is_named_and_a_warning_stays_one():
    rule = {"key": "t-2", "severity": "warning", "human": "Better with a name.", "expression": "name.exists()"}
    profile = definition("mild", "Patient")
    profile["differential"]["element"][0]["constraint"] = [rule]
    (issue,) = issues(patient(), profile)
    assert (issue.severity, issue.expression) == ("warning", "Patient")
    assert issue.diagnostics.endswith(f"({URL}mild|1.0#t-2)")


CODES = {"urn:set": {"urn:letters": frozenset({"a", "b"}), "urn:open": "*", "urn:part": "?"}}


@pytest.mark.parametrize(("system", "code", "is_right"), [("urn:letters", "a", True), ("urn:letters", "c", False), ("urn:other", "a", False), ("urn:open", "x", True), ("urn:part", "x", True)])  # fmt: skip
@pytest.mark.parametrize(("strength", "severity"), [("required", "error"), ("extensible", "warning")])
def test_a_binding_refuses_or_warns_by_its_strength(system, code, is_right, strength, severity):
    profile = definition("coded", "Patient", element("Patient.maritalStatus", binding={"strength": strength, "valueSet": "urn:set|1"}))
    resource = patient(maritalStatus={"coding": [{"system": system, "code": code}]})
    assert found(resource, profile, codes=CODES, severity=severity) == ([] if is_right else ["Patient.maritalStatus"])


def test_text_alone_is_enough_unless_a_code_is_required():
    places = []
    for strength in ("required", "extensible"):
        profile = definition("coded", "Patient", element("Patient.maritalStatus", binding={"strength": strength, "valueSet": "urn:set"}))
        places.append(found(patient(maritalStatus={"text": "married"}), profile, codes=CODES))
    assert places == [["Patient.maritalStatus"], []]


def test_the_outermost_set_of_a_binding_is_never_left():
    most = {"url": TARGET + "elementdefinition-maxValueSet", "valueCanonical": "urn:set"}
    profile = definition("most", "Patient", element("Patient.maritalStatus", binding={"strength": "preferred", "extension": [most]}))
    assert found(patient(maritalStatus={"coding": [{"system": "urn:letters", "code": "z"}]}), profile, codes=CODES) == ["Patient.maritalStatus"]


@pytest.mark.parametrize(("code", "is_possible"), [("8867-4", True), ("8867-5", False), ("wrong", False)])
def test_a_code_its_system_cannot_hold_is_in_no_value_set(code, is_possible):
    profile = definition("loinc", "Patient", element("Patient.maritalStatus", binding={"strength": "required", "valueSet": "urn:unknown"}))
    resource = patient(maritalStatus={"coding": [{"system": "http://loinc.org", "code": code}]})
    assert found(resource, profile) == ([] if is_possible else ["Patient.maritalStatus"])


def test_a_rule_holds_where_another_element_refers_to_it():
    profile = definition("sections", "Composition", element("Composition.section.title", min=1), element("Composition.section.section", contentReference="#Composition.section"))  # fmt: skip
    resource = {
        "resourceType": "Composition", "status": "final", "type": {"text": "t"}, "date": "2020", "author": [{"display": "A"}], "title": "T",
        "section": [{"title": "outer", "section": [{"text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}}]}],
    }  # fmt: skip
    assert found(resource, profile) == ["Composition.section[0].section[0].title"]


def test_what_a_profile_must_support_may_be_absent():
    assert found(patient(), definition("support", "Patient", element("Patient.name", mustSupport=True))) == []


def test_a_profile_of_another_type_does_not_fit():
    assert found(patient(), definition("other", "Observation", element("Observation.status"))) == ["Patient"]


def extension(name: str, *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    fixed = element("Extension.url", fixedUri=URL + name)
    return definition(name, "Extension", *elements, fixed, kind="complex-type", **{"context": [{"type": "element", "expression": "Patient"}], **more})


SHOE = extension("shoe", element("Extension.value[x]", min=1, type=[{"code": "integer"}]))
ANY = definition("any", "Patient")


class TestExtensions:
    @pytest.mark.parametrize(
        ("value", "places"),
        [
            ({"valueInteger": 42}, []),
            ({"valueString": "42"}, ["Patient.extension[0].value"]),
            ({"extension": [{"url": "a", "valueInteger": 1}]}, ["Patient.extension[0].value"]),
        ],
    )
    def test_hold_what_their_definition_says(self, value, places):
        assert found(patient(extension=[{"url": URL + "shoe", **value}]), ANY, SHOE) == places

    def test_stand_where_their_context_allows(self):
        name = {"family": "Wu", "extension": [{"url": URL + "shoe", "valueInteger": 42}]}
        assert found(patient(name=[name]), ANY, SHOE) == ["Patient.name[0].extension[0]"]

    @pytest.mark.parametrize("where", ["HumanName", "Patient.name", "Element", "Patient.name.where(true)"])
    def test_know_a_place_by_its_path_its_type_and_by_fhirpath(self, where):
        kind = "fhirpath" if "(" in where else "element"
        shoe = {**SHOE, "context": [{"type": kind, "expression": where}]}
        name = {"family": "Wu", "extension": [{"url": URL + "shoe", "valueInteger": 42}]}
        assert found(patient(name=[name]), ANY, shoe) == []

    def test_on_a_primitive_stand_beside_its_value(self):
        shoe = {**SHOE, "context": [{"type": "element", "expression": "date"}]}
        resource = patient(birthDate="2020-01-01", _birthDate={"extension": [{"url": URL + "shoe", "valueString": "x"}]})
        assert found(resource, ANY, shoe) == ["Patient.birthDate.extension[0].value"]

    def test_that_nobody_knows_are_a_warning_and_as_modifiers_an_error(self):
        unknown = {"url": "http://example.org/unknown", "valueInteger": 1}
        assert found(patient(extension=[unknown]), ANY, severity="warning") == ["Patient.extension[0]"]
        assert found(patient(modifierExtension=[unknown]), ANY) == ["Patient.modifierExtension[0]"]

    def test_a_part_that_the_extension_does_not_define_is_a_warning(self):
        pair = extension(
            "pair",
            sliced("Extension.extension", ("value", "url")),
            element("Extension.extension", slice="left", max="1"),
            element("Extension.extension.url", fixedUri="left"),
        )
        worn = {"url": URL + "pair", "extension": [{"url": "left", "valueInteger": 1}, {"url": "lfet", "valueInteger": 2}]}
        assert found(patient(extension=[worn]), ANY, pair, severity="warning") == ["Patient.extension[0].extension[1]"]

    def test_may_not_be_modifiers_when_they_are_none(self):
        assert found(patient(modifierExtension=[{"url": URL + "shoe", "valueInteger": 42}]), ANY, SHOE) == ["Patient.modifierExtension[0]"]

    def test_are_counted_by_the_profile_that_names_them(self):
        profile = definition(
            "shod", "Patient",
            sliced("Patient.extension", ("value", "url")),
            element("Patient.extension", slice="shoe", min=1, max="1", type=[{"code": "Extension", "profile": [URL + "shoe"]}]),
        )  # fmt: skip
        worn = {"url": URL + "shoe", "valueInteger": 42}
        assert found(patient(extension=[worn]), profile, SHOE) == []
        assert found(patient(), profile, SHOE) == ["Patient.extension"]
        assert found(patient(extension=[worn, worn]), profile, SHOE) == ["Patient.extension[1]"]


class TestTheProfilesOfAResource:
    def test_are_those_it_declares(self):
        known = catalogue(definition("named", "Patient", element("Patient.name", min=1)))
        places = [issue.expression for issue in validate(patient(meta={"profile": [URL + "named"]}), catalogue=known)]
        assert places == ["Patient.name"]

    def test_that_nobody_knows_are_a_warning(self):
        (issue,) = validate(patient(meta={"profile": [URL + "nobody"]}))
        assert (issue.severity, issue.expression) == ("warning", "Patient.meta.profile")

    def test_hold_inside_a_bundle_too(self):
        known = catalogue(definition("named", "Patient", element("Patient.name", min=1)))
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient(meta={"profile": [URL + "named"]})}]}
        assert [issue.expression for issue in validate(bundle, catalogue=known)] == ["Bundle.entry[0].resource.name"]

    def test_see_what_each_resource_of_a_bundle_contains_itself(self):
        target = {"code": "Reference", "targetProfile": [TARGET + "Organization"]}
        known = catalogue(definition("kept", "Patient", element("Patient.generalPractitioner", type=[target])))
        inner = [{"resourceType": type, "id": "a", **more} for type, more in (("Organization", {"name": "A"}), ("Practitioner", {}))]
        entries = [patient(meta={"profile": [URL + "kept"]}, contained=[one], generalPractitioner=[{"reference": "#a"}]) for one in inner]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
        places = [issue.expression for issue in validate(bundle, catalogue=known) if issue.severity == "error"]
        assert places == ["Bundle.entry[1].resource.generalPractitioner[0]"]

    @pytest.mark.parametrize("shape", [[], "text", 3, None, [[]], {"a": 1}, [None], [3]])
    def test_do_not_stumble_over_what_has_the_wrong_shape(self, shape):
        profile = definition("all", "Patient", element("Patient.name", min=1), element("Patient.name.given", min=1), element("Patient.gender", fixedCode="male"))  # fmt: skip
        for name in ("name", "gender", "extension", "contained", "meta", "_gender", "generalPractitioner", "maritalStatus"):
            assert "error" in {issue.severity for issue in issues(patient(**{name: shape}), profile)}


def test_numbers_of_a_profile_are_compared_digit_for_digit():
    profile = definition(
        "likely", "RiskAssessment",
        element("RiskAssessment.prediction.probability[x]", type=[{"code": "decimal"}], minValueDecimal=Decimal("0.1"), maxValueDecimal=Decimal("0.3")),
        element("RiskAssessment.prediction.relativeRisk", patternDecimal=Decimal("1.1")),
    )  # fmt: skip
    risk = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": "Patient/1"}}
    assert found({**risk, "prediction": [{"probabilityDecimal": Decimal("0.30"), "relativeRisk": Decimal("1.1")}]}, profile) == []
    places = ["RiskAssessment.prediction[0].probability", "RiskAssessment.prediction[0].relativeRisk"]
    assert found({**risk, "prediction": [{"probabilityDecimal": Decimal("0.31"), "relativeRisk": Decimal("1.2")}]}, profile) == places


def test_extensions_of_a_primitive_are_counted():
    place = "Patient.birthDate.extension"
    birth = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "2000-01-01T10:00:00Z"}
    patient = {"resourceType": "Patient", "birthDate": "2000-01-01", "_birthDate": {"extension": [birth, birth]}}
    only = element(place, slice="time", max="1", type=[{"code": "Extension", "profile": [birth["url"]]}])
    assert found(patient, definition("none", "Patient", element(place, max="0"))) == [place]
    assert found(patient, definition("one", "Patient", only)) == [f"{place}[1]"]
