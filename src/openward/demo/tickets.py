"""What waits at the service desk of the demo: reports of its people, some answered, none with anything about a patient in it."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.demo.generation.clinic import Clinic
from openward.servicedesk.actions import Context, answer, open_ticket
from openward.servicedesk.models import Ticket, TicketEntry

# who, kind, impact, page, title, words, answer, state, opened hours ago
REPORTS = (
    ("frontdesk", "incident", 2, "scheduling:calendar", "Label printer at check-in prints blank labels", "Since this morning the labels come out white.", "", "", 2),
    ("nurse", "incident", 2, "chart:summary", "Scale in room 2 does not send its weight", "I type the weight by hand for now.", "The cable was loose. Please try again.", "waiting", 5),
    ("clinician", "request", 3, "chart:note", "A template for travel visits", "I write the same note several times a week.", "Good idea. I am collecting what it should hold.", "working", 28),
    ("biller", "incident", 1, "billing:claims", "Claim file was not picked up", "The clearinghouse says nothing arrived last night.", "Their side was down until 06:00; the file is through now.", "resolved", 30),
    ("manager", "request", 3, "web:home", "Access to the dashboard for our new lead", "She starts on Monday.", "", "", 50),
    ("osei", "incident", 3, "chart:results", "Trend chart is small on the laptop", "Hard to read the dates.", "Fixed in the next version; full screen helps until then.", "resolved", 75),
)  # fmt: skip


def open_tickets(actor: Actor, clinic: Clinic) -> None:
    """All reports, unless the desk has tickets already."""
    if Ticket.objects.filter(tenant=actor.tenant).exists():
        return
    agent = User.objects.get(tenant=actor.tenant, sign_in="itagent").actor()
    for who, kind, impact, page, title, words, reply, state, hours in reversed(REPORTS):
        reporter = User.objects.get(tenant=actor.tenant, sign_in=who).actor()
        ticket = open_ticket(
            title=title, words=words, impact=impact, kind=kind, context=Context(page=page, browser="Firefox 145 on Linux"), by=reporter
        )
        if reply:
            answer(ticket=ticket, words=reply, by=agent, state=state)
        _date(ticket, hours)


def _date(ticket: Ticket, hours: int) -> None:
    """Opened some hours ago and answered an hour later; nothing lies in the future."""
    opened = timezone.now() - dt.timedelta(hours=hours)
    answered = opened + dt.timedelta(hours=1)
    TicketEntry.objects.filter(ticket=ticket).update(at=answered)
    Ticket.objects.filter(pk=ticket.pk).update(opened_at=opened, changed_at=answered)
    Ticket.objects.filter(pk=ticket.pk, resolved_at__isnull=False).update(resolved_at=answered)
