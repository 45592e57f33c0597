"""Putting a message into the outbox, and trying again when it failed."""

from __future__ import annotations

from typing import Literal

from openward.access.actor import Actor
from openward.outbox.jobs import deliver
from openward.outbox.models import Message
from openward.record import UnitOfWork, unit_of_work

ChannelName = Literal["email", "sms", "letter"]


def send(work: UnitOfWork, *, to: str, kind: str, channel: ChannelName, body: str, subject_ref: str = "", title: str = "") -> Message:
    """Put a message into the outbox in this unit of work; it leaves after the commit, or not at all."""
    message = Message.objects.create(tenant=work.tenant, kind=kind, channel=channel, to=to, subject_ref=subject_ref, title=title, body=body)
    work.later(deliver, message=str(message.id))
    return message


def send_again(*, message: str, by: Actor) -> Message:
    """Try a failed message once more; one that has left, or is on its way, is left alone. Raises Message.DoesNotExist."""
    with unit_of_work(by=by) as work:
        row = Message.objects.select_for_update().get(id=message, tenant=by.tenant)
        if row.state != Message.State.FAILED:
            return row
        row.state, row.last_error = Message.State.WAITING, ""
        row.save(update_fields=["state", "last_error"])
        work.later(deliver, message=str(row.id))
        return row
