"""The directory: facilities with their clocks, their rooms, what is offered and who offers it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from openward.fhir.ids import key
from openward.fhir.resources import HealthcareService, Location, Practitioner, PractitionerRole
from openward.fhir.store import Store
from openward.scheduling import facts, rooms
from openward.scheduling.freetime import Interval, Week, day_bounds
from openward.web.display import person_name, spoken_name

MOST = 200


@dataclass(frozen=True, slots=True)
class Facility:
    """A place with its own clock. `id` is its Location."""

    id: str
    name: str
    zone: ZoneInfo

    def today(self, now: dt.datetime) -> dt.date:
        return now.astimezone(self.zone).date()

    def day(self, day: dt.date) -> Interval:
        return day_bounds(day, self.zone)


@dataclass(frozen=True, slots=True)
class Bookable:
    """Somebody who can be booked: one PractitionerRole, with the working week it has at its facility."""

    role: str
    practitioner: str
    name: str
    facility: Facility
    week: Week
    services: frozenset[str]
    called: str = ""

    @property
    def key(self) -> UUID:
        return key("Practitioner", self.practitioner)


def facilities(store: Store) -> list[Facility]:
    """Every facility, by name: a Location that keeps a time zone of its own."""
    places = store.search(Location, {"status:not": "inactive", "_count": MOST}).resources
    found = [_facility(place) for place in places if not facts.is_room(place) and place.extension_value(facts.TIME_ZONE)]
    return sorted(found, key=lambda place: place.name)


def facility(store: Store, id: str) -> Facility:
    """Raises NotFound."""
    return _facility(store.read(Location, id))


def workplace(store: Store, person: str | None) -> str | None:
    """The facility of somebody's own role; `person` is a reference such as `Practitioner/<id>`."""
    if not person or not person.startswith("Practitioner/"):
        return None
    roles = store.search(PractitionerRole, {"practitioner": person, "_count": 1}).resources
    return next((place.target_id for role in roles for place in role.location), None)


def busiest(store: Store) -> str | None:
    """The facility where most people can be booked."""
    places = Counter(person.facility.id for person in bookable(store))
    return places.most_common(1)[0][0] if places else None


def rooms_of(store: Store, facility: str) -> list[Location]:
    places = store.search(Location, {"partof": f"Location/{facility}", "_count": MOST}).resources
    return sorted((place for place in places if facts.is_room(place)), key=lambda place: _in_order(place.name or ""))


def rooms_in_use(store: Store) -> set[UUID]:
    return rooms.in_use(store.connection, tenant=store.tenant)


def services(store: Store) -> list[HealthcareService]:
    """What can be booked, by name."""
    found = store.search(HealthcareService, {"active": "true", "_count": MOST}).resources
    return sorted((service for service in found if facts.service_code(service)), key=lambda service: service.name or "")


def bookable(store: Store, *, service: str | None = None, practitioner: str | None = None, facility: str | None = None) -> list[Bookable]:
    """Who can be booked, by name; narrowed to a HealthcareService, a Practitioner, a facility."""
    params: dict[str, str | int | list[str]] = {
        "active": "true",
        "_include": ["PractitionerRole:practitioner", "PractitionerRole:location"],
        "_count": MOST,
    }
    for name, type, id in (
        ("service", "HealthcareService", service),
        ("practitioner", "Practitioner", practitioner),
        ("location", "Location", facility),
    ):
        if id:
            params[name] = f"{type}/{id}"
    page = store.search(PractitionerRole, params)
    return _bookables(page.resources, {(found.resourceType, str(found.id)): found for found in page.included}, facility)


def _bookables(roles: Sequence[PractitionerRole], included: dict[tuple[str, str], object], facility: str | None) -> list[Bookable]:
    found = []
    for role in roles:
        who = included.get(("Practitioner", str(facts.target(role.practitioner))))
        if not isinstance(who, Practitioner) or not role.availableTime:
            continue
        for place in role.location:
            where = included.get(("Location", str(place.target_id)))
            if isinstance(where, Location) and facility in (None, where.id):
                found.append(_bookable(role, who, _facility(where)))
    return sorted(found, key=lambda one: (one.name, one.facility.name))


def _bookable(role: PractitionerRole, who: Practitioner, facility: Facility) -> Bookable:
    return Bookable(
        role=str(role.id),
        practitioner=str(who.id),
        name=person_name(who.name[0] if who.name else None),
        facility=facility,
        week=facts.week_of(role, facility.zone),
        services=frozenset(str(service.target_id) for service in role.healthcareService),
        called=spoken_name(who.name[0] if who.name else None),
    )


def _facility(place: Location) -> Facility:
    return Facility(str(place.id), place.name or "", facts.zone_of(place))


def _in_order(name: str) -> tuple[str, int]:
    """`Room 2` before `Room 10`."""
    words = name.rsplit(" ", 1)
    return (words[0], int(words[1])) if len(words) == 2 and words[1].isdigit() else (name, 0)
