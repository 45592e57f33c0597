"""Opening, answering and moving tickets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from openward import __version__
from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.fhir.errors import Conflict, Refused, TooCostly
from openward.servicedesk.models import TRANSITIONS, Ticket, TicketEntry

NOBODY = "nobody"
ANONYMOUS_PER_HOUR = 20


class IllegalTransition(Refused):
    """A ticket that is {state} cannot become {to}."""


class Overtaken(Conflict):
    """Someone else was here meanwhile. Look at what they did, then save yours."""


class TooManyReports(TooCostly):
    """Too many reports came in without a sign-in this hour. Sign in, or call the practice."""


@dataclass(frozen=True)
class Context:
    """Where the report came from, without anything about a patient."""

    page: str = ""
    error_id: str = ""
    browser: str = ""


def open_ticket(
    *,
    title: str,
    words: str,
    impact: int,
    context: Context,
    by: Actor | None,
    contact: str = "",
    kind: str = "incident",
    source: str = "",
    tenant: int = 1,
) -> Ticket:
    """A new ticket. Raises TooManyReports for a flood from people who are not signed in."""
    tenant = by.tenant if by else tenant
    with transaction.atomic():
        _one_at_a_time(tenant)
        if by is None:
            _hold_back_floods(tenant)
        number = (Ticket.objects.filter(tenant=tenant).aggregate(last=Max("number"))["last"] or 1000) + 1
        ticket = Ticket.objects.create(
            tenant=tenant, number=number, kind=kind, title=title, words=words, impact=impact, contact=contact, source=source,
            page=context.page, error_id=context.error_id, browser=context.browser[:200], version=__version__,
            reporter=by.id if by else NOBODY, reporter_name=_called(by),
        )  # fmt: skip
        _tell_listeners(tenant)
        return ticket


def answer(
    *, ticket: Ticket, words: str, by: Actor, internal: bool = False, state: str | None = None, take: bool = False, seen: int | None = None
) -> Ticket:
    """Say something on a ticket and, with `state`, move it. The reporter's answer to a waiting ticket puts it back to work.

    It is with the agent who answers first, until another says `take`. `seen` is how many entries they had before them.
    Raises IllegalTransition, and Overtaken when there are others by now.
    """
    with transaction.atomic():
        ticket = Ticket.objects.select_for_update().get(pk=ticket.pk)
        if seen is not None and seen != ticket.entries.count():
            raise Overtaken
        agent = by.may(Permission.WORK_TICKETS)
        if not agent and ticket.state in (Ticket.State.WAITING, Ticket.State.RESOLVED):
            state = Ticket.State.WORKING
        if state and state != ticket.state:
            _move(ticket, state)
        taken = agent and bool(ticket.agent) and take and ticket.agent != by.id
        if agent and (take or not ticket.agent):
            ticket.agent, ticket.agent_name = by.id, by.name
        ticket.changed_at = timezone.now()
        ticket.save()
        said = "\n".join(part for part in (words, _("{name} took it over.").format(name=by.name) if taken else "") if part)
        TicketEntry.objects.create(ticket=ticket, by=by.id, by_name=_called(by), state=state or "", words=said, internal=internal and agent)
        _tell_listeners(ticket.tenant)
        return ticket


def _called(by: Actor | None) -> str:
    """Whoever is a patient here is not for the service desk to know: they are written down without a name, and find their report by being who they are."""
    if by is None:
        return "Someone not signed in"
    return "A patient" if by.kind == "patient" else by.name


def _move(ticket: Ticket, state: str) -> None:
    if state not in TRANSITIONS[ticket.state]:
        raise IllegalTransition(state=ticket.get_state_display(), to=state)
    ticket.state = state
    ticket.resolved_at = timezone.now() if state == Ticket.State.RESOLVED else None


def _one_at_a_time(tenant: int) -> None:
    """Numbers count without gaps: whoever opens a ticket waits for the one before to be committed."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('servicedesk.number'), %s)", [tenant])


def _hold_back_floods(tenant: int) -> None:
    since = timezone.now() - dt.timedelta(hours=1)
    if Ticket.objects.filter(tenant=tenant, reporter=NOBODY, opened_at__gt=since).count() >= ANONYMOUS_PER_HOUR:
        raise TooManyReports


def _tell_listeners(tenant: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify('tickets', '{}')")
