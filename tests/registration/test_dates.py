"""A birth date is read however it is typed, and never guessed."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.registration.dates import UnreadableDate, looks_like_a_date, read_date

TODAY = dt.date(2026, 11, 3)
FEBRUARY_3 = dt.date(1980, 2, 3)


class TestReadingADate:
    @pytest.mark.parametrize(
        "text",
        [
            "1980-02-03",
            "1980/2/3",
            "02/03/1980",
            "2/3/1980",
            "2-3-80",
            "2.3.80",
            "02 03 1980",
            "3 Feb 1980",
            "3-Feb-1980",
            "03-FEB-80",
            "Feb 3, 1980",
            "February 3rd 1980",
            "3rd of February 1980",
            "02031980",
            "19800203",
        ],
    )
    def test_it_is_the_third_of_february_however_it_is_typed(self, text: str) -> None:
        assert read_date(text, today=TODAY) == FEBRUARY_3

    def test_a_day_over_twelve_settles_which_is_the_month(self) -> None:
        assert read_date("23/02/1980", today=TODAY) == dt.date(1980, 2, 23)

    @pytest.mark.parametrize(("text", "year"), [("1/2/26", 2026), ("1/2/27", 1927), ("12/24/26", 1926)])
    def test_a_short_year_is_the_latest_that_is_not_in_the_future(self, text: str, year: int) -> None:
        assert read_date(text, today=TODAY).year == year

    @pytest.mark.parametrize(
        "text", ["", "Ada", "1980", "2/1980", "31 Feb 1980", "13/13/1980", "3 Foo 1980", "1/2/3/4", "03-Nov-2027", "1/1/1700", "1/2/980"]
    )
    def test_what_is_no_past_date_is_refused(self, text: str) -> None:
        with pytest.raises(UnreadableDate):
            read_date(text, today=TODAY)

    @given(st.dates(dt.date(1900, 1, 1), TODAY), st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%Y%m%d"]))
    def test_every_date_reads_back_in_every_unambiguous_form(self, date: dt.date, form: str) -> None:
        assert read_date(date.strftime(form), today=TODAY) == date

    @given(st.text(max_size=20))
    def test_anything_else_is_a_date_or_refused(self, text: str) -> None:
        assert looks_like_a_date(text, today=TODAY) is None or isinstance(looks_like_a_date(text, today=TODAY), dt.date)


class TestADateInTheSearchBox:
    @pytest.mark.parametrize("text", ["okafor", "000123", "5551234", "OW-000123", "ada 2"])
    def test_names_and_numbers_are_not_dates(self, text: str) -> None:
        assert looks_like_a_date(text, today=TODAY) is None

    def test_eight_digits_are(self) -> None:
        assert looks_like_a_date("02031980", today=TODAY) == FEBRUARY_3
