"""A protected visit is billed once the patient consents; a patient refuses someone in the portal; a rule is made. In real browsers, wide and narrow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser


def looks_everywhere(person: Person, pictures: Path | None, name: str) -> None:
    """Wide and narrow, light and dark: no accessibility fault, and nothing wider than the window."""
    for width, height in ((1440, 900), (390, 844)):
        person.page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            person.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            person.finds_no_accessibility_fault().photographs(pictures, f"{name}-{width}-{scheme}")
        assert person.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} at {width}"
    person.page.set_viewport_size({"width": 1440, "height": 900})
    person.page.emulate_media(color_scheme="light")


def test_a_consent_is_written_read_back_kept_and_withdrawn(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = clinic.all("Patient?_count=12&_sort=birthdate")[5]
    desk = signs_in(browser, clinic.url, "frontdesk").goes_to(f"/privacy/patients/{patient['id']}/consents").sees("Nothing is decided")
    looks_everywhere(desk, pictures, "consents-none")
    desk.follows("New consent")
    looks_everywhere(desk, pictures, "consent-new")
    desk.clicks_on("See what it does")
    desk.page.locator(".error-summary, [role=alert]").first.wait_for()
    desk.finds_no_accessibility_fault()
    desk.page.get_by_label("They may not see it").check()
    desk.page.get_by_label("Who", exact=True).select_option(index=3)
    desk.page.get_by_label("Mental health").check()
    desk.clicks_on("See what it does").sees(re.compile("^After this, .* cannot open information on mental health"))
    looks_everywhere(desk, pictures, "consent-effect")
    desk.clicks_on("Keep it").sees("It is kept, and holds from now on.").sees("Holds")
    looks_everywhere(desk, pictures, "consents-one")
    desk.clicks_on("Withdraw").clicks_on("Yes, go on").sees(re.compile("withdrawn by")).had_no_trouble()


def test_a_protected_claim_waits_for_consent_and_opens_with_it(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = clinic.all("Patient?_count=12&_sort=birthdate")[6]
    made = clinic.fhir("POST", "Claim", protected_claim(patient["id"]))
    biller = signs_in(browser, clinic.url, "biller").goes_to("/billing/?state=needs-consent").sees("Withheld: protected by law")
    looks_everywhere(biller, pictures, "claims-withheld")
    biller.page.locator("#claim-rows tbody a").first.click()
    biller.sees("What this claim says is withheld").does_not_see(patient["name"][0]["family"].upper())
    looks_everywhere(biller, pictures, "claim-withheld")

    officer = (
        signs_in(browser, clinic.url, "privacy").goes_to("/billing/consents-wanted").sees(re.compile(patient["name"][0]["family"], re.IGNORECASE))
    )
    looks_everywhere(officer, pictures, "consent-wanted")
    officer.follows("Record a consent")
    officer.page.get_by_label("The patient has signed this on paper").check()
    officer.clicks_on("See what it does").clicks_on("Keep it").sees("It is kept, and holds from now on.")
    biller.goes_to(f"/billing/claims/{made['id']}").sees(re.compile("F11.20"))
    for person in (biller, officer):
        person.had_no_trouble()


def protected_claim(patient: str) -> dict[str, Any]:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}]}
    return {
        "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-11-02", "patient": {"reference": f"Patient/{patient}"},
        "meta": {"tag": [{"system": "urn:openward:claim-state", "code": "draft"}]}, "type": {"text": "professional"}, "priority": {"text": "normal"},
        "provider": {"display": "Practice"}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "not known"}}],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": code}],
        "item": [{"sequence": 1, "productOrService": {"coding": [{"system": "urn:openward:service-code", "code": "OW-VISIT-20"}]}, "servicedDate": "2026-11-02",
                  "net": {"value": 125, "currency": "USD"}}],
    }  # fmt: skip


def test_a_patient_decides_in_the_portal(clinic: House, browser: Browser, pictures: Path | None) -> None:
    patient = signs_in(browser, clinic.url, "patient1", width=390, height=844).goes_to("/portal/")
    patient.follows(re.compile("Who may see your record")).sees("Nothing is decided")
    looks_everywhere(patient, pictures, "sharing")
    patient.goes_to("/privacy/sharing/new")
    looks_everywhere(patient, pictures, "sharing-new")
    patient.had_no_trouble()


def test_the_officer_makes_a_rule_and_sees_how_far_it_is(clinic: House, browser: Browser, pictures: Path | None) -> None:
    officer = signs_in(browser, clinic.url, "privacy").goes_to("/privacy/rules").sees("Rules Openward comes with")
    officer.types("Code", "A15.0").clicks_on("Make the rule").sees("The rule holds from now on")
    looks_everywhere(officer, pictures, "rules")
    officer.had_no_trouble()
