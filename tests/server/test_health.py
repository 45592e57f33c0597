"""`GET /health`: whether the server can serve, which parts are in trouble, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from openward import __version__
from openward.outbox.models import Message
from openward.record.health import CHECKS, findings, health_check

pytestmark = pytest.mark.django_db
Register = Callable[..., None]


@pytest.fixture
def check() -> Iterator[Register]:
    """Registers a check for the length of a test."""
    before = dict(CHECKS)

    def register(trouble: str | None, *, vital: bool = False, falls: bool = False) -> None:
        @health_check("a-test", title="A test", vital=vital)
        def answer() -> str | None:
            if falls:
                raise RuntimeError("Ada Okafor, born 1980")
            return trouble

    yield register
    CHECKS.clear()
    CHECKS.update(before)


def health(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health")
    return answer.status_code, answer.json()


class TestHealth:
    def test_names_the_version_and_every_check(self, client: Client) -> None:
        status, body = health(client)
        assert status == 200
        assert body["version"] == __version__
        assert body["checks"].keys() == CHECKS.keys()
        assert body["checks"]["database"] == "ok"

    def test_a_trouble_degrades_but_the_server_serves(self, client: Client, check: Register) -> None:
        check("It rains in.")
        status, body = health(client)
        assert (status, body["status"], body["checks"]["a-test"]) == (200, "degraded", "trouble")

    def test_a_vital_trouble_is_503(self, client: Client, check: Register) -> None:
        check("It is gone.", vital=True)
        assert health(client)[0] == 503

    def test_a_check_that_falls_is_a_trouble_and_tells_nothing_of_why(self, client: Client, check: Register) -> None:
        check(None, falls=True)
        assert health(client)[1]["checks"]["a-test"] == "trouble"
        assert "Okafor" not in str(findings())

    def test_the_reasons_are_not_for_everyone(self, client: Client, check: Register) -> None:
        check("The disk of the billing room is full.")
        assert b"billing room is full" not in client.get("/health").content

    def test_a_message_that_could_not_leave_is_seen(self, client: Client) -> None:
        Message.objects.create(kind="appointment-confirmation", channel="email", to="x@example.org", body="", state=Message.State.FAILED)
        assert health(client)[1]["checks"]["outbox"] == "trouble"

    @pytest.mark.parametrize(
        ("state", "said"), [(None, None), ("", None), ("{}", None), ('{"worker": 2}', None), ('{"worker": 3, "web": 1}', "worker (3 times).")]
    )
    def test_a_process_that_does_not_stay_alive_is_seen(self, settings: Any, tmp_path: Path, state: str | None, said: str | None) -> None:
        settings.OPENWARD_DATA = tmp_path
        if state is not None:
            (tmp_path / ".serve.state").write_text(state)
        assert (CHECKS["processes"].check() or "None").removeprefix("Ended by themselves and started again: ").removesuffix(
            " The log says why."
        ) == str(said)

    def test_commits_that_do_not_wait_for_the_disk_are_seen(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("set local synchronous_commit = off")
        trouble = next(finding.trouble for finding in findings() if finding.name == "durability")
        assert trouble is not None
        assert "synchronous_commit off" in trouble
