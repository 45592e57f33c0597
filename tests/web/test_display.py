"""How facts are written: the NHS Common User Interface rules, as tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from openward.web.display import age, ago, clock, day, day_and_clock, initials, money, number, person_name, spoken_name

NOON = dt.datetime(2026, 11, 3, 17, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("2026-11-03", "03-Nov-2026"), (dt.date(2026, 1, 9), "09-Jan-2026"), ("2026-11", "Nov-2026"), ("2026", "2026"), (None, ""), ("soon", ""), ("2026-11-03T23:30:00-05:00", "03-Nov-2026")],
)  # fmt: skip
def test_a_day_is_written_with_its_month_in_letters(value, shown):
    assert day(value) == shown


def test_times_are_in_24_hours_on_the_wall_of_the_zone():
    assert clock(NOON, "America/New_York") == "12:05"
    assert clock(NOON, "America/Los_Angeles") == "09:05"
    assert day_and_clock(dt.datetime(2026, 11, 4, 1, 0, tzinfo=dt.UTC), "America/New_York") == "03-Nov-2026 20:00"


@pytest.mark.parametrize(
    ("born", "at", "shown"),
    [
        ("2026-10-31", "2026-11-03", "3d"),
        ("2026-10-06", "2026-11-03", "4w"),
        ("2026-04-03", "2026-11-03", "7m"),
        ("2024-12-03", "2026-11-03", "23m"),
        ("2023-07-01", "2026-11-03", "3y 4m"),
        ("2021-11-03", "2026-11-03", "5y"),
        ("1965-11-04", "2026-11-03", "60y"),
        ("1965-11-03", "2026-11-03", "61y"),
        ("1965", "2026-11-03", "61y"),
        ("2030-01-01", "2026-11-03", ""),
    ],
)
def test_ages_are_in_the_unit_that_matters(born, at, shown):
    assert age(born, at) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(Decimal("1234.5"), "$1,234.50"), (-20, "−$20.00"), ("0", "$0.00"), (None, ""), (Decimal("0.005"), "$0.00")]
)
def test_money_has_two_decimals_and_a_real_minus(value, shown):
    assert money(value) == shown


@pytest.mark.parametrize(("value", "shown"), [("0.5", "0.5"), (".5", "0.5"), (5000, "5,000"), ("98.60", "98.60"), (-2, "−2")])
def test_numbers_never_start_with_a_point_and_keep_their_digits(value, shown):
    assert number(value) == shown


def test_names_are_family_first_in_capitals_with_the_title_behind():
    assert person_name({"family": "Okafor", "given": ["Ada", "Maria"], "prefix": ["Dr"]}) == "OKAFOR, Ada Maria (Dr)"
    assert person_name({"text": "The one called Sky"}) == "The one called Sky"
    assert person_name(None) == "Not known"


@pytest.mark.parametrize(("name", "letters"), [("OKAFOR, Ada (Dr)", "AO"), ("Ada Okafor", "AO"), ("Cher", "C"), ("", "·")])
def test_initials_are_given_then_family(name, letters):
    assert initials(name) == letters


@pytest.mark.parametrize(("minutes", "shown"), [(0, "now"), (17, "17 min"), (60, "1 h"), (130, "2 h 10 min"), (2 * 24 * 60, "2 days")])
def test_how_long_since_is_read_at_a_glance(minutes, shown):
    assert ago(NOON - dt.timedelta(minutes=minutes), NOON) == shown


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ({"family": "Osei", "given": ["Kwame"], "prefix": ["Dr."], "suffix": ["MD"]}, "Dr. Kwame Osei"),
        ({"family": "Whitlock", "given": ["Jonah"], "suffix": ["NP"]}, "Jonah Whitlock, NP"),
        ({"text": "Mara L."}, "Mara L."),
        (None, "Not known"),
    ],
)
def test_a_person_is_called_as_in_speech(name: dict[str, object] | None, called: str) -> None:
    assert spoken_name(name) == called
