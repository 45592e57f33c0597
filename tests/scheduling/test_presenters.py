"""What people read: times with their zone when one needs it, the picker, the calendar's grid."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from openward.fhir.resources import Appointment, AppointmentParticipant, Reference
from openward.scheduling.freetime import MINUTE, Hours, Week
from openward.scheduling.presenters.calendar import day_grid
from openward.scheduling.presenters.picker import SHOWN_AT_FIRST, picker, read_stamp, stamp
from openward.scheduling.presenters.words import day_words, short_day_words, time_words
from openward.scheduling.queries import Arrival, Bookable, Facility, Offer

NEW_YORK = ZoneInfo("America/New_York")
TODAY = dt.date(2026, 11, 3)
MAPLE = Facility("maple", "Maple Hollow", NEW_YORK)


def at(clock: str, day: dt.date = TODAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), NEW_YORK).astimezone(dt.UTC)


def offer(clock: str, name: str = "OSEI, Kwame", day: dt.date = TODAY) -> Offer:
    return Offer(at(clock, day), at(clock, day) + 20 * MINUTE, name, name[:4], "role", "maple", "Maple Hollow", "America/New_York")


def booked(clock: str, minutes: int = 20, who: str = "osei") -> Arrival:
    start = at(clock)
    participants = [AppointmentParticipant(actor=Reference(f"Practitioner/{who}"), status="accepted")]
    appointment = Appointment(
        id=clock.replace(":", ""), status="booked", start=start.isoformat(), end=(start + minutes * MINUTE).isoformat(), participant=participants
    )
    return Arrival(appointment, None, None)


OSEI = Bookable("role", "osei", "OSEI, Kwame", MAPLE, Week([Hours(frozenset(range(7)), dt.time(9), dt.time(12))], NEW_YORK), frozenset())


class TestWords:
    def test_a_time_needs_no_zone(self) -> None:
        assert time_words(at("14:05"), "America/New_York") == "14:05"

    def test_a_time_that_comes_twice_does(self) -> None:
        first = dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)
        assert [time_words(first + hours * 60 * MINUTE, "America/New_York") for hours in (0, 1)] == ["01:30 EDT", "01:30 EST"]

    @pytest.mark.parametrize(("days", "words"), [(0, "Today"), (1, "Tomorrow"), (-1, "Yesterday"), (3, "Fri 06-Nov-2026")])
    def test_days_that_are_near_are_named(self, days: int, words: str) -> None:
        assert day_words(TODAY + dt.timedelta(days=days), TODAY) == words

    def test_a_column_leaves_the_year_to_its_heading(self) -> None:
        assert short_day_words(dt.date(2026, 11, 6), TODAY) == "Fri 06-Nov"

    def test_a_stamp_reads_back(self) -> None:
        assert read_stamp(stamp(at("14:05"))) == at("14:05")


class TestThePicker:
    def test_whoever_is_free_soonest_comes_first(self) -> None:
        shown = picker([offer("10:00", "OSEI"), offer("09:00", "ZHANG")], TODAY, 2, TODAY, lambda _: "/")
        assert [row.name for row in shown.rows] == ["ZHANG", "OSEI"]

    def test_every_day_has_a_cell(self) -> None:
        shown = picker([offer("09:00")], TODAY, 5, TODAY, lambda _: "/")
        assert [len(cell.choices) for cell in shown.rows[0].cells] == [1, 0, 0, 0, 0]

    def test_many_times_are_few_at_first(self) -> None:
        shown = picker([offer(f"09:{minute:02d}") for minute in range(0, 60, 5)], TODAY, 1, TODAY, lambda _: "/")
        cell = shown.rows[0].cells[0]
        assert (len(cell.first), len(cell.rest)) == (SHOWN_AT_FIRST, 12 - SHOWN_AT_FIRST)

    def test_one_more_than_few_is_shown_rather_than_hidden(self) -> None:
        shown = picker([offer(f"09:{minute:02d}") for minute in range(0, 25, 5)], TODAY, 1, TODAY, lambda _: "/")
        assert not shown.rows[0].cells[0].rest

    def test_no_offer_is_an_empty_picker(self) -> None:
        assert picker([], TODAY, 5, TODAY, lambda _: "/").is_empty


class TestTheGrid:
    def test_a_booking_stands_at_its_time_as_high_as_it_is_long(self) -> None:
        grid = day_grid([OSEI], [booked("09:00", 30)], MAPLE, TODAY, at("08:00"))
        block = grid.columns[0].blocks[0]
        assert grid.hours[0] == (1, "08:00")
        assert (block.row, block.span) == (13, 6)

    def test_bookings_that_overlap_stand_side_by_side(self) -> None:
        column = day_grid([OSEI], [booked("09:00", 30), booked("09:15", 30), booked("09:30", 30)], MAPLE, TODAY, at("08:00")).columns[0]
        assert [block.lane for block in column.blocks] == [0, 1, 0]
        assert column.lanes == 2

    def test_hours_nobody_works_are_shaded(self) -> None:
        assert day_grid([OSEI], [], MAPLE, TODAY, at("08:00")).columns[0].closed == [(1, 12), (49, 60)]

    def test_the_line_of_now_is_drawn_on_today_only(self) -> None:
        assert day_grid([OSEI], [], MAPLE, TODAY, at("09:30")).columns[0].now == 19
        assert day_grid([OSEI], [], MAPLE, TODAY + dt.timedelta(days=1), at("09:30")).columns[0].now is None

    def test_an_early_booking_stretches_the_day(self) -> None:
        assert day_grid([OSEI], [booked("06:40")], MAPLE, TODAY, at("08:00")).hours[0][1] == "06:00"

    def test_who_is_booked_with_somebody_else_is_not_lost(self) -> None:
        grid = day_grid([OSEI], [booked("09:00", who="locum")], MAPLE, TODAY, at("08:00"))
        assert [column.title for column in grid.columns] == ["OSEI, Kwame", "Others"]
