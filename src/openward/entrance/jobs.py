"""What the doors leave to the worker."""

from __future__ import annotations

from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts import resets, stations, throttle
from openward.accounts.models import Reset, Session
from openward.audit.auditor import note
from openward.entrance import notices
from openward.record.connection import connection
from openward.record.jobs import every, job


@job("entrance.write_reset_letter")
def write_reset_letter(*, user: str) -> None:
    """Send the link to set a new password. It is asked for whatever name was typed, with no user when nobody has it, so that asking takes the same time."""
    person = resets.may_be_written_to(user) if user else None
    if person is None:
        return
    by = Actor.system("password reset", tenant=person.tenant)
    note(connection(), by, "ask-reset", detail=f"user:{person.id}")
    notices.send_link(person, resets.begin(person), by=by)


@every("17 3 * * *", name="entrance.sweep")
def sweep() -> None:
    """Remove sessions, links, visits and counted tries that are over."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    Reset.objects.filter(expires_at__lt=now).delete()
    stations.forget_old()
    throttle.forget_old()
