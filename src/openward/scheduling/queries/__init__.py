"""What the schedule's pages, the portal and reports read. Times are UTC instants; days are days of a facility."""

from __future__ import annotations

from openward.scheduling.queries.days import (
    Arrival,
    OnBoard,
    appointments_between,
    arrival,
    arrivals,
    coming_up,
    of_patient,
    on_the_board,
    visits_of_day,
)
from openward.scheduling.queries.places import (
    Bookable,
    Facility,
    bookable,
    busiest,
    facilities,
    facility,
    rooms_in_use,
    rooms_of,
    services,
    workplace,
)
from openward.scheduling.queries.times import Offer, first_free, free_for_practitioner, free_times, next_free_by_person

__all__ = [
    "Arrival",
    "Bookable",
    "Facility",
    "Offer",
    "OnBoard",
    "appointments_between",
    "arrival",
    "arrivals",
    "bookable",
    "busiest",
    "coming_up",
    "facilities",
    "facility",
    "first_free",
    "free_for_practitioner",
    "free_times",
    "next_free_by_person",
    "of_patient",
    "on_the_board",
    "rooms_in_use",
    "rooms_of",
    "services",
    "visits_of_day",
    "workplace",
]
