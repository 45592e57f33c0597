"""Search expressions become paths of JSON keys."""

from __future__ import annotations

import pytest

from openward.fhir.definitions.paths import Path, Step, Unreadable, parse


def test_a_choice_is_spelled_out_in_its_types():
    assert {(str(path), path.datatype) for path in parse("Observation.effective", "Observation")} == {
        ("effectiveDateTime", "dateTime"),
        ("effectivePeriod", "Period"),
        ("effectiveTiming", "Timing"),
        ("effectiveInstant", "instant"),
    }


@pytest.mark.parametrize("expression", ["(Observation.value as Quantity)", "Observation.value.as(Quantity)", "Observation.value.ofType(Quantity)"])
def test_a_type_picks_one_of_a_choice(expression):
    assert parse(expression, "Observation") == (Path((Step("valueQuantity"),), "Quantity"),)


def test_a_filter_stays_with_its_step():
    assert parse("Patient.telecom.where(system='phone')", "Patient") == (Path((Step("telecom", True, ("system", "phone")),), "ContactPoint"),)


def test_a_resolved_type_becomes_the_target():
    assert parse("Flag.subject.where(resolve() is Patient)", "Flag")[0].target == "Patient"


def test_a_union_gives_each_path_once():
    assert [str(path) for path in parse("Patient.name | Patient.alias | Patient.name", "Patient")] == ["name"]


def test_an_inherited_root_is_followed():
    assert str(parse("Resource.meta.tag", "Patient")[0]) == "meta.tag"


@pytest.mark.parametrize("expression", ["Patient.name.first()", "Patient.name.where(use", "Patient.name + 1", "Patient.name)", "Patient."])
def test_what_the_parser_does_not_know_is_refused(expression):
    with pytest.raises(Unreadable):
        parse(expression, "Patient")
