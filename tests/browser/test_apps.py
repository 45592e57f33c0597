"""An app is registered, opened from a chart, let in by a patient, refreshed, refused and taken back: npm `fhirclient` in Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.apps import SomeApp, some_app
from tests.browser.house import House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
APPROVED = "openid fhirUser launch launch/patient launch/encounter offline_access patient/*.rs"
FROM_CHART = f"launch openid fhirUser patient/Patient.rs patient/Observation.rs?category={CATEGORY}|vital-signs"
BY_ITSELF = (
    f"openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs?category={CATEGORY}|vital-signs patient/Condition.rs"
)


@pytest.fixture(scope="module")
def growth() -> Iterator[SomeApp]:
    with some_app() as running:
        yield running


def met(page: Page) -> dict[str, Any]:
    """What the app has written into its page."""
    expect(page.locator("#met")).not_to_have_text("waiting")
    found: dict[str, Any] = json.loads(page.locator("#met").inner_text())
    return found


def presses(page: Page, name: str) -> dict[str, Any]:
    page.evaluate("document.getElementById('met').textContent = 'waiting'")
    page.get_by_role("button", name=name).click()
    return met(page)


def test_an_app_from_its_registration_to_its_end(clinic: House, browser: Browser, growth: SomeApp, pictures: Path | None) -> None:
    story = Story(clinic, browser, growth, pictures)
    story.the_administrator_registers_it()
    story.the_clinician_opens_it_from_the_chart()
    story.the_patient_refuses_it()
    story.the_patient_lets_it_in_and_leaves_something_out()
    story.it_comes_back_for_new_tokens()
    story.the_patient_takes_it_back()
    story.administrator.had_no_trouble()


class Story:
    def __init__(self, clinic: House, browser: Browser, growth: SomeApp, pictures: Path | None) -> None:
        self.clinic, self.growth, self.pictures = clinic, growth, pictures
        self.administrator, self.clinician = (signs_in(browser, clinic.url, who) for who in ("admin", "clinician"))
        self.patient = signs_in(browser, clinic.url, "patient1", width=390, height=844)
        self.client_id = ""

    def the_administrator_registers_it(self) -> None:
        admin = self.administrator.goes_to("/admin/apps").finds_no_accessibility_fault()
        admin.clicks_on("Register an app", "link")
        admin.panel.get_by_label("Name", exact=True).fill("Growth")
        admin.types("Who makes it", "Somebody Else Inc.").types("What it does", "Draws growth curves.")
        admin.panel.get_by_label("Addresses it comes back to").fill(self.growth.back)
        admin.panel.get_by_label("Address that starts it from here").fill(f"{self.growth.url}/launch.html")
        admin.panel.get_by_label("Scopes it may ask for").fill(APPROVED)
        admin.panel.get_by_label("Staff may use it").check()
        admin.panel.get_by_label("Patients may use it").check()
        admin.finds_no_accessibility_fault().photographs(self.pictures, "app-1-register").clicks_on("Register and approve", within=admin.panel)
        admin.sees("Growth is registered.")
        admin.goes_to("/admin/apps").clicks_on("Growth", "link")
        self.client_id = admin.panel.get_by_text(re.compile(r"^[0-9a-f]{8}-[0-9a-f-]{27}$")).first.inner_text()
        admin.finds_no_accessibility_fault().photographs(self.pictures, "app-2-approved")

    def installs(self, person: Person, scope: str) -> None:
        """The app knows its own client id; what it asks for is up to the story."""
        person.page.goto(f"{self.growth.url}/install.html?{urlencode({'client': self.client_id, 'scope': scope})}")
        expect(person.page.get_by_text("installed")).to_be_visible()

    def the_clinician_opens_it_from_the_chart(self) -> None:
        doctor = self.clinician
        self.installs(doctor, FROM_CHART)
        visit = self.clinic.all("Encounter?status=finished&_sort=-date&_count=1")[0]
        patient = visit["subject"]["reference"].split("/")[1]
        family = self.clinic.fhir("GET", f"Patient/{patient}")["name"][0]["family"]
        doctor.goes_to(f"/chart/{patient}/").follows("Apps")
        doctor.finds_no_accessibility_fault().photographs(self.pictures, "app-3-chart")
        doctor.clicks_on("Open Growth")
        doctor.page.wait_for_url(re.compile(r"/index\.html"))
        said = met(doctor.page)
        assert (said.get("patient"), said.get("id")) == (family, patient), said
        assert said["encounter"] in {one["id"] for one in self.clinic.all(f"Encounter?patient={patient}&_count=100")}
        assert said["user"].startswith("Practitioner/")
        assert set(said["observations"]) <= {"vital-signs"}
        assert said["conditions"] in (403, 404)
        assert said["scope"] == FROM_CHART

    def opens_the_app(self) -> Page:
        self.installs(self.patient, BY_ITSELF)
        self.patient.page.goto(f"{self.growth.url}/launch.html?{urlencode({'iss': f'{self.clinic.url}/fhir'})}")
        self.patient.sees("Let Growth in?")
        return self.patient.page

    def the_patient_refuses_it(self) -> None:
        page = self.opens_the_app()
        self.patient.finds_no_accessibility_fault().photographs(self.pictures, "app-4-consent").clicks_on("Refuse")
        page.wait_for_url(re.compile(r"/index\.html"))
        assert "refused" in met(page)["error"]

    def the_patient_lets_it_in_and_leaves_something_out(self) -> None:
        page = self.opens_the_app()
        for kind in ("See the problem list", "See diagnoses of visits", "See health concerns"):
            page.get_by_label(kind).uncheck()
        self.patient.clicks_on("Let it in")
        page.wait_for_url(re.compile(r"/index\.html"))
        said = met(page)
        assert said.get("id"), said
        assert said["patient"] == self.clinic.fhir("GET", f"Patient/{said['id']}")["name"][0]["family"]
        assert said["user"] == f"Patient/{said['id']}"
        assert set(said["observations"]) == {"vital-signs"}
        assert said["conditions"] in (403, 404)
        assert "Condition" not in said["scope"]

    def it_comes_back_for_new_tokens(self) -> None:
        before = met(self.patient.page)
        after = presses(self.patient.page, "Refresh")
        assert after["refreshed"] is True, after
        assert after["token"] != before["token"]
        assert after["observations"] == before["observations"]

    def the_patient_takes_it_back(self) -> None:
        app = self.patient.page
        portal = Person(self.clinic.url, app.context.new_page()).goes_to("/apps/connected")
        portal.sees("See vital signs").finds_no_accessibility_fault().photographs(self.pictures, "app-5-connected")
        portal.follows("Change or take back: Growth").finds_no_accessibility_fault().photographs(self.pictures, "app-6-connection")
        portal.clicks_on("Disconnect this app").sees("Growth can no longer see your record.")
        assert "error" in presses(app, "Refresh")
        portal.page.goto(f"{self.clinic.url}/apps/connected")
        portal.sees("No app is connected.").had_no_trouble()
