"""`openward serve`: comes up whole, refuses what cannot work in a sentence, goes down whole, and comes back after the worst."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from openward.cluster import EmbeddedCluster
from tests.installation import Installation, Server, free_port, prepared, scratch_folder

PATIENT = json.dumps({"resourceType": "Patient", "name": [{"family": "Kept"}]}).encode()


def postmaster(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def soon(happened: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return happened()


def fhir(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}


class TestServing:
    def test_ready_means_health_answers_200(self, served: Server) -> None:
        assert served.ask("GET", "/health").status == 200

    def test_a_second_server_on_the_same_folder_is_told_which_process_has_it(self, served: Server) -> None:
        process = served.installation.openward("serve", "--port", str(free_port()))
        assert process.returncode == 1
        assert f"is in use by another Openward server (process {served.process.pid})" in process.stderr

    def test_a_taken_port_is_said(self, served: Server, installation: Installation) -> None:
        second = installation.openward("serve", "--port", str(served.port))
        assert second.returncode == 1
        assert f"127.0.0.1:{served.port} is taken by another program" in second.stderr

    def test_the_taken_port_next_to_it_is_said_too(self, served: Server, installation: Installation) -> None:
        second = installation.openward("serve", "--port", str(served.port - 1))
        assert second.returncode == 1
        assert "is taken by another program" in second.stderr

    @pytest.mark.parametrize("name", ["granian", "uvicorn", "worker"])
    def test_a_process_of_the_family_that_dies_is_started_again(self, served: Server, name: str) -> None:
        def alive() -> set[int]:
            return {process.pid for process in served.family()[1:] if not is_gone(process.pid) and any(name in part for part in process.cmdline())}

        before = alive()
        for pid in before:
            psutil.Process(pid).send_signal(signal.SIGKILL)
        assert soon(lambda: bool(alive() - before))
        served.wait_until_ready()

    def test_the_workers_of_a_web_server_that_was_killed_end_with_it(self, served: Server) -> None:
        main = next(child for child in psutil.Process(served.process.pid).children() if any("granian" in part for part in child.cmdline()))
        workers = [worker.pid for worker in main.children(recursive=True)]
        assert workers
        main.kill()
        assert soon(lambda: all(is_gone(pid) for pid in workers))
        served.wait_until_ready()


@dataclass(frozen=True)
class Stopped:
    """An installation whose server was told to stop: how it ended, who was in its family, and what had been written."""

    installation: Installation
    status: int
    pids: list[int]
    token: str
    patient: str
    streamed: bytes
    """What came down a page's stream of changes, which was open."""


@pytest.fixture(scope="module")
def stopped() -> Iterator[Stopped]:
    with scratch_folder() as folder, (installation := Installation(prepared(folder / "data"))).serving() as server:
        token = installation.token()
        made = json.loads(server.ask("POST", "/fhir/Patient", PATIENT, fhir(token)).body)
        pids = [process.pid for process in server.family()] + [postmaster(installation.data)]
        with socket.create_connection(("127.0.0.1", server.port + 1), timeout=60) as page:
            cookies = server.sign_in("watching", "front-desk")
            page.sendall(f"GET /live/events?topics=flow HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode())
            heard = page.recv(2**16)
            status = server.stop()
            while part := page.recv(2**16):
                heard += part
        yield Stopped(installation, status, pids, token, made["id"], heard)


class TestStopping:
    def test_sigterm_ends_every_process_and_the_database(self, stopped: Stopped) -> None:
        assert stopped.status == 0
        assert soon(lambda: all(is_gone(pid) for pid in stopped.pids))

    def test_an_open_stream_is_ended_not_cut(self, stopped: Stopped) -> None:
        """One that is cut was waited for until nobody would wait any longer."""
        assert stopped.streamed.startswith(b"HTTP/1.1 200 OK")
        assert stopped.streamed.endswith(b"\r\n0\r\n\r\n")

    def test_the_next_start_finds_what_was_kept(self, stopped: Stopped) -> None:
        with stopped.installation.serving() as server:
            assert server.ask("GET", f"/fhir/Patient/{stopped.patient}", headers=fhir(stopped.token)).status == 200

    def test_kill_9_of_everything_loses_nothing_that_was_answered(self, stopped: Stopped) -> None:
        installation, token = stopped.installation, stopped.token
        server = installation.serve()
        ids = [json.loads(server.ask("POST", "/fhir/Patient", PATIENT, fhir(token)).body)["id"] for _ in range(20)]
        server.kill()
        psutil.Process(postmaster(installation.data)).send_signal(signal.SIGKILL)
        with installation.serving() as server:
            found = [server.ask("GET", f"/fhir/Patient/{id}", headers=fhir(token)).status for id in ids]
        assert found == [200] * 20


class TestABrokenConnection:
    def test_the_surface_answers_again_after_the_database_dropped_every_connection(self, served: Server) -> None:
        token = served.installation.token()
        made = json.loads(served.ask("POST", "/fhir/Patient", PATIENT, fhir(token)).body)
        with psycopg.connect(**EmbeddedCluster(served.installation.data).parameters(), autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'openward' and pid <> pg_backend_pid()")

        def answers() -> bool:
            read = served.ask("GET", f"/fhir/Patient/{made['id']}", headers=fhir(token)).status
            written = served.ask("POST", "/fhir/Patient", PATIENT, fhir(token)).status
            assert {read, written} <= {200, 201, 503}, (read, written)
            return (read, written) == (200, 201)

        # Each of the worker's threads has connections of its own, and learns of their end when it next uses them.
        assert soon(lambda: all(answers() for _ in range(8)))


class TestBackgroundWork:
    def test_a_message_put_into_the_outbox_leaves_by_the_running_worker(self, served: Server) -> None:
        sent = served.installation.data / "outbox" / "sms"
        served.installation.python(
            "from openward.access.actor import Actor\n"
            "from openward.outbox.actions import send\n"
            "from openward.record import unit_of_work\n"
            "with unit_of_work(by=Actor.system('test', tenant=1)) as work:\n"
            "    send(work, to='+1 555 0100', kind='test', channel='sms', body='Your appointment is booked.')\n"
        )
        assert soon(lambda: sent.is_dir() and any(sent.iterdir()))
