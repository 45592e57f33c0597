"""A message leaves with the commit of what it tells, or not at all; a channel that fails is tried again, then shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from openward.outbox import channels
from openward.outbox.actions import send, send_again
from openward.outbox.channels import Undeliverable
from openward.outbox.jobs import GIVE_UP_AFTER, deliver
from openward.outbox.models import Message
from openward.record import unit_of_work
from openward.record.health import findings
from tests import cast

FRONT_DESK = cast.staff("front-desk")


class FaultyChannel:
    """Refuses as often as it is told to, for ever or for now."""

    def __init__(self, *, times: int, permanent: bool = False) -> None:
        self.times = times
        self.permanent = permanent
        self.sent: list[str] = []

    def send(self, message: Message) -> None:
        if self.times > 0:
            self.times -= 1
            raise Undeliverable("the gateway does not answer", permanent=self.permanent)
        self.sent.append(str(message.id))


@pytest.fixture(autouse=True)
def _outbox_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "OPENWARD_DATA", tmp_path)
    channels.channel.cache_clear()
    yield
    channels.channel.cache_clear()


def confirm(*, channel: str = "email") -> Message:
    with unit_of_work(by=FRONT_DESK) as work:
        return send(work, to="ada@example.org", kind="appointment-confirmation", channel=channel, body="Your appointment is booked.")  # type: ignore[arg-type]


class ChangedTheirMind(Exception):
    """Whoever was writing does not want it any more."""


def begin_and_drop() -> None:
    with unit_of_work(by=FRONT_DESK) as work:
        send(work, to="ada@example.org", kind="appointment-confirmation", channel="email", body="Your appointment is booked.")
        raise ChangedTheirMind


def jobs(status: str = "todo") -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from procrastinate_jobs where task_name = 'outbox.deliver' and status = %s::procrastinate_job_status", [status]
        )
        return int(cursor.fetchone()[0])


def use(channel: FaultyChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openward.outbox.jobs.channel", lambda name: channel)


class TestLeavingWithTheCommit:
    @pytest.fixture(autouse=True)
    def _empty_queue(self, transactional_db: None) -> Iterator[None]:
        """Django empties its own tables only."""
        with connection.cursor() as cursor:
            cursor.execute("truncate procrastinate_jobs cascade")
        yield
        with connection.cursor() as cursor:
            cursor.execute("truncate procrastinate_jobs cascade")

    def test_a_message_waits_and_its_job_is_queued(self) -> None:
        assert confirm().state == Message.State.WAITING
        assert jobs() == 1

    def test_what_was_undone_leaves_neither_message_nor_job(self) -> None:
        with pytest.raises(ChangedTheirMind):
            begin_and_drop()
        assert Message.objects.count() == 0
        assert jobs() == 0


@pytest.mark.django_db
class TestAChannelThatFails:
    def test_for_now_leaves_the_message_waiting_and_the_queue_tries_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message = confirm()
        use(FaultyChannel(times=1), monkeypatch)
        with pytest.raises(Undeliverable):
            deliver(message=str(message.id))
        message.refresh_from_db()
        assert (message.state, message.tries) == (Message.State.WAITING, 1)

    def test_for_now_and_then_works_sends_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message, channel = confirm(), FaultyChannel(times=1)
        use(channel, monkeypatch)
        with pytest.raises(Undeliverable):
            deliver(message=str(message.id))
        deliver(message=str(message.id))
        message.refresh_from_db()
        assert (message.state, message.tries, channel.sent) == (Message.State.SENT, 2, [str(message.id)])

    def test_for_ever_is_given_up_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message = confirm()
        use(FaultyChannel(times=1, permanent=True), monkeypatch)
        deliver(message=str(message.id))
        message.refresh_from_db()
        assert (message.state, message.last_error) == (Message.State.FAILED, "the gateway does not answer")

    def test_again_and_again_is_given_up_and_shown_in_health(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message = confirm()
        use(FaultyChannel(times=100), monkeypatch)
        for _ in range(GIVE_UP_AFTER):
            with pytest.raises(Undeliverable):
                deliver(message=str(message.id))
        deliver(message=str(message.id))
        message.refresh_from_db()
        assert message.state == Message.State.FAILED
        assert next(finding.trouble for finding in findings() if finding.name == "outbox") == "1 messages could not be delivered."

    def test_can_be_sent_again_by_hand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message, channel = confirm(), FaultyChannel(times=1, permanent=True)
        use(channel, monkeypatch)
        deliver(message=str(message.id))
        send_again(message=str(message.id), by=cast.staff("administrator"))
        deliver(message=str(message.id))
        message.refresh_from_db()
        assert (message.state, channel.sent) == (Message.State.SENT, [str(message.id)])

    def test_from_a_page_that_stood_open_nothing_that_left_is_sent_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message, channel = confirm(), FaultyChannel(times=1, permanent=True)
        use(channel, monkeypatch)
        deliver(message=str(message.id))
        for _ in range(2):
            send_again(message=str(message.id), by=cast.staff("administrator"))
            deliver(message=str(message.id))
        assert channel.sent == [str(message.id)]

    def test_a_message_that_was_sent_is_not_sent_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message, channel = confirm(), FaultyChannel(times=0)
        use(channel, monkeypatch)
        deliver(message=str(message.id))
        deliver(message=str(message.id))
        assert channel.sent == [str(message.id)]
