"""Delivering what waits in the outbox."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from openward.keys.errors import KeyTrouble
from openward.outbox.channels import Undeliverable, channel
from openward.outbox.models import Message
from openward.record.jobs import job

GIVE_UP_AFTER = 5


@job("outbox.deliver", retries=GIVE_UP_AFTER)
def deliver(*, message: str) -> None:
    """Hand one message to its channel. Already sent: nothing happens. A passing fault is retried by the queue, a lasting one is marked failed."""
    with transaction.atomic():
        row = Message.objects.select_for_update(skip_locked=True).filter(id=message, state=Message.State.WAITING).first()
        if row is None:
            return
        trouble = _hand_over(row)
        row.tries += 1
        if trouble is None:
            row.state, row.sent_at = Message.State.SENT, timezone.now()
        else:
            row.last_error = str(trouble)
            row.state = Message.State.FAILED if trouble.permanent or row.tries > GIVE_UP_AFTER else Message.State.WAITING
        row.save()
    if trouble is not None and row.state == Message.State.WAITING:
        raise trouble


def _hand_over(row: Message) -> Undeliverable | None:
    try:
        channel(row.channel).send(row)
    except Undeliverable as trouble:
        return trouble
    except KeyTrouble as trouble:
        return Undeliverable(f"the message does not open: {trouble}", permanent=False)
    return None
