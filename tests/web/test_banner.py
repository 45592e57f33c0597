"""The patient banner says who this is and never leaves absence to be guessed."""

from __future__ import annotations

import datetime as dt

from openward.fhir.resources import Patient, Resource
from openward.web.banner import Allergy, Banner, Review
from openward.web.components.clinical import patient_banner


def someone(**facts: object) -> Patient:
    made = Resource.of(
        {
            "resourceType": "Patient",
            "name": [{"family": "Okafor", "given": ["Ada"], "prefix": ["Mrs"]}],
            "birthDate": "1945-07-14",
            "gender": "female",
            **facts,
        }
    )
    assert isinstance(made, Patient)
    return made


def test_the_name_is_family_first_and_the_birth_date_carries_the_age(time_machine):
    time_machine.move_to(dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC))
    html = patient_banner(Banner(someone()))
    assert "OKAFOR, Ada (Mrs)" in html
    assert "14-Jul-1945 (81y)" in html


def test_labels_carry_no_colon():
    html = patient_banner(Banner(someone()))
    assert "<span>Born</span>" in html
    assert "Born:" not in html


def test_allergies_come_the_severe_first():
    assert Banner(someone(), [Allergy("Latex"), Allergy("Penicillin", severe=True)]).allergy_text == "Penicillin (severe), Latex"


def test_asked_and_none_is_not_the_same_as_not_asked():
    asked = Banner(someone(), review=Review(dt.date(2026, 11, 3), "A. Osei RN", none_known=True))
    assert asked.allergy_text == "No known allergies — confirmed 03-Nov-2026 by A. Osei RN"
    assert Banner(someone()).allergy_text == "Allergies not asked"
    assert (asked.allergy_state, Banner(someone()).allergy_state) == ("none", "unknown")


def test_a_role_that_may_not_see_allergies_is_told_so():
    assert Banner(someone(), allergies_hidden=True).allergy_text == "Not shown to your role"


def test_death_changes_the_banner_and_the_age_is_that_at_death():
    html = patient_banner(Banner(someone(deceasedDateTime="2026-10-12")))
    assert "deceased" in html
    assert "12-Oct-2026 (81y)" in html


def test_a_death_without_a_date_is_still_said():
    banner = Banner(someone(deceasedBoolean=True))
    assert banner.is_deceased
    assert banner.died_text == "Date not known"
    assert not Banner(someone(deceasedBoolean=False)).is_deceased


def test_what_is_not_known_is_written_out():
    nobody = Resource.of({"resourceType": "Patient"})
    banner = Banner(nobody)
    assert [banner.name, banner.born, banner.sex, banner.number, banner.phone, banner.address] == ["Not known"] * 6


def test_tabs_are_told_apart_by_surname_and_number():
    assert Banner(someone(identifier=[{"system": "urn:openward:mrn", "value": "OW-000123"}])).title == "OKAFOR 0123"
