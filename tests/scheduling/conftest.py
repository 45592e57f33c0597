"""A small clinic of one street: two facilities in two zones, two clinicians, a service, rooms, patients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection

from openward.access.actor import Actor
from openward.fhir.resources import (
    Appointment,
    CodeableConcept,
    Coding,
    HealthcareService,
    HumanName,
    Identifier,
    Location,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    PractitionerRoleAvailableTime,
    Reference,
)
from openward.record import unit_of_work
from openward.scheduling import actions, facts
from tests import cast

NEW_YORK = ZoneInfo("America/New_York")
# A Tuesday, eight in the morning in New York.
MORNING = dt.datetime(2026, 11, 3, 8, 0, tzinfo=NEW_YORK)
TODAY = dt.date(2026, 11, 3)


@dataclass
class Clinic:
    """Ids of what is in the clinic, and its front desk."""

    facility: str
    west: str
    rooms: list[str]
    service: str
    osei: str
    lindqvist: str
    ada: str
    ben: str
    payer: str
    desk: Actor

    def at(self, clock: str, day: dt.date = TODAY) -> dt.datetime:
        return dt.datetime.combine(day, dt.time.fromisoformat(clock), NEW_YORK)

    def book(self, clock: str = "10:00", **changed: Any) -> Appointment:
        asked: dict[str, Any] = {
            "by": self.desk,
            "patient": self.ada,
            "service": self.service,
            "practitioner": self.osei,
            "facility": self.facility,
            "start": self.at(clock),
        }
        return actions.book(**{**asked, **changed})

    def arrive(self, clock: str = "10:00", **changed: Any) -> Any:
        return actions.check_in(by=self.desk, appointment=str(self.book(clock, **changed).id))


def furnish() -> Clinic:
    desk = cast.staff("front-desk", name="Rosa Delgado")
    with unit_of_work(by=cast.system("furnish the clinic")) as work:
        store = work.store
        practice = store.create(Organization(name="Practice"))
        payer = store.create(Organization(name="Juniper Mutual", identifier=[Identifier(system="urn:openward:payer", value="OWP01")]))
        east = _facility(store, "Maple Hollow", "America/New_York", practice)
        west = _facility(store, "Cedar Flats", "America/Los_Angeles", practice)
        rooms = [_room(store, name, east) for name in ("Room 1", "Room 2")]
        service = HealthcareService(
            active=True, name="Follow-up visit", type=[CodeableConcept(coding=[Coding(system=facts.SERVICE, code="follow-up")])]
        )
        service.set_extension(facts.DURATION, valueInteger=20)
        offered = store.create(service)
        osei, lindqvist = (_clinician(store, family, given, east, offered, practice) for family, given in (("Osei", "Kwame"), ("Lindqvist", "Maja")))
        ada, ben = (_patient(store, family, given) for family, given in (("Okafor", "Ada"), ("Brandt", "Ben")))
    ids = [str(one.id) for one in (east, west)]
    return Clinic(*ids, [str(room.id) for room in rooms], str(offered.id), osei, lindqvist, ada, ben, str(payer.id), desk)


def _facility(store: Any, name: str, zone: str, practice: Organization) -> Location:
    place = Location(status="active", name=name, managingOrganization=Reference.to(practice))
    place.set_extension(facts.TIME_ZONE, valueCode=zone)
    return store.create(place)


def _room(store: Any, name: str, facility: Location) -> Location:
    kind = CodeableConcept(coding=[Coding(system=facts.PHYSICAL_TYPE, code="ro")])
    return store.create(Location(status="active", name=name, partOf=Reference.to(facility), physicalType=kind))


def _clinician(store: Any, family: str, given: str, place: Location, service: HealthcareService, practice: Organization) -> str:
    person = store.create(Practitioner(active=True, name=[HumanName(family=family, given=[given], prefix=["Dr"])]))
    hours = PractitionerRoleAvailableTime(daysOfWeek=["mon", "tue", "wed", "thu", "fri"], availableStartTime="09:00:00", availableEndTime="12:00:00")
    store.create(
        PractitionerRole(
            active=True,
            practitioner=Reference.to(person),
            organization=Reference.to(practice),
            location=[Reference.to(place)],
            healthcareService=[Reference.to(service)],
            availableTime=[hours],
        )
    )
    return str(person.id)


def _patient(store: Any, family: str, given: str) -> str:
    return str(store.create(Patient(name=[HumanName(family=family, given=[given])], birthDate="1980-02-03", gender="female")).id)


@pytest.fixture
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def clinic(db: None, morning: time_machine.Traveller) -> Clinic:
    return furnish()


@pytest.fixture
def committed_clinic(committed_db: None, morning: time_machine.Traveller) -> Clinic:
    """A clinic whose rows are committed, for tests with several connections."""
    return furnish()


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Run functions at the same time, each on a connection of its own; the answers, or the errors, in their order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        def one(function: Callable[[], Any]) -> Any:
            try:
                return function()
            except Exception as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(functions)) as pool:
            return list(pool.map(one, functions))

    return run
