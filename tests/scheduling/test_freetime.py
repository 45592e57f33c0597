"""Free times hold on every day of the year, the two with a clock change included."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.scheduling.freetime import (
    DAY,
    MINUTE,
    Hours,
    Interval,
    Rules,
    Week,
    comes_twice,
    day_bounds,
    free_starts,
    instant,
    joined,
    without,
    working,
)

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Phoenix",
        "America/Los_Angeles",
        "America/Anchorage",
        "Pacific/Honolulu",
        "Europe/London",
        "Europe/Berlin",
        "Australia/Lord_Howe",
    )
]
EVERY_DAY = frozenset(range(7))
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SPRING = dt.date(2026, 3, 8)
AUTUMN = dt.date(2026, 11, 1)

times = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 5, 15, 20, 30, 45]))
days = st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)) | st.sampled_from([SPRING, AUTUMN, dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
weeks = st.builds(
    Week,
    hours=st.lists(st.builds(Hours, weekdays=st.just(EVERY_DAY), start=times, end=times), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
)
rules = st.builds(
    Rules,
    duration=st.integers(5, 120).map(lambda n: n * MINUTE),
    granularity=st.sampled_from([5, 10, 15, 20, 30]).map(lambda n: n * MINUTE),
    buffer=st.sampled_from([0, 5, 10]).map(lambda n: n * MINUTE),
)


def at(day: dt.date, clock: str, zone: ZoneInfo = NEW_YORK) -> dt.datetime:
    return instant(day, dt.time.fromisoformat(clock), zone)


def clocks(moments: list[dt.datetime], zone: ZoneInfo = NEW_YORK) -> list[str]:
    return [moment.astimezone(zone).strftime("%H:%M") for moment in moments]


def offered(week: Week, day: dt.date, duration: int = 30, step: int = 30, busy: list[Interval] | None = None) -> list[dt.datetime]:
    terms = Rules(duration * MINUTE, granularity=step * MINUTE)
    return free_starts(working(week, day), busy or [], terms, earliest=LONG_AGO)


def hours(start: str, end: str) -> Week:
    return Week([Hours(EVERY_DAY, dt.time.fromisoformat(start), dt.time.fromisoformat(end))], NEW_YORK)


class TestTheWallClock:
    def test_a_time_in_the_gap_is_the_instant_of_the_jump(self) -> None:
        assert at(SPRING, "02:30") == at(SPRING, "03:00") == dt.datetime(2026, 3, 8, 7, tzinfo=dt.UTC)

    def test_a_time_that_comes_twice_is_its_first_coming(self) -> None:
        assert at(AUTUMN, "01:30") == dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)

    @pytest.mark.parametrize(("day", "length"), [(SPRING, 23), (AUTUMN, 25), (dt.date(2026, 6, 1), 24)])
    def test_a_day_is_as_long_as_the_clock_says(self, day: dt.date, length: int) -> None:
        bounds = day_bounds(day, NEW_YORK)
        assert bounds.end - bounds.start == dt.timedelta(hours=length)

    def test_half_an_hour_of_change_is_a_gap_too(self) -> None:
        zone = ZoneInfo("Australia/Lord_Howe")
        assert instant(dt.date(2026, 10, 4), dt.time(2, 15), zone) == instant(dt.date(2026, 10, 4), dt.time(2, 30), zone)

    def test_only_the_repeated_hour_comes_twice(self) -> None:
        assert comes_twice(at(AUTUMN, "01:30"), NEW_YORK)
        assert not comes_twice(at(AUTUMN, "02:30"), NEW_YORK)
        assert not comes_twice(at(SPRING, "03:30"), NEW_YORK)

    @given(st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)), times, st.sampled_from(ZONES))
    def test_an_instant_reads_back_as_its_wall_time_unless_that_time_does_not_exist(self, day: dt.date, time: dt.time, zone: ZoneInfo) -> None:
        wall = instant(day, time, zone).astimezone(zone).replace(tzinfo=None)
        asked = dt.datetime.combine(day, time)
        assert wall == asked or (wall > asked and wall - asked < dt.timedelta(hours=1))


class TestWorkingHours:
    def test_they_lose_the_hour_of_spring(self) -> None:
        assert clocks(offered(hours("01:00", "04:00"), SPRING)) == ["01:00", "01:30", "03:00", "03:30"]

    def test_they_gain_the_hour_of_autumn(self) -> None:
        assert clocks(offered(hours("01:00", "03:00"), AUTUMN)) == ["01:00", "01:30", "01:00", "01:30", "02:00", "02:30"]

    def test_a_night_shift_ends_on_the_next_day(self) -> None:
        assert clocks(offered(hours("22:00", "01:00"), dt.date(2026, 6, 1), 60, 60)) == ["22:00", "23:00", "00:00"]

    def test_hours_on_other_weekdays_do_not_count(self) -> None:
        sundays = Week([Hours(frozenset({6}), dt.time(9), dt.time(12))], NEW_YORK)
        assert working(sundays, dt.date(2026, 6, 1)) == []

    def test_time_away_is_cut_out(self) -> None:
        day = dt.date(2026, 6, 1)
        week = Week(hours("09:00", "12:00").hours, NEW_YORK, away=[Interval(at(day, "10:00"), at(day, "11:00"))])
        assert clocks(offered(week, day)) == ["09:00", "09:30", "11:00", "11:30"]

    def test_touching_hours_are_one_span(self) -> None:
        week = Week([Hours(EVERY_DAY, dt.time(9), dt.time(10)), Hours(EVERY_DAY, dt.time(10), dt.time(11))], NEW_YORK)
        assert clocks(offered(week, dt.date(2026, 6, 1), 60, 30)) == ["09:00", "09:30", "10:00"]


class TestFreeStarts:
    DAY = dt.date(2026, 6, 1)

    def booked(self, start: str, end: str) -> Interval:
        return Interval(at(self.DAY, start), at(self.DAY, end))

    def test_a_booked_time_is_not_offered(self) -> None:
        assert clocks(offered(hours("09:00", "11:00"), self.DAY, busy=[self.booked("09:30", "10:00")])) == ["09:00", "10:00", "10:30"]

    def test_a_time_may_begin_where_a_booking_ends(self) -> None:
        assert clocks(offered(hours("09:00", "10:00"), self.DAY, busy=[self.booked("09:00", "09:30")])) == ["09:30"]

    def test_a_gap_off_the_grid_is_offered_when_nothing_on_the_grid_fits(self) -> None:
        assert clocks(offered(hours("09:00", "10:00"), self.DAY, 30, 60, busy=[self.booked("09:00", "09:20")])) == ["09:20"]

    def test_the_buffer_is_kept_on_both_sides(self) -> None:
        terms = Rules(15 * MINUTE, granularity=15 * MINUTE, buffer=10 * MINUTE)
        starts = free_starts(working(hours("09:00", "11:00"), self.DAY), [self.booked("09:45", "10:00")], terms, earliest=LONG_AGO)
        assert clocks(starts) == ["09:00", "09:15", "10:15", "10:30", "10:45"]

    def test_nothing_before_the_earliest_is_offered(self) -> None:
        terms = Rules(30 * MINUTE, granularity=30 * MINUTE)
        starts = free_starts(working(hours("09:00", "11:00"), self.DAY), [], terms, earliest=at(self.DAY, "10:10"))
        assert clocks(starts) == ["10:30"]

    @given(weeks, days, rules, st.lists(st.tuples(st.integers(-300, 2000), st.integers(1, 240)), max_size=6))
    def test_whatever_is_offered_lies_in_working_hours_and_touches_no_booking(
        self, week: Week, day: dt.date, terms: Rules, taken: list[tuple[int, int]]
    ) -> None:
        midnight = day_bounds(day, week.zone).start
        busy = [Interval(midnight + start * MINUTE, midnight + (start + length) * MINUTE) for start, length in taken]
        spans = working(week, day)
        starts = free_starts(spans, busy, terms, earliest=LONG_AGO)
        assert starts == sorted(set(starts))
        for start in starts:
            offer = Interval(start, start + terms.duration)
            assert any(span.start <= offer.start and offer.end <= span.end for span in spans)
            assert not any(offer.overlaps(booking.widened(terms.buffer)) for booking in busy)

    @given(weeks, days, rules)
    def test_an_empty_day_offers_every_step_that_fits(self, week: Week, day: dt.date, terms: Rules) -> None:
        spans = working(week, day)
        expected = sum(max(0, (span.end - span.start - terms.duration) // terms.granularity + 1) for span in spans)
        assert len(free_starts(spans, [], terms, earliest=LONG_AGO)) == expected

    @given(weeks, days)
    def test_a_day_of_work_begins_on_that_day_and_ends_by_the_next(self, week: Week, day: dt.date) -> None:
        for span in working(week, day):
            assert span.start.astimezone(week.zone).date() in (day, day + DAY)
            assert span.end - span.start <= dt.timedelta(hours=49)


class TestIntervals:
    @given(
        st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=8),
        st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=8),
    )
    def test_cutting_and_joining_agree_with_counting_minutes(self, spans: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
        def intervals(pairs: list[tuple[int, int]]) -> list[Interval]:
            return [Interval(LONG_AGO + a * MINUTE, LONG_AGO + (a + b) * MINUTE) for a, b in pairs]

        def minutes(pairs: list[tuple[int, int]]) -> set[int]:
            return {minute for a, b in pairs for minute in range(a, a + b)}

        left = without(joined(intervals(spans)), intervals(holes))
        counted = sum((piece.end - piece.start) // MINUTE for piece in left)
        assert counted == len(minutes(spans) - minutes(holes))
