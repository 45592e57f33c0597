"""What people read about a registration: absence stated, insurance with its state in a word."""

from __future__ import annotations

import datetime as dt

import pytest

from openward.fhir.matching import Match
from openward.fhir.resources import ContactPoint, Coverage, HumanName, Patient, Period, Reference
from openward.registration import facts
from openward.registration.presenters import CoverageRow, Details, LikenessRow, born_words, sex_words

TODAY = dt.date(2026, 11, 3)


class TestWho:
    def test_what_is_not_known_is_said(self) -> None:
        assert (born_words(Patient()), sex_words(Patient()), facts.name_of(Patient())) == ("Not known", "Not known", "Not known")

    def test_an_official_name_comes_before_a_nickname(self) -> None:
        names = [HumanName(use="nickname", given=["Addie"]), HumanName(use="official", family="Okafor", given=["Ada"])]
        assert facts.name_of(Patient(name=names)) == "OKAFOR, Ada"

    def test_an_old_telephone_is_not_called(self) -> None:
        points = [ContactPoint(system="phone", value="+12125550100", use="old"), ContactPoint(system="phone", value="+12125550111")]
        assert facts.phone_of(Patient(telecom=points)) == "+12125550111"

    @pytest.mark.parametrize(
        ("kept", "shown"), [("+12125550123", "(212) 555-0123"), ("+442079460958", "+44 20 7946 0958"), ("ext. 7", "ext. 7"), (None, "")]
    )
    def test_a_telephone_is_shown_as_people_say_it(self, kept: str | None, shown: str) -> None:
        assert facts.phone_words(kept) == shown

    def test_not_asked_is_not_no(self) -> None:
        asked = Patient()
        facts.welcome_texts(asked, False)
        assert dict(Details(Patient()).facts)["Text messages"] == "Not asked"
        assert dict(Details(asked).facts)["Text messages"] == "No"


class TestSomebodyAlike:
    def test_why_is_one_sentence(self) -> None:
        alike = Match("1", 0.9, "probable", ("Same birth date", "Family name sounds the same, Given name is the same", "Same telephone number"))
        row = LikenessRow(alike, Patient(), "/")
        assert row.why == "Same birth date, family name sounds the same, given name is the same, same telephone number"


class TestCoverage:
    def row(self, status: str = "active", **period: str) -> CoverageRow:
        coverage = Coverage(status=status, beneficiary=Reference("Patient/1"), payor=[Reference("Organization/1", display="Juniper")])
        coverage.period = Period(**period) if period else None
        return CoverageRow(coverage, TODAY)

    @pytest.mark.parametrize(
        ("status", "period", "words"),
        [
            ("active", {}, "Active"),
            ("active", {"start": "2026-01-01"}, "Active"),
            ("active", {"end": "2026-11-03"}, "Active"),
            ("active", {"end": "2026-11-02"}, "Expired"),
            ("active", {"start": "2026-11-04"}, "Not yet valid"),
            ("cancelled", {}, "Ended"),
        ],
    )
    def test_its_state_is_a_word(self, status: str, period: dict[str, str], words: str) -> None:
        assert self.row(status, **period).state[0] == words

    @pytest.mark.parametrize(
        ("period", "words"),
        [
            ({"start": "2026-01-01", "end": "2026-12-31"}, "01-Jan-2026 – 31-Dec-2026"),
            ({"start": "2026-01-01"}, "since 01-Jan-2026"),
            ({"end": "2026-12-31"}, "until 31-Dec-2026"),
            ({}, ""),
        ],
    )
    def test_its_dates_are_said(self, period: dict[str, str], words: str) -> None:
        assert self.row(**period).dates == words
