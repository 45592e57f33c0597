"""What the patient is told about an appointment: when and where, never why. A lock screen is public."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext as _

from openward.fhir.resources import Appointment, Location, Patient
from openward.outbox.actions import send
from openward.record import UnitOfWork
from openward.registration.queries import reach_of
from openward.scheduling import facts
from openward.web.display import clock, day

Kind = Literal["appointment-confirmation", "appointment-moved", "appointment-cancelled"]


def confirm(work: UnitOfWork, appointment: Appointment, *, kind: Kind) -> None:
    """Put the message into the outbox, by the channel the patient agreed to; nothing when there is no way to reach them, or nobody to."""
    who, place = facts.participant(appointment, "Patient"), facts.participant(appointment, "Location")
    patient = work.store.find(Patient, str(who.target_id)) if who else None
    where = work.store.find(Location, str(place.target_id)) if place else None
    reach = reach_of(patient) if patient and not patient.deceased else None  # no family is told to come on Tuesday
    if reach is None or who is None:
        return
    title, body = _words(appointment, where, kind)
    send(work, to=reach.to, kind=kind, channel=reach.channel, subject_ref=str(who.reference), title=title, body=body)


def _words(appointment: Appointment, where: Location | None, kind: Kind) -> tuple[str, str]:
    start, zone = facts.moment(appointment.start), facts.zone_of(where).key
    facts_ = {"place": (where.name if where else "") or _("the practice"), "day": day(start, zone), "time": clock(start, zone)}
    titles = {
        "appointment-confirmation": _("Your appointment is booked"),
        "appointment-moved": _("Your appointment has moved"),
        "appointment-cancelled": _("Your appointment is cancelled"),
    }
    bodies = {
        "appointment-confirmation": _("Your appointment at {place} is on {day} at {time}. To change it, call us or sign in to your portal."),
        "appointment-moved": _(
            "Your appointment at {place} is now on {day} at {time}. If that does not suit you, call us or sign in to your portal."
        ),
        "appointment-cancelled": _(
            "Your appointment at {place} on {day} at {time} is cancelled. To book another, call us or sign in to your portal."
        ),
    }
    return titles[kind], bodies[kind].format(**facts_)
