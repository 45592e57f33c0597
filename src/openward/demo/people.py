"""Who can sign in to the demo clinic: one or more people per role, and a few patients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from openward.accounts.actions import make_user
from openward.accounts.models import User
from openward.demo import models
from openward.demo.content.staff import DEMO_PASSWORD, PERSONAS, Persona
from openward.demo.generation.clinic import Clinic
from openward.demo.generation.people import Person

PATIENTS = 3


def make_people(clinic: Clinic, tenant: int) -> None:
    """Users and personas, those that are missing."""
    for place, (persona, reference) in enumerate([*_staff(clinic), *_patients(clinic)]):
        if not User.objects.filter(sign_in=persona.username).exists():
            make_user(sign_in=persona.username, password=DEMO_PASSWORD, role=persona.role, name=persona.name, tenant=tenant, reference=reference)
        fields = {"name": persona.name, "role": persona.role, "sentence": persona.sentence, "place": place}
        models.Persona.objects.update_or_create(tenant=tenant, sign_in=persona.username, defaults=fields)


def _staff(clinic: Clinic) -> Iterator[tuple[Persona, str]]:
    for persona in PERSONAS:
        found = clinic.house.get("practitioner", persona.works_as) if persona.works_as else None
        yield persona, f"Practitioner/{found['id']}" if found else ""


def _patients(clinic: Clinic) -> Iterator[tuple[Persona, str]]:
    """Living grown-ups of the first persona's doctor with something in their chart, so that the portal has something to show."""
    for number, person in enumerate(portal_patients(clinic), start=1):
        age = person.whole_years(clinic.moment.today)
        sentence = f"A patient of {person.doctor.prefix} {person.doctor.family}, {age}: visits, results, messages and bills in the portal."
        yield Persona(f"patient{number}", person.name, "patient", sentence), f"Patient/{person.id}"


def portal_patients(clinic: Clinic) -> list[Person]:
    """The patients who have a sign-in: of different ages, with years at the clinic."""
    today = clinic.moment.today
    known = [p for p in clinic.people if not p.died and p.age_on(today) >= 19 and (today - p.joined) > dt.timedelta(days=500)]
    own = [p for p in known if p.doctor.key == "lindqvist"] + [p for p in known if p.doctor.key != "lindqvist"]
    picked: list[Person] = []
    for low, high in ((45, 64), (25, 44), (65, 82)):
        picked += [p for p in own if low <= p.age_on(today) < high and p not in picked][:1]
    return picked[:PATIENTS]
