"""R4's invariants: every one is asked, each in Python says what its FHIRPath says, and those the specification states wrongly are listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openward.fhir.definitions import structure
from openward.fhir.definitions.invariants import constrained_types, own_invariants
from openward.fhir.definitions.structures import structure_names
from openward.fhir.fhirpath import FhirPathError, compile
from openward.fhir.validation import validate
from openward.fhir.validation.advice import advise
from openward.fhir.validation.invariants import (
    ALLERGY_VERIFICATION,
    BY_HAND,
    CLINICAL,
    CONDITION_VERIFICATION,
    CORRECTED,
    ELSEWHERE,
    advice,
    expression,
    rules,
)
from openward.fhir.validation.presence import Known, ask, known, needed

PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"


def keys(found: Any) -> set[str]:
    return {match[1] for sentence, _ in found if (match := re.search(r"\(([a-z]+-\w+)\)$", sentence))}


def stated(type: str, key: str) -> str:
    """What is asked for a rule, as FHIRPath."""
    one = next(one for one in own_invariants(type) if one.key == key)
    return expression(type, one)


class TestEveryInvariant:
    def test_of_severity_error_is_asked_or_kept_elsewhere(self) -> None:
        asked = set().union(*(keys(rules(name)) for name in structure_names()))
        wanted = {one.key for type in constrained_types() for one in own_invariants(type) if one.is_error}
        assert wanted - asked == set(ELSEWHERE)

    def test_of_severity_warning_is_advice_and_refuses_nothing(self) -> None:
        warned = {one.key for type in constrained_types() for one in own_invariants(type) if not one.is_error}
        refused = set().union(*(keys(rules(name)) for name in structure_names()))
        advised = set().union(*(keys(advice(name)) for name in structure_names()))
        assert (warned & refused, warned - advised) == (set(), {"cid-0"})

    def test_is_stated_with_a_type_that_has_elements(self) -> None:
        assert all(structure(type).elements for type in constrained_types())

    def test_derived_types_keep_the_rules_of_their_base(self) -> None:
        assert {"age-1", "qty-3"} <= keys(rules("Age"))


COUNTED = [
    ("Quantity", {"value": 1, "code": "mg"}, "qty-3"),
    ("Period", {"start": "2020-02", "end": "2020-01-15"}, "per-1"),
    ("Period", {"start": "2020-01-03T10:00:00Z", "end": "2020-01-01"}, "per-1"),
    ("Ratio", {"numerator": {"value": 1}}, "rat-1"),
    ("Range", {"low": {"value": 2}, "high": {"value": 1}}, "rng-2"),
    ("Timing.repeat", {"duration": 1}, "tim-1"),
    ("Timing.repeat", {"period": -1, "periodUnit": "d"}, "tim-5"),
    ("Timing.repeat", {"offset": 10, "when": ["CM"]}, "tim-9"),
    ("Expression", {"language": "text/cql"}, "exp-1"),
    ("TriggerDefinition", {"type": "named-event"}, "trd-3"),
    ("ElementDefinition", {"path": "Patient.name", "min": 2, "max": "1"}, "eld-2"),
    ("ElementDefinition", {"path": "Patient", "max": "many"}, "eld-3"),
    ("ElementDefinition", {"path": "!"}, "eld-19"),
    ("Organization", {"name": "x", "address": [{"use": "home"}]}, "org-2"),
    ("Bundle", {"type": "document", "entry": [{"resource": {"resourceType": "Patient"}}]}, "bdl-11"),
    ("Bundle", {"type": "batch", "entry": [{"resource": {"resourceType": "Patient"}}]}, "bdl-3"),
    ("Bundle", {"type": "collection", "entry": [{"fullUrl": "urn:a"}, {"fullUrl": "urn:a"}]}, "bdl-7"),
    ("Bundle.entry", {"fullUrl": "http://a/Patient/1/_history/2", "resource": {}}, "bdl-8"),
    ("Questionnaire", {"item": [{"linkId": "1", "item": [{"linkId": "1"}]}]}, "que-2"),
    ("Questionnaire.item", {"linkId": "1", "type": "display", "required": True}, "que-6"),
    ("Questionnaire.item.enableWhen", {"question": "1", "operator": "exists", "answerString": "x"}, "que-7"),
    ("CodeSystem", {"concept": [{"code": "a"}, {"code": "b", "concept": [{"code": "a"}]}]}, "csd-1"),
    ("ImplementationGuide.definition", {"grouping": [{"id": "a"}], "resource": [{"groupingId": "b"}]}, "ig-1"),
    ("RiskAssessment.prediction", {"probabilityDecimal": 101}, "ras-2"),
    ("RiskAssessment.prediction", {"probabilityRange": {"low": {"value": 1, "code": "m", "system": "http://unitsofmeasure.org"}}}, "ras-1"),
    ("Task", {"authoredOn": "2020-02-01", "lastModified": "2020-01-30T23:00:00Z"}, "inv-1"),
    ("StructureDefinition", {"type": "Patient", "kind": "resource", "snapshot": {"element": [{"path": "Person"}]}}, "sdf-8"),
    ("Observation", {"valueString": "x", "code": {"coding": [{"code": "a"}]}, "component": [{"code": {"coding": [{"code": "a"}]}}]}, "obs-7"),
    ("Appointment", {"status": "booked", "cancelationReason": {"text": "x"}, "start": "x", "end": "y"}, "app-4"),
    ("Parameters.parameter", {"name": "x", "valueString": "x", "part": [{}]}, "inv-1"),
]
KEPT = [
    ("Quantity", {"value": 1, "unit": "mg"}, "qty-3"),
    ("Period", {"start": "2020-01-15", "end": "2020-01-15T10:00:00Z"}, "per-1"),
    ("Period", {"start": "2020", "end": "2020-06"}, "per-1"),
    ("Range", {"low": {"value": 1, "unit": "a"}, "high": {"value": 2}}, "rng-2"),
    ("Bundle.entry", {"resource": {}}, "bdl-8"),
    ("Questionnaire.item.enableWhen", {"question": "1", "operator": "exists", "answerBoolean": True}, "que-7"),
    ("RiskAssessment.prediction", {"outcome": {"text": "x"}}, "ras-2"),
    ("RiskAssessment.prediction", {"probabilityDecimal": 20}, "ras-1"),
    ("Task", {"authoredOn": "2020-02-01", "lastModified": "2020-02-01T10:00:00Z"}, "inv-1"),
    ("Appointment", {"status": "noshow", "cancelationReason": {"text": "x"}}, "app-4"),
    ("StructureDefinition", {"type": "Patient", "kind": "resource", "snapshot": {"element": [{"path": "Patient"}, {"path": "Patient.id"}]}}, "sdf-8"),
    ("MedicationDispense", {"whenPrepared": "2020-01-01T10:00:00Z", "whenHandedOver": "2020-01-01"}, "mdd-1"),
]


def broken(type: str, data: dict[str, Any]) -> set[str]:
    return keys([(sentence, is_broken) for sentence, is_broken in rules(type) if is_broken(data)])


class TestARule:
    @pytest.mark.parametrize(("type", "data", "key"), COUNTED)
    def test_is_broken_by(self, type: str, data: dict[str, Any], key: str) -> None:
        assert key in broken(type, data)

    @pytest.mark.parametrize(("type", "data", "key"), KEPT)
    def test_is_kept_by(self, type: str, data: dict[str, Any], key: str) -> None:
        assert key not in broken(type, data)

    def test_is_told_with_its_place_and_key(self) -> None:
        patient = {"resourceType": "Patient", "contact": [{"gender": "male"}]}
        assert [(issue.expression, issue.diagnostics[-7:]) for issue in validate(patient)] == [("Patient.contact[0]", "(pat-1)")]

    def test_of_advice_refuses_nothing_and_is_told_as_a_warning_with_its_place(self) -> None:
        patient = {"resourceType": "Patient", "contained": [{"resourceType": "ValueSet", "id": "v", "status": "draft", "name": "no name"}]}
        told = [(issue.severity, issue.expression, issue.diagnostics[-7:]) for issue in advise(patient)]
        places = [("Patient", "(dom-6)"), ("Patient.contained[0]", "(dom-6)"), ("Patient.contained[0]", "(vsd-0)")]
        assert sorted(told) == [("warning", *place) for place in places]
        assert validate({"resourceType": "Patient", "active": True}) == []


CODES = st.sampled_from(["resolved", "remission", "inactive", "active", "entered-in-error", "confirmed"])
SYSTEMS = st.sampled_from([CLINICAL, CONDITION_VERIFICATION, ALLERGY_VERIFICATION, "urn:other"])
CONCEPTS = st.fixed_dictionaries(
    {}, optional={"coding": st.lists(st.fixed_dictionaries({"code": CODES}, optional={"system": SYSTEMS}), min_size=1, max_size=2)}
)
MOMENTS = st.sampled_from(
    ["2020", "2020-01", "2020-02", "2020-01-31", "2020-01-31T23:30:00Z", "2020-02-01T00:30:00+02:00", "2020-01-31T23:30:00.5Z", "2019-12-31"]
)
SHAPES = {
    "AllergyIntolerance": {"clinicalStatus": CONCEPTS, "verificationStatus": CONCEPTS},
    "Condition": {"clinicalStatus": CONCEPTS, "verificationStatus": CONCEPTS, "abatementDateTime": MOMENTS, "_abatementString": st.just({"id": "a"})},
    "Organization": {"name": st.just("x"), "_name": st.just({"id": "a"}), "identifier": st.just([{"value": "1"}]), "alias": st.just(["y"])},
    "Period": {"start": MOMENTS, "end": MOMENTS, "_start": st.just({"id": "a"})},
}


class TestARuleInPython:
    @given(st.data())
    @pytest.mark.parametrize(("type", "key"), sorted(BY_HAND))
    def test_says_what_its_fhirpath_says(self, type: str, key: str, data: st.DataObject) -> None:
        drawn = data.draw(st.fixed_dictionaries({}, optional=SHAPES[type]))
        assert BY_HAND[type, key](drawn) is not compile(stated(type, key)).holds(drawn, type=type)


def sample(type: str, pick: st.DataObject) -> dict[str, Any]:
    """An object with some of the elements of a type, of the shapes JSON has for them."""
    made: dict[str, Any] = {}
    for name, element in structure(type).elements.items():
        if name in ("resourceType", "contained") or not pick.draw(st.booleans()):
            continue
        key, datatype = pick.draw(st.sampled_from(sorted(element.keys.items())))
        value: Any = {"boolean": True, "integer": 1, "decimal": 1, "positiveInt": 1, "unsignedInt": 1}.get(
            datatype, pick.draw(st.sampled_from(["booked", "document", "display", "2020", "x"])) if datatype[0].islower() else {}
        )
        made[key] = [value] if element.is_many else value
    return made


class TestTheShortWay:
    """Rules as questions to a dictionary say what FHIRPath says of the same object."""

    @settings(max_examples=300)
    @given(st.sampled_from([type for type in constrained_types() if type not in ("Element", "DomainResource", "StructureDefinition")]), st.data())
    def test_agrees_with_fhirpath_and_leaves_out_only_what_holds(self, type: str, data: st.DataObject) -> None:
        drawn = sample(type, data)
        for one in own_invariants(type):
            compiled = compile(expression(type, one))
            truth = _says(lambda c=compiled: c.holds(drawn, type=type))
            assert _says(lambda c=compiled: ask(c.tree, type)(drawn)) == truth, one.key
            assert truth is True or all(there(drawn) for there in needed(compiled.tree, type)), one.key

    def test_knows_what_is_decided_by_what_is_missing(self) -> None:
        tree = compile("a.empty() or b.exists()").tree
        assert [known(tree, frozenset(one)) for one in ("a", "b", "c")] == [Known.TRUE, Known.OPEN, Known.OPEN]


def _says(question: Any) -> Any:
    try:
        return question() is True
    except FhirPathError:
        return "error"


def test_every_rule_the_specification_states_wrongly_is_listed_with_its_reason() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` ([a-z]+-\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert listed == set(CORRECTED) | {("DomainResource", "dom-3")}
