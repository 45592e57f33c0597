"""Appointments and the visits they became."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openward.demo.content.staff import NURSES
from openward.demo.generation.bookings import MINUTE, Booking
from openward.demo.generation.parts import FLOW_SINCE, FLOW_STATE, SERVICE, TERMINOLOGY, Json, concept, hl7, instant, to
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

STATUS_OF_BOOKING = {"booked": "booked", "cancelled": "cancelled", "noshow": "noshow", "finished": "fulfilled"}
STATUS_OF_FLOW = {"waiting": "arrived", "roomed": "triaged", "with-clinician": "in-progress", "leaving": "in-progress", "finished": "finished"}
# How long who is on the board was in each state before the present one, in minutes; and of a visit that is over, how much of it.
BEFORE = {"waiting": 9, "roomed": 8, "with-clinician": 17}
PARTS = {"waiting": 0.3, "roomed": 0.15, "with-clinician": 0.45, "leaving": 0.1}
CANCELLED_BECAUSE = (("pat", "Patient"), ("pat-cpp", "Patient: Canceled via Patient Portal"), ("prov-pers", "Provider: Personal"))


def appointments(chart: Chart) -> None:
    for booking in chart.bookings:
        chart.named[appointment_name(booking)] = _appointment(chart, booking)


def appointment_name(booking: Booking) -> str:
    return f"appointment/{booking.start.isoformat()}"


def _appointment(chart: Chart, booking: Booking) -> Json:
    made = min(booking.start - dt.timedelta(days=chart.chance.randint(1, 40)), chart.clock - dt.timedelta(hours=chart.chance.randint(1, 90)))
    people = (chart.patient, chart.house.ref("practitioner", booking.clinician.key), chart.house.ref("facility", booking.clinician.facility))
    cancelled = chart.chance.choice(CANCELLED_BECAUSE)
    return chart.add(
        "Appointment",
        status=STATUS_OF_BOOKING.get(booking.state, "arrived"),
        cancelationReason=hl7("appointment-cancellation-reason", *cancelled) if booking.state == "cancelled" else None,
        serviceType=[concept(SERVICE, booking.service.key, booking.service.name)],
        start=instant(booking.start),
        end=instant(booking.end),
        minutesDuration=booking.service.minutes,
        created=instant(max(made, dt.datetime.combine(chart.person.joined, dt.time(8), booking.start.tzinfo))),
        participant=[{"actor": actor, "status": "accepted"} for actor in people],
    )


def write(chart: Chart, made: Sequence[Visit]) -> None:
    for visit in made:
        resource = _encounter(chart, visit)
        visit.encounter = resource["id"]
        chart.named[f"encounter/{visit.encounter}"] = resource


def _encounter(chart: Chart, visit: Visit) -> Json:
    arrived, ended = times(chart, visit)
    booking = visit.booking
    return chart.add(
        "Encounter",
        extension=_flow(chart, visit),
        status=STATUS_OF_FLOW[visit.state],
        statusHistory=_history(chart, visit),
        **{"class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB", "display": "ambulatory"}},
        type=[concept(SERVICE, visit.service.key, visit.service.name)],
        serviceType=concept(SERVICE, visit.service.key, visit.service.name),
        subject=chart.patient,
        participant=_participants(chart, visit),
        appointment=[to(chart.named[appointment_name(booking)])] if booking else None,
        period={"start": instant(arrived), **({"end": instant(ended)} if ended else {})},
        location=_places(chart, visit),
        serviceProvider=chart.house.ref("organization", "hospital"),
    )


def times(chart: Chart, visit: Visit) -> tuple[dt.datetime, dt.datetime | None]:
    """When they came in and when they left, if they did."""
    booking = visit.booking
    if visit.state == "finished" or booking is None:
        end = min(visit.end, chart.clock - MINUTE) if visit.day == chart.today else visit.end
        return min(visit.start, end - 5 * MINUTE), end
    return chart.clock - (booking.minutes_there + sum(_minutes_before(visit.state).values())) * MINUTE, None


def _minutes_before(state: str) -> dict[str, int]:
    """The states before this one on the board, and the minutes in each."""
    states = list(BEFORE)
    return {earlier: BEFORE[earlier] for earlier in states[: states.index(state) if state in states else len(states)]}


def _history(chart: Chart, visit: Visit) -> list[Json]:
    """The states a booked visit went through, as the flow board would have kept them."""
    if visit.booking is None:
        return []
    at, ended = times(chart, visit)
    lasted = [(state, (ended - at) * part) for state, part in PARTS.items()] if ended else _lengths(visit.state)
    entries: list[Json] = []
    for state, length in lasted:
        since, at = at, at + length
        period = {"start": instant(since), "end": instant(at)}
        entries.append({"extension": [{"url": FLOW_STATE, "valueCode": state}], "status": STATUS_OF_FLOW[state], "period": period})
    return entries


def _lengths(state: str) -> list[tuple[str, dt.timedelta]]:
    return [(earlier, minutes * MINUTE) for earlier, minutes in _minutes_before(state).items()]


def _flow(chart: Chart, visit: Visit) -> list[Json]:
    if visit.state == "finished" or visit.booking is None:
        return []
    since = chart.clock - visit.booking.minutes_there * MINUTE
    return [{"url": FLOW_STATE, "valueCode": visit.state}, {"url": FLOW_SINCE, "valueInstant": instant(since)}]


def _participants(chart: Chart, visit: Visit) -> list[Json]:
    kind = hl7("v3-ParticipationType", "PPRF", "primary performer")
    return [{"type": [kind], "individual": chart.house.ref("practitioner", visit.clinician.key)}]


def _places(chart: Chart, visit: Visit) -> list[Json]:
    facility: Json = {"location": chart.house.ref("facility", visit.clinician.facility)}
    if visit.booking is None or visit.booking.room is None:
        return [facility]
    room = chart.house.ref("room", f"{visit.clinician.facility}/{visit.booking.room}")
    return [facility, {"location": room, "status": "active", "physicalType": hl7("location-physical-type", "ro", "Room")}]


def nurse(chart: Chart, visit: Visit) -> Json:
    """A nurse of the facility, always the same one on one day."""
    here = [n for n in NURSES if n.facility == visit.clinician.facility]
    return chart.house.ref("practitioner", here[visit.day.toordinal() % len(here)].key)
