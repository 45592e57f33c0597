"""The whole clinic: the same every time, valid, complete in its references, and with someone in every state."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from openward.demo.content.places import FACILITIES
from openward.demo.generation.clinic import clinic
from openward.demo.generation.house import npi
from openward.fhir import validation
from openward.fhir.json import dumps
from tests.demo.making import NOW, TODAY, Made, make


def _bytes(made: Made) -> list[bytes]:
    return [dumps(resource) for resource in made.resources]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def test_the_same_seed_and_day_make_the_same_bytes() -> None:
    assert _bytes(make(12)) == _bytes(make(12))


def test_another_seed_makes_other_people() -> None:
    assert [p.name for p in make(12, seed=8).people] != [p.name for p in make(12).people]


def test_one_chart_made_alone_is_the_chart_made_among_all(made: Made) -> None:
    alone = clinic(240, 7, TODAY, NOW)
    assert alone.chart(alone.people[41]) == made.charts[42]


def test_every_resource_is_valid(made: Made) -> None:
    faults = Counter(f"{r['resourceType']} {issue.expression}: {issue.diagnostics}" for r in made.resources for issue in validation.validate(r))
    assert not faults


def test_every_reference_points_at_a_resource_of_the_clinic(made: Made) -> None:
    there = {f"{r['resourceType']}/{r['id']}" for r in made.resources}
    assert {reference for r in made.resources for reference in _references(r)} <= there


def test_no_id_is_used_twice(made: Made) -> None:
    assert max(Counter(r["id"] for r in made.resources).values()) == 1


def test_a_chart_only_refers_to_what_stands_before_it_in_the_same_batch_or_the_house(made: Made) -> None:
    house = {f"{r['resourceType']}/{r['id']}" for r in made.clinic.house.resources}
    for chart in made.charts.values():
        own = {f"{r['resourceType']}/{r['id']}" for r in chart}
        assert {reference for r in chart for reference in _references(r)} <= own | house


@pytest.mark.parametrize("facility", FACILITIES, ids=lambda facility: facility.key)
@pytest.mark.parametrize("hour", [0, 6, 12, 16, 19, 22])
def test_the_flow_board_has_someone_in_every_state_at_any_hour(facility: Any, hour: int) -> None:
    now = dt.datetime.combine(TODAY, dt.time(hour, 40), dt.UTC)
    plan = clinic(500, 7, TODAY, now).plan
    states = Counter(b.state for bookings in plan.by_person.values() for b in bookings if b.clinician.facility == facility.key)
    assert {"waiting", "roomed", "with-clinician", "leaving"} <= set(states)


def test_a_weekend_day_is_as_full_as_any() -> None:
    saturday = dt.date(2026, 11, 7)
    plan = clinic(300, 7, saturday).plan
    assert sum(b.start.date() == saturday for bookings in plan.by_person.values() for b in bookings) > 60


def test_today_has_finished_no_show_cancelled_and_booked_appointments(made: Made) -> None:
    statuses = Counter(a["status"] for a in made.of_type("Appointment") if a["start"].startswith(TODAY.isoformat()))
    assert {"fulfilled", "noshow", "booked", "arrived"} <= set(statuses)


def test_nobody_is_booked_twice_at_one_time(made: Made) -> None:
    held = [a for a in made.of_type("Appointment") if a["status"] in ("booked", "arrived", "fulfilled")]
    by_actor: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    for appointment in held:
        span = dt.datetime.fromisoformat(appointment["start"]), dt.datetime.fromisoformat(appointment["end"])
        for participant in appointment["participant"]:
            if not participant["actor"]["reference"].startswith("Location/"):
                by_actor.setdefault(participant["actor"]["reference"], []).append(span)
    for spans in by_actor.values():
        spans.sort()
        assert all(earlier[1] <= later[0] for earlier, later in zip(spans, spans[1:], strict=False))


def test_no_two_open_visits_share_a_room(made: Made) -> None:
    rooms = [
        place["location"]["reference"]
        for visit in made.of_type("Encounter")
        if visit["status"] != "finished"
        for place in visit["location"]
        if "physicalType" in place
    ]
    assert rooms
    assert len(rooms) == len(set(rooms))


def test_the_facilities_keep_different_zones_and_appointments_lie_in_theirs(made: Made) -> None:
    offsets = {a["start"][-6:] for a in made.of_type("Appointment") if a["start"].startswith(TODAY.isoformat())}
    assert offsets == {"-05:00", "-08:00"}


def test_the_inbox_has_results_to_review_and_messages_to_answer(made: Made) -> None:
    open_tasks = Counter(t["code"]["coding"][0]["code"] for t in made.of_type("Task") if t["status"] == "requested")
    assert open_tasks["review-result"] > 5
    assert open_tasks["answer-message"] > 2


def test_an_unsigned_draft_waits_and_most_notes_are_signed(made: Made) -> None:
    notes = Counter(c["status"] for c in made.of_type("Composition"))
    assert notes["preliminary"] > 3
    assert notes["final"] > 20 * notes["preliminary"]


def test_numbers_cannot_belong_to_anyone(made: Made) -> None:
    text = json.dumps(made.of_type("Patient"))
    phones = [t["value"] for p in made.of_type("Patient") for t in p["telecom"] if t["system"] == "phone"]
    assert all(phone[5:10] == "55501" for phone in phones)
    assert "@example.org" in text
    assert all(p["address"][0]["postalCode"] < "00500" for p in made.of_type("Patient"))


def test_npis_begin_with_two_and_have_a_right_check_digit() -> None:
    digits = "80840" + npi(104)
    doubled = [sum(divmod(int(d) * 2, 10)) if place % 2 else int(d) for place, d in enumerate(reversed(digits))]
    assert digits[5] == "2"
    assert sum(doubled) % 10 == 0
