"""The words of a message in the database: sealed, whoever put them there, and still what leaves."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from openward.keys.fields import Sealed
from openward.keys.sealing import seal
from openward.outbox.actions import send
from openward.outbox.jobs import deliver
from openward.outbox.models import Message
from openward.record import unit_of_work
from tests import cast
from tests.outbox.test_delivery import FaultyChannel, use

pytestmark = pytest.mark.django_db
WORDS = "See it and pay here: https://clinic.example/billing/pay/a-token-nobody-else-may-know"


def put() -> Message:
    with unit_of_work(by=cast.system()) as work:
        return send(work, to="+12125550123", kind="payment-link", channel="sms", body=WORDS)


def column(message: Message) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select body from outbox_message where id = %s", [message.id])
        return str(cursor.fetchone()[0])


def test_a_link_cannot_be_read_out_of_the_database() -> None:
    message = put()
    assert "a-token-nobody-else-may-know" not in column(message)
    assert Message.objects.get(id=message.id).body == WORDS


def test_it_leaves_in_clear_and_stays_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    channel = FaultyChannel(times=0)
    monkeypatch.setattr(channel, "send", lambda message: told.append(message.body))
    use(channel, monkeypatch)
    message = put()
    deliver(message=str(message.id))
    assert (told, Message.objects.get(id=message.id).state) == ([WORDS], Message.State.SENT)
    assert WORDS not in column(message)


def test_one_that_does_not_open_is_tried_again_and_then_shown_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    message = put()
    Message.objects.filter(id=message.id).update(body=Sealed(seal("outbox", WORDS, about=("somebody", "else", "s"))), tries=5)
    deliver(message=str(message.id))
    after = Message.objects.get(id=message.id)
    assert (after.state, after.last_error.startswith("the message does not open: ")) == ("failed", True)


def test_messages_of_before_are_sealed_by_the_migration() -> None:
    message = put()
    Message.objects.filter(id=message.id).update(body=Sealed(WORDS))
    migration = import_module("openward.outbox.migrations.0002_sealed_words")
    migration.seal(apps, None)
    assert WORDS not in column(message)
    assert Message.objects.get(id=message.id).body == WORDS
    migration.unseal(apps, None)
    assert column(message) == WORDS
