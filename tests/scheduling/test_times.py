"""Free times as the pages and the portal ask for them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from openward.fhir.resources import Location, Period, PractitionerRole, PractitionerRoleNotAvailable
from openward.record import open_store, unit_of_work
from openward.scheduling import facts, queries
from tests import cast
from tests.scheduling.conftest import TODAY, Clinic

pytestmark = pytest.mark.django_db


def clocks(offers: list[queries.Offer], zone: str = "America/New_York") -> list[str]:
    return [offer.start.astimezone(ZoneInfo(zone)).strftime("%H:%M") for offer in offers]


def free(clinic: Clinic, actor: object = None, **asked: object) -> list[queries.Offer]:
    options: dict[str, object] = {"service": clinic.service, "first": TODAY, "days": 1, "practitioner": clinic.osei, **asked}
    return queries.free_times(open_store(actor or clinic.desk), **options)  # type: ignore[arg-type]


def change_role(clinic: Clinic, **elements: object) -> None:
    with unit_of_work(by=cast.system()) as work:
        role = work.store.search(PractitionerRole, {"practitioner": f"Practitioner/{clinic.osei}"}).resources[0]
        for name, value in elements.items():
            setattr(role, name, value)
        work.store.update(role)


class TestFreeTimes:
    def test_they_fill_the_working_hours_in_steps_of_the_visit(self, clinic: Clinic) -> None:
        assert clocks(free(clinic)) == ["09:00", "09:20", "09:40", "10:00", "10:20", "10:40", "11:00", "11:20", "11:40"]

    def test_anyone_is_everyone_who_offers_the_service(self, clinic: Clinic) -> None:
        offers = free(clinic, practitioner=None)
        assert {offer.practitioner for offer in offers} == {clinic.osei, clinic.lindqvist}
        assert offers == sorted(offers)

    def test_what_is_booked_is_not_free(self, clinic: Clinic) -> None:
        clinic.book("09:20")
        assert clocks(free(clinic))[:3] == ["09:00", "09:40", "10:00"]

    def test_the_patients_own_bookings_count_too(self, clinic: Clinic) -> None:
        clinic.book("09:20", practitioner=clinic.lindqvist)
        assert "09:20" not in clocks(free(clinic, patient=clinic.ada))

    def test_what_is_past_is_not_free(self, clinic: Clinic) -> None:
        assert clocks(free(clinic, earliest=clinic.at("11:10")))[0] == "11:20"

    def test_a_day_off_has_none(self, clinic: Clinic) -> None:
        change_role(clinic, notAvailable=[PractitionerRoleNotAvailable(description="Away", during=Period(start="2026-11-03", end="2026-11-03"))])
        assert free(clinic) == []
        assert free(clinic, first=TODAY + dt.timedelta(days=1)) != []

    def test_a_weekend_has_none(self, clinic: Clinic) -> None:
        assert free(clinic, first=dt.date(2026, 11, 7), days=2) == []

    def test_who_no_longer_works_here_has_none(self, clinic: Clinic) -> None:
        change_role(clinic, active=False)
        assert free(clinic) == []

    def test_a_facility_keeps_its_own_clock(self, clinic: Clinic) -> None:
        change_role(clinic, location=[Location(id=clinic.west).reference])
        offers = free(clinic)
        assert offers[0].zone == "America/Los_Angeles"
        assert clocks(offers, "America/Los_Angeles")[0] == "09:00"
        assert clocks(offers)[0] == "12:00"

    def test_the_wall_clock_holds_across_a_clock_change(self, clinic: Clinic) -> None:
        offers = free(clinic, first=dt.date(2027, 3, 12), days=4)
        assert {offer.start.astimezone(ZoneInfo("America/New_York")).strftime("%a %H:%M") for offer in offers if offer.start.minute == 0} >= {
            "Fri 09:00",
            "Mon 09:00",
        }
        assert {offer.start.hour for offer in offers if clocks([offer]) == ["09:00"]} == {14, 13}

    def test_a_patient_sees_the_same_free_times(self, clinic: Clinic) -> None:
        clinic.book("09:20", patient=clinic.ben)
        assert free(clinic, actor=cast.patient(clinic.ada)) == free(clinic)

    def test_the_next_free_time_may_be_weeks_away(self, clinic: Clinic) -> None:
        away = PractitionerRoleNotAvailable(description="Away", during=Period(start="2026-11-01", end="2026-11-22"))
        change_role(clinic, notAvailable=[away])
        first = queries.first_free(open_store(clinic.desk), service=clinic.service, practitioner=clinic.osei)[0]
        assert first.day == dt.date(2026, 11, 23)

    def test_each_clinicians_next_free_time_is_known(self, clinic: Clinic) -> None:
        clinic.book("09:00")
        found = dict(queries.next_free_by_person(open_store(clinic.desk), facility=clinic.facility, now=clinic.at("08:00")))
        assert {name: clocks([offer]) if offer else None for name, offer in found.items()} == {
            "OSEI, Kwame (Dr)": ["09:20"],
            "LINDQVIST, Maja (Dr)": ["09:00"],
        }


class TestPlaces:
    def test_a_facility_is_a_place_with_a_clock_and_a_room_is_not(self, clinic: Clinic) -> None:
        assert [place.name for place in queries.facilities(open_store(clinic.desk))] == ["Cedar Flats", "Maple Hollow"]

    def test_rooms_come_in_the_order_people_count(self, clinic: Clinic) -> None:
        assert [room.name for room in queries.rooms_of(open_store(clinic.desk), clinic.facility)] == ["Room 1", "Room 2"]

    def test_somebody_works_where_their_role_is(self, clinic: Clinic) -> None:
        assert queries.workplace(open_store(clinic.desk), f"Practitioner/{clinic.osei}") == clinic.facility
        assert queries.workplace(open_store(clinic.desk), None) is None

    def test_most_people_work_where_most_roles_are(self, clinic: Clinic) -> None:
        assert queries.busiest(open_store(clinic.desk)) == clinic.facility


class TestFacts:
    # what stands in the record, the first instant away, the last
    @pytest.mark.parametrize(
        ("start", "end", "first", "last"),
        [
            ("2026-11-03", "2026-11-03", "2026-11-03T05:00:00+00:00", "2026-11-04T05:00:00+00:00"),
            ("2026-11", "2026-11", "2026-11-01T04:00:00+00:00", "2026-12-01T05:00:00+00:00"),
            ("2026", "2026", "2026-01-01T05:00:00+00:00", "2027-01-01T05:00:00+00:00"),
            ("2026-11-03T12:00:00-05:00", "2026-11-03T13:00:00-05:00", "2026-11-03T17:00:00+00:00", "2026-11-03T18:00:00+00:00"),
        ],
    )
    def test_time_away_is_whole_days_unless_it_says_times(self, start: str, end: str, first: str, last: str) -> None:
        role = PractitionerRole(notAvailable=[PractitionerRoleNotAvailable(description="Away", during=Period(start=start, end=end))])
        away = facts.week_of(role, ZoneInfo("America/New_York")).away[0]
        assert (away.start.isoformat(), away.end.isoformat()) == (first, last)

    def test_an_open_end_is_for_ever(self) -> None:
        role = PractitionerRole(notAvailable=[PractitionerRoleNotAvailable(description="Left", during=Period(start="2026-11-03"))])
        assert facts.week_of(role, ZoneInfo("America/New_York")).away[0].end.year == 9999
