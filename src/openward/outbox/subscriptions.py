"""E-mail to subscribers leaves by the outbox like every other message."""

from __future__ import annotations

from django.db import transaction

from openward.outbox.jobs import deliver
from openward.outbox.models import Message
from openward.record.subscriptions import MAILERS


def send_mail(tenant: int, to: str, subscription: str, words: str) -> None:
    """Put it into the outbox; the words name nobody."""
    with transaction.atomic():
        message = Message.objects.create(
            tenant=tenant,
            kind="subscription",
            channel="email",
            to=to,
            subject_ref=subscription,
            title="Something you asked to be told of",
            body=words,
        )
        deliver.defer(message=str(message.id))


def register() -> None:
    if send_mail not in MAILERS:
        MAILERS.append(send_mail)
