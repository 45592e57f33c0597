"""What the schedule reads from and writes into resources: zones, lengths, rooms, the flow state. See docs/conventions.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from openward.fhir.ids import key
from openward.fhir.resources import (
    Appointment,
    CodeableConcept,
    Coding,
    Encounter,
    HealthcareService,
    Location,
    Period,
    PractitionerRole,
    Reference,
)
from openward.scheduling.freetime import DAY, MINUTE, Hours, Interval, Week, day_bounds

SERVICE: Final = "urn:openward:service"
TIME_ZONE: Final = "http://hl7.org/fhir/StructureDefinition/timezone"
DURATION: Final = "urn:openward:duration-minutes"
BUFFER: Final = "urn:openward:buffer-minutes"
FLOW_STATE: Final = "urn:openward:flow-state"
FLOW_SINCE: Final = "urn:openward:flow-since"
PHYSICAL_TYPE: Final = "http://terminology.hl7.org/CodeSystem/location-physical-type"
ROOM: Final = "ro"
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_MINUTES: Final = 30


def moment(text: str | None) -> dt.datetime | None:
    """A FHIR instant or dateTime with a time as a UTC instant; None for a date alone."""
    if not text or "T" not in text:
        return None
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def written(at: dt.datetime) -> str:
    """A UTC instant as FHIR writes it, to the millisecond only when it has any."""
    precision = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(dt.UTC).isoformat(timespec=precision).replace("+00:00", "Z")


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone_of(location: Location | None, default: str = "America/New_York") -> ZoneInfo:
    """The time zone a facility keeps its hours in."""
    return zone((location.extension_value(TIME_ZONE) if location else None) or default)


def is_room(location: Location) -> bool:
    return any(coding.code == ROOM for coding in (location.physicalType.coding if location.physicalType else []))


def length_of(service: HealthcareService) -> dt.timedelta:
    return int(service.extension_value(DURATION) or DEFAULT_MINUTES) * MINUTE


def buffer_of(service: HealthcareService) -> dt.timedelta:
    return int(service.extension_value(BUFFER) or 0) * MINUTE


def service_code(resource: Appointment | Encounter | HealthcareService) -> str | None:
    """The code in `urn:openward:service` of what was booked or is offered."""
    codings = (coding for concept in _service_concepts(resource) for coding in concept.coding)
    return next((str(coding.code) for coding in codings if coding.system == SERVICE), None)


def service_name(resource: Appointment | Encounter) -> str:
    """The service in words: what was booked, as it was called then."""
    for concept in _service_concepts(resource):
        name = concept.text or next((coding.display for coding in concept.coding if coding.display), None)
        if name:
            return str(name)
    return ""


def _service_concepts(resource: Appointment | Encounter | HealthcareService) -> list[CodeableConcept]:
    if isinstance(resource, HealthcareService):
        return list(resource.type)
    if isinstance(resource, Appointment):
        return list(resource.serviceType)
    return [resource.serviceType] if resource.serviceType else []


def service_concept(service: HealthcareService) -> CodeableConcept:
    return CodeableConcept(coding=[Coding(system=SERVICE, code=service_code(service), display=service.name)], text=service.name)


def during(appointment: Appointment) -> Interval | None:
    """When the appointment is, or None while it has no time."""
    start, end = moment(appointment.start), moment(appointment.end)
    return Interval(start, end) if start and end else None


def references(appointment: Appointment, type: str) -> Iterator[Reference]:
    """The participants of one type who have not declined."""
    for participant in appointment.participant:
        if participant.actor and participant.actor.target_type == type and participant.status != "declined":
            yield participant.actor


def participant(appointment: Appointment, type: str) -> Reference | None:
    return next(references(appointment, type), None)


def target(reference: Reference | None) -> str | None:
    """The id a reference points at."""
    return reference.target_id if reference else None


def target_key(reference: Reference) -> UUID:
    return key(str(reference.target_type), str(reference.target_id))


def week_of(role: PractitionerRole, zone: ZoneInfo) -> Week:
    """The working week of a role, in the zone of its facility."""
    hours = [_hours(entry) for entry in role.availableTime]
    away = [span for entry in role.notAvailable if (span := _away(entry.during, zone))]
    return Week(hours, zone, away)


def _hours(entry: Any) -> Hours:
    days = frozenset(WEEKDAYS.index(day) for day in entry.daysOfWeek) or frozenset(range(7))
    if entry.allDay:
        return Hours(days)
    return Hours(days, dt.time.fromisoformat(entry.availableStartTime or "00:00"), dt.time.fromisoformat(entry.availableEndTime or "00:00"))


def _away(period: Period | None, zone: ZoneInfo) -> Interval | None:
    """A date means the whole of that day where the facility is; an open end means for ever."""
    if period is None:
        return None
    start, end = _edge(period.start, zone, whole_day=False), _edge(period.end, zone, whole_day=True)
    span = Interval(start or dt.datetime.min.replace(tzinfo=dt.UTC), end or dt.datetime.max.replace(tzinfo=dt.UTC))
    return span if span.start < span.end else None


def _edge(text: str | None, zone: ZoneInfo, *, whole_day: bool) -> dt.datetime | None:
    if not text or "T" in text:
        return moment(text)
    first = dt.date.fromisoformat(text + "-01" * ((10 - len(text)) // 3))
    return day_bounds(_last_day(first, text) if whole_day else first, zone).end if whole_day else day_bounds(first, zone).start


def _last_day(first: dt.date, text: str) -> dt.date:
    """The last day of a year, month or day."""
    if len(text) == 10:
        return first
    return (first.replace(month=12, day=31)) if len(text) == 4 else (first.replace(day=28) + 4 * DAY).replace(day=1) - DAY


def flow_of(visit: Encounter) -> str | None:
    """Where the patient is: waiting, roomed, with-clinician, leaving; None outside the clinic."""
    state = visit.extension_value(FLOW_STATE)
    return str(state) if state else None


def flow_since(visit: Encounter) -> dt.datetime | None:
    return moment(visit.extension_value(FLOW_SINCE))


def set_flow(visit: Encounter, state: str) -> None:
    visit.set_extension(FLOW_STATE, valueCode=state)


def set_flow_since(visit: Encounter, since: dt.datetime) -> None:
    visit.set_extension(FLOW_SINCE, valueInstant=written(since))


def room_of(visit: Encounter) -> Reference | None:
    """The room the patient is in now: the last location entry of physical type room that has not ended."""
    for entry in reversed(visit.location):
        coded = entry.physicalType.coding if entry.physicalType else []
        if any(coding.code == ROOM for coding in coded) and not (entry.period and entry.period.end) and entry.status != "completed":
            found: Reference = entry.location
            return found
    return None


def clinician_of(visit: Encounter) -> Reference | None:
    """The practitioner of the visit."""
    people = (entry.individual for entry in visit.participant if entry.individual and not (entry.period and entry.period.end))
    return next((person for person in people if person.target_type == "Practitioner"), None)
