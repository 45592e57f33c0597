"""Expressions held against the model before there is data."""

from __future__ import annotations

import pytest

from openward.fhir.fhirpath import FhirPathError
from openward.fhir.fhirpath.checking import check


@pytest.mark.parametrize(
    ("type", "expression", "types"),
    [
        ("Patient", "name.given", {"string"}),
        ("Patient", "Patient.name.where(use = 'usual').first().family", {"string"}),
        (
            "Observation",
            "value",
            {"Quantity", "CodeableConcept", "string", "boolean", "integer", "Range", "Ratio", "SampledData", "time", "dateTime", "Period"},
        ),
        ("Observation", "(value as Quantity).value", {"decimal"}),
        ("Observation", "value.ofType(Period).start", {"dateTime"}),
        ("Patient", "name.exists() and active", {"System.Boolean"}),
        ("Patient", "name.given.count()", {"System.Integer"}),
        ("Patient", "name.given | name.family", {"string"}),
        ("Patient", "contact", {"Patient.contact"}),
        ("Patient", "birthDate.extension('x').url", {"uri"}),
        ("Questionnaire", "repeat(item).linkId", {"string"}),
        ("HumanName", "iif(use.exists(), use, 'x')", {"code", "System.String"}),
    ],
)
def test_the_types_an_expression_may_give_are_known(type: str, expression: str, types: set[str]) -> None:
    assert check(expression, type) == types


@pytest.mark.parametrize(
    ("type", "expression"), [("Patient", "contained.anything"), ("Patient", "descendants().anything"), ("Observation", "subject.resolve().name")]
)
def test_what_depends_on_data_is_left_open(type: str, expression: str) -> None:
    assert check(expression, type) is None


@pytest.mark.parametrize(
    ("type", "expression"),
    [
        ("Patient", "name.givne"),
        ("Patient", "Observation.code"),
        ("Observation", "valueQuantity"),
        ("Observation", "(value as Period).unit"),
        ("Patient", "iif('x', 1, 2)"),
        ("Patient", "identifier.startsWith('x')"),
        ("Patient", "name.where(nothing = 1)"),
        ("Patient", "name.given.length().family"),
        ("Nothing", "id"),
    ],
)
def test_what_makes_no_sense_for_a_type_is_refused(type: str, expression: str) -> None:
    with pytest.raises(FhirPathError):
        check(expression, type)


def test_a_place_in_what_has_no_order_is_refused_where_order_matters() -> None:
    assert check("children().first()", "Patient") is None
    with pytest.raises(FhirPathError):
        check("children().first()", "Patient", ordered=True)
