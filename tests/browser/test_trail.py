"""A nurse is too curious: the privacy officer sees it, the patient sees it, and the trail proves it."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.house import OPENWARD, House
from tests.browser.people import Person, signs_in

pytestmark = pytest.mark.browser


def looked_at(person: Person, pictures: Path | None, name: str) -> None:
    person.finds_no_accessibility_fault().photographs(pictures, name)


def narrow_and_dark(person: Person, path: str, pictures: Path | None, name: str) -> None:
    page = person.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    person.goes_to(path)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), f"{path} scrolls sideways"
    looked_at(person, pictures, name)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})


PASSWORD = "a-patient-of-openward-7"
MAKE_USER = """import sys, django; django.setup()
from openward.accounts.models import User
taken = set(User.objects.values_list("reference", flat=True))
id = next(id for id in sys.argv[2:] if f"Patient/{id}" not in taken)
User.objects.create_user(sign_in="trail@example.org", password=sys.argv[1], role="patient", name="Portal Patient", reference=f"Patient/{id}")
print(id)
"""


def at_home(clinic: House) -> dict[str, str]:
    """What the operator's shell has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENWARD_", "DJANGO_"))}
    return {**kept, "OPENWARD_DATA": str(clinic.data), "DJANGO_SETTINGS_MODULE": "openward.server.settings"}


@pytest.fixture(scope="module")
def patient(clinic: House) -> str:
    """The id of a patient who can sign in at the portal now and could not before; the house has other stories."""
    everyone = [str(one["id"]) for one in clinic.all("Patient?_count=50")]
    made = subprocess.run([sys.executable, "-c", MAKE_USER, PASSWORD, *everyone], env=at_home(clinic), check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()


def test_the_officer_follows_the_trail(clinic: House, browser: Browser, pictures: Path | None, patient: str) -> None:
    clinic.fhir("GET", f"Patient/{patient}")
    officer = signs_in(browser, clinic.url, "privacy")
    officer.goes_to("/privacy/").follows("Everything that happened").sees("Everything that happened")
    looked_at(officer, pictures, "trail-events")
    officer.page.get_by_label(re.compile("^What")).select_option("opened")
    officer.clicks_on("Show").sees("opened name and contact details")
    officer.follows("When")
    looked_at(officer, pictures, "trail-events-opened")
    officer.goes_to(f"/privacy/patients/{patient}").sees("By person").sees("story")
    looked_at(officer, pictures, "trail-patient")
    officer.follows("Record a disclosure").types("Given to", "County court").types("What was given", "Visit notes").types("Why", "Court order")
    looked_at(officer, pictures, "trail-disclosure")
    officer.clicks_on("Write down").sees("Written down.")
    officer.follows("Withhold from the accounting").types("Agency", "County court").types("Who said it, and why", "A case is open")
    officer.page.get_by_label("Last day").fill(str(dt.date.today() + dt.timedelta(days=20)))  # noqa: DTZ011 - any of the next days will do
    looked_at(officer, pictures, "trail-withhold")
    officer.clicks_on("Withhold", exact=True).sees("What went to County court")
    looked_at(officer, pictures, "trail-withheld")
    officer.clicks_on("End now").sees("The accounting tells it again.")
    for path, name in (("/privacy/events", "trail-events-narrow"), (f"/privacy/patients/{patient}", "trail-patient-narrow")):
        narrow_and_dark(officer, path, pictures, name)
    officer.had_no_trouble()


def test_the_officer_works_a_breach(clinic: House, browser: Browser, pictures: Path | None, patient: str) -> None:
    clinic.fhir("GET", f"Patient/{patient}")
    officer = signs_in(browser, clinic.url, "privacy")
    officer.goes_to("/privacy/breaches").sees("No breach is under examination.")
    officer.follows("Open a breach").types("What happened", "Curious program")
    officer.types("Suspect account", "client:story")
    officer.page.get_by_label("First day").fill("2020-01-01")
    officer.page.get_by_label("Last day").fill("2099-01-01")
    looked_at(officer, pictures, "breach-open")
    officer.clicks_on("Open and look through the trail").sees("The clock").sees("60 days left")
    looked_at(officer, pictures, "breach")
    address = officer.page.url.removeprefix(clinic.url)
    officer.follows("Add a note").types("What was found or done", "Token revoked")
    looked_at(officer, pictures, "breach-note")
    officer.clicks_on("Save").sees("Token revoked")
    officer.follows("Write letters").sees("Dear {name}")
    looked_at(officer, pictures, "breach-letters")
    for path, name in ((address, "breach-narrow"), ("/privacy/retention", "retention-narrow")):
        narrow_and_dark(officer, path, pictures, name)
    officer.goes_to("/privacy/retention").sees("kept for ever")
    officer.follows("Place a legal hold").types("Why", "Example v. Sample").clicks_on("Place the hold").sees("The hold stands.").sees(
        "Example v. Sample"
    )
    looked_at(officer, pictures, "retention")
    officer.had_no_trouble()


def test_the_patient_sees_who_opened_their_record(clinic: House, browser: Browser, pictures: Path | None, patient: str) -> None:
    clinic.fhir("GET", f"Patient/{patient}")
    them = Person(clinic.url, browser.new_context(viewport={"width": 1440, "height": 900}).new_page()).goes_to("/account/sign-in")
    them.types("Sign-in name or e-mail", "trail@example.org").types("Password", PASSWORD).clicks_on("Sign in", exact=True)
    them.sees("Who opened your record")
    them.follows("Who opened your record").sees("nobody can remove it").sees("Connected program")
    looked_at(them, pictures, "portal-openings")
    narrow_and_dark(them, "/portal/who-opened", pictures, "portal-openings-narrow")
    them.had_no_trouble()


def test_the_operator_proves_the_trail(clinic: House) -> None:
    done = subprocess.run(
        [*OPENWARD, "audit", "verify", "--data", str(clinic.data)], env=at_home(clinic), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "The trail is sound."), done.stdout + done.stderr
