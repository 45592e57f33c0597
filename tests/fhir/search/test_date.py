from __future__ import annotations

import pytest

from openward.fhir.errors import BadRequest
from openward.fhir.search.date import extract, span
from tests.fhir.search.shelf import Shelf


def _observation(id: str, **effective: object) -> dict[str, object]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **effective}


RESOURCES = [
    _observation("year", effectiveDateTime="2020"),
    _observation("month", effectiveDateTime="2020-03"),
    _observation("day", effectiveDateTime="2020-03-15"),
    _observation("second", effectiveDateTime="2020-03-15T10:30:00Z"),
    _observation("zone", effectiveDateTime="2020-03-15T23:30:00-05:00"),
    _observation("period", effectivePeriod={"start": "2020-03-10", "end": "2020-03-20"}),
    _observation("since", effectivePeriod={"start": "2020-03-10"}),
    _observation("until", effectivePeriod={"end": "2020-03-10"}),
    _observation("timing", effectiveTiming={"event": ["2020-03-01", "2020-03-31"]}),
    _observation("undated"),
]

# query value → ids that match; the ranges: year = all 2020, month = March, day = the 15th, zone = 04:30 UTC on the 16th
CASES = {
    "2020": {"year", "month", "day", "second", "zone", "period", "timing"},
    "2020-03": {"month", "day", "second", "zone", "period", "timing"},
    "2020-03-15": {"day", "second"},
    "2020-03-15T10:30:00Z": {"second"},
    "2020-03-15T10:30Z": {"second"},
    "2020-03-16": {"zone"},
    "ne2020-03": {"year", "since", "until"},
    "gt2020-03-15": {"year", "month", "zone", "period", "since", "timing"},
    "lt2020-03-15": {"year", "month", "period", "since", "until", "timing"},
    "ge2020-03-15": {"year", "month", "day", "second", "zone", "period", "since", "timing"},
    "le2020-03-15": {"year", "month", "day", "second", "period", "since", "until", "timing"},
    "sa2020-03-15": {"zone"},
    "eb2020-03-15": {"until"},
    "sa2020-03-09": {"day", "second", "zone", "period", "since"},
    "2020-03-15,2020-03-16": {"day", "second", "zone"},
    "ge2021": {"since"},
    "lt2020": {"until"},
}


@pytest.mark.parametrize(("value", "expected"), CASES.items(), ids=CASES.keys())
def test_a_date_matches_by_its_precision_and_prefix(full_shelf: Shelf, value: str, expected: set[str]) -> None:
    assert set(full_shelf.ids(f"Observation?date={value}")) == expected


def test_about_reaches_a_tenth_of_the_time_to_now(full_shelf: Shelf) -> None:
    assert {"day", "second", "zone", "month", "year"} <= set(full_shelf.ids("Observation?date=ap2020-03-15"))


def test_two_dates_both_hold(full_shelf: Shelf) -> None:
    assert set(full_shelf.ids("Observation?date=ge2020-03-15&date=lt2020-03-16")) >= {"day", "second"}
    assert "undated" not in full_shelf.ids("Observation?date=ge2020-03-15&date=lt2020-03-16")


def test_missing_finds_the_undated(full_shelf: Shelf) -> None:
    assert full_shelf.ids("Observation?date:missing=true") == ["undated"]
    assert len(full_shelf.ids("Observation?date:missing=false")) == len(RESOURCES) - 1


@pytest.mark.parametrize("value", ["tomorrow", "2020-13", "2020-02-30", "xx2020", "20", "2020-03-15T25:00Z"])
def test_what_is_no_date_is_refused_with_the_reason(full_shelf: Shelf, value: str) -> None:
    with pytest.raises(BadRequest, match="date: .* is not a date"):
        full_shelf.search(f"Observation?date={value}")


def test_a_date_that_does_not_lead_is_found_too(shelf: Shelf) -> None:
    shelf.put({"resourceType": "Condition", "id": "c", "subject": {}, "onsetDateTime": "2019-05", "recordedDate": "2020-03-15"})
    assert shelf.ids("Condition?recorded-date=2020-03") == ["c"]
    assert shelf.ids("Condition?recorded-date=gt2020-03") == []
    assert shelf.ids("Condition?recorded-date=lt2021&onset-date=2019") == ["c"]


def test_last_updated_is_the_time_of_writing(shelf: Shelf) -> None:
    shelf.put(_observation("a"), _observation("b"), _observation("c"))
    assert shelf.ids("Observation?_lastUpdated=2026-11-03T08:00:01Z") == ["b"]
    assert set(shelf.ids("Observation?_lastUpdated=gt2026-11-03T08:00:00Z")) == {"b", "c"}
    assert set(shelf.ids("Observation?_lastUpdated=le2026-11-03T08:00:01Z")) == {"a", "b"}
    assert shelf.ids("Observation?_lastUpdated=lt2026-11-03") == []


def test_ranges_are_half_open_and_as_wide_as_the_date_is_vague() -> None:
    assert span("2020") == ("2020-01-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00")
    assert span("2020-12") == ("2020-12-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00")
    assert span("9999") == ("9999-01-01T00:00:00+00:00", "infinity")
    assert span("2020-03-15T10:30:00.5Z") == ("2020-03-15T10:30:00.500000+00:00", "2020-03-15T10:30:00.600000+00:00")
    assert span("2016-12-31T23:59:60Z") == ("2016-12-31T23:59:59+00:00", "2017-01-01T00:00:00+00:00")
    assert extract("Period", {"start": "2020"}) == ("2020-01-01T00:00:00+00:00", "infinity")
    assert extract("Timing", {"repeat": {"boundsPeriod": {"end": "2020-01-01"}}}) == ("-infinity", "2020-01-02T00:00:00+00:00")
