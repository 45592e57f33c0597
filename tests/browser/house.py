"""A demo house started by the documented commands, for stories that real browsers live in."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

OPENWARD = [sys.executable, "-m", "openward.cli"]
READY_SECONDS = 90
TIME_ZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
# One zone for each hour, so that somewhere it is always the middle of the morning.
ZONES = [f"Etc/GMT{hours:+d}" for hours in range(-12, 13)]


@dataclass
class House:
    """A running server: its address, its data folder and a token for the REST API."""

    url: str
    data: Path
    token: str

    def fhir(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One REST interaction; raises HTTPError."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/fhir/{path}", data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def all(self, path: str) -> list[dict[str, Any]]:
        return [entry["resource"] for entry in self.fhir("GET", path).get("entry", [])]

    def outbox(self) -> list[str]:
        """What has left, as the files of the local double."""
        return [file.read_text(encoding="utf-8") for file in sorted((self.data / "outbox").rglob("*.txt"), key=lambda file: file.stat().st_mtime)]


@contextlib.contextmanager
def house(data: Path, *, patients: int = 12, seed: int = 7) -> Iterator[House]:
    """Make the demo clinic in `data`, serve it on a free port of loopback, and stop it again."""
    environment = {**os.environ, "OPENWARD_SHARED_BUFFERS": "128MB"}
    for name in ("OPENWARD_DATABASE_URL", "OPENWARD_DATA", "OPENWARD_TEST_FOLDER", "OPENWARD_DEMO", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    run = {"env": environment, "check": True, "capture_output": True, "text": True}
    subprocess.run([*OPENWARD, "demo", "--patients", str(patients), "--seed", str(seed), "--data", str(data)], **run)  # type: ignore[call-overload]
    token = subprocess.run([*OPENWARD, "token", "--client", "story", "--scope", "system/*.cruds", "--data", str(data)], **run).stdout.strip()  # type: ignore[call-overload]
    port = free_port()
    with (data / "serve.log").open("w") as log:
        server = subprocess.Popen(
            [*OPENWARD, "serve", "--port", str(port), "--data", str(data), "--workers", "2"], env=environment, stdout=log, stderr=log
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", server)
        yield House(f"http://127.0.0.1:{port}", data, token)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def free_port() -> int:
    """A port that is free, and the next one too: live updates use it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended before it was ready"
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.3)
    raise AssertionError("the server was not ready in time")


def open_all_day(house: House, practitioner: str) -> str:
    """Let a clinician work every day at a facility where it is the middle of the morning now, and nowhere else; the facility's id.

    A story must be livable on a Sunday at midnight too.
    """
    roles = house.all(f"PractitionerRole?practitioner=Practitioner/{practitioner}")
    hours = {"daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "availableStartTime": "06:00:00", "availableEndTime": "20:00:00"}
    for role in roles:
        role["availableTime"] = [hours]
        role.pop("notAvailable", None)
        house.fhir("PUT", f"PractitionerRole/{role['id']}", role)
    facility: str = roles[0]["location"][0]["reference"].split("/")[1]
    place = house.fhir("GET", f"Location/{facility}")
    for extension in place["extension"]:
        if extension["url"] == TIME_ZONE:
            extension["valueCode"] = morning_zone()
    house.fhir("PUT", f"Location/{facility}", place)
    return facility


def morning_zone() -> str:
    """Where it is nearest to ten in the morning of the day that the server's pages call today."""
    now = dt.datetime.now(dt.UTC)
    today = now.astimezone(ZoneInfo("America/New_York")).date()
    same_day = [zone for zone in ZONES if now.astimezone(ZoneInfo(zone)).date() == today]
    return min(same_day, key=lambda zone: abs(now.astimezone(ZoneInfo(zone)).hour - 10))
