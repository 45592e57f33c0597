"""What must hold of every life: nothing before birth, nothing after death, nothing that this sex or age cannot have."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openward.demo.content.problems import ILLNESSES, PROBLEMS
from openward.demo.content.vaccines import VACCINES
from openward.demo.generation.clinic import clinic
from openward.demo.generation.people import Person
from openward.fhir.resources import Encounter
from openward.scheduling.transitions import FLOW_STATES
from openward.scheduling.waiting import median_wait, stays
from tests.demo.making import NOW, TODAY, Made

DATES = ("authoredOn", "date", "effectiveDateTime", "occurrenceDateTime", "recordedDate", "sent", "issued", "enteredDate", "created")
MALE_ONLY = {p.code for p in PROBLEMS if p.sexes == "m"} - {"M10.9"}
FEMALE_ONLY = {p.code for p in PROBLEMS if p.sexes == "f"} | {i.code for i in ILLNESSES if i.sexes == "f"} | {"Z01.419"}
PANDEMIC = {v.code: v for v in VACCINES}


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])


def _days(resource: dict[str, Any]) -> list[dt.date]:
    found = [_day(resource[name]) for name in DATES if name in resource]
    return [*found, *([_day(resource["period"]["start"])] if resource["resourceType"] == "Encounter" else [])]


def _codes(chart: list[dict[str, Any]], type: str) -> set[str]:
    return {r["code"]["coding"][0]["code"] for r in chart if r["resourceType"] == type}


@given(seed=st.integers(0, 10**6), number=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_every_life_is_in_order(seed: int, number: int) -> None:
    made = clinic(60, seed, TODAY, NOW)
    person = made.people[number - 1]
    chart = made.chart(person)
    _nothing_before_birth_or_after_death(person, chart)
    _nothing_this_sex_cannot_have(person, chart)
    _vaccines_fit_the_age(person, chart)


def _nothing_before_birth_or_after_death(person: Person, chart: list[dict[str, Any]]) -> None:
    last = person.died or TODAY + dt.timedelta(days=1)
    for resource in chart:
        if resource["resourceType"] == "DocumentReference" and person.died:
            continue
        for day in _days(resource):
            assert person.born <= day, resource
            assert day <= last + dt.timedelta(days=2 if resource["resourceType"] in ("Observation", "DiagnosticReport", "Task") else 0), resource


def _nothing_this_sex_cannot_have(person: Person, chart: list[dict[str, Any]]) -> None:
    impossible = FEMALE_ONLY if person.sex == "male" else MALE_ONLY
    assert not _codes(chart, "Condition") & impossible
    if person.sex == "female":
        assert "2857-1" not in _codes(chart, "Observation")


def _vaccines_fit_the_age(person: Person, chart: list[dict[str, Any]]) -> None:
    for dose in (r for r in chart if r["resourceType"] == "Immunization"):
        day, code = _day(dose["occurrenceDateTime"]), dose["vaccineCode"]["coding"][0]["code"]
        vaccine, months = PANDEMIC[code], (day - person.born).days / 30.44
        assert vaccine.since <= day < vaccine.until
        if vaccine.key in ("zoster", "tdap", "td"):
            assert months >= (600 if vaccine.key == "zoster" else 131)
        if vaccine.key == "rotavirus":
            assert months < 9
        if vaccine.key in ("mmr", "varicella"):
            assert months >= 11.9


def test_problems_begin_before_they_are_noted(made: Made) -> None:
    assert all(c["onsetDateTime"][:10] <= c["recordedDate"][:10] for c in made.of_type("Condition"))


def test_results_come_after_their_samples_and_orders(made: Made) -> None:
    reports = made.of_type("DiagnosticReport")
    assert reports
    assert all(dt.datetime.fromisoformat(r["effectiveDateTime"]) <= dt.datetime.fromisoformat(r["issued"]) <= NOW for r in reports)


def test_visits_end_after_they_begin_and_none_is_in_the_future(made: Made) -> None:
    for visit in made.of_type("Encounter"):
        start = dt.datetime.fromisoformat(visit["period"]["start"])
        assert start <= NOW
        if "end" in visit["period"]:
            assert start < dt.datetime.fromisoformat(visit["period"]["end"]) <= NOW


def test_booked_visits_tell_how_long_each_state_lasted_one_after_the_other(made: Made) -> None:
    visits = [Encounter.of(one) for one in made.of_type("Encounter") if "appointment" in one]
    assert visits
    for visit in visits:
        told = stays(visit)
        assert all(one.end == following.start for one, following in pairwise(told)), visit
        assert [one.state for one in told] == list(FLOW_STATES)[: len(told)]
    wait = median_wait(visits, NOW)
    assert wait is not None
    assert 3 <= wait <= 30


def test_nobody_allergic_to_penicillin_is_given_amoxicillin(made: Made) -> None:
    for chart in made.charts.values():
        if _codes_of_allergies(chart) & {"7980", "723"}:
            drugs = [r["medicationCodeableConcept"]["text"] for r in chart if r["resourceType"] == "MedicationRequest"]
            assert not [drug for drug in drugs if "amoxicillin" in drug.lower()]


def _codes_of_allergies(chart: list[dict[str, Any]]) -> set[str]:
    return {c["code"] for r in chart if r["resourceType"] == "AllergyIntolerance" for c in r["code"].get("coding", ())}


def test_no_drug_is_active_twice(made: Made) -> None:
    for chart in made.charts.values():
        active = Counter(
            r["medicationCodeableConcept"]["coding"][0]["code"] for r in chart if r["resourceType"] == "MedicationRequest" and r["status"] == "active"
        )
        assert not active or max(active.values()) == 1


def test_treated_diabetes_gets_better(made: Made) -> None:
    first, last = [], []
    for chart in made.charts.values():
        if "E11.9" in _codes(chart, "Condition"):
            values = [r["valueQuantity"]["value"] for r in chart if r["resourceType"] == "Observation" and r["code"]["coding"][0]["code"] == "4548-4"]
            first += values[:1]
            last += values[-1:]
    assert first
    assert 6.0 < sum(last) / len(last) < 9.5


def test_children_grow(made: Made) -> None:
    for person in made.people:
        if person.age_on(TODAY) < 15:
            heights = [
                r["valueQuantity"]["value"]
                for r in made.charts[person.number]
                if r["resourceType"] == "Observation" and r["code"]["coding"][0]["code"] == "8302-2"
            ]
            assert all(later >= earlier - 1 for earlier, later in zip(heights, heights[1:], strict=False)), person


def test_the_clinic_looks_like_a_general_practice() -> None:
    people = clinic(3000, 7, TODAY, NOW).people
    ages = [p.age_on(TODAY) for p in people]
    assert 0.18 < sum(age < 18 for age in ages) / len(ages) < 0.3
    assert 0.15 < sum(age >= 65 for age in ages) / len(ages) < 0.27
    assert 0.48 < sum(p.sex == "female" for p in people) / len(people) < 0.58


def test_common_illness_is_as_common_as_it_should_be(made: Made) -> None:
    adults = [p for p in made.people if p.age_on(TODAY) >= 18]
    with_code = Counter(code for p in adults for code in _codes(made.charts[p.number], "Condition"))
    assert 0.2 < with_code["I10"] / len(adults) < 0.48
    assert 0.05 < with_code["E11.9"] / len(adults) < 0.22
    assert 0.03 < with_code["F32.A"] / len(adults) < 0.2


def test_allergies_are_known_absent_or_not_asked(made: Made) -> None:
    states: Counter[str] = Counter()
    for chart in made.charts.values():
        reviewed = [r for r in chart if r["resourceType"] == "List" and r["code"]["coding"][0]["code"] == "48765-2"]
        states["known" if _has(chart, "AllergyIntolerance") else "none" if reviewed else "not asked"] += 1
    assert all(states[key] for key in ("known", "none", "not asked"))


def _has(chart: list[dict[str, Any]], type: str) -> bool:
    return any(r["resourceType"] == type for r in chart)
