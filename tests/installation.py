"""An installation of the product in a scratch folder, used as its people use it: by the command line and over HTTP."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from tests.interpreter import Interpreter

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180
STOP_SECONDS = 40
PASSWORD = "correct-horse-battery-7"


@dataclass(frozen=True)
class Installation:
    """One data folder. `database` is a PostgreSQL to use instead of the folder's own."""

    data: Path
    database: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a person's shell has: nothing of this test run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENWARD_", "DJANGO_", "PYTEST"))}
        url = {"OPENWARD_DATABASE_URL": self.database} if self.database else {}
        return {**kept, **url, "OPENWARD_SHARED_BUFFERS": "64MB", "OPENWARD_MFA_ROLES": "none", "PYTHONPATH": str(ROOT / "src"), **self.settings}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "openward.cli", *arguments, "--data", str(self.data)]

    def openward(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=STOP_SECONDS + START_SECONDS
        )

    def python(self, code: str) -> str:
        """Run a few lines in a process of their own inside this installation's Django; what they print. AssertionError when they fail."""
        environment = {**self.environment, "OPENWARD_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "openward.server.settings"}
        return Interpreter.of(self.data, environment).run(code)

    def token(self, scope: str = "system/*.cruds", client: str = "conformance") -> str:
        """By the command line the first time; the same one again after that, as a client would."""
        key = (self.data, self.database, scope, client)
        if key not in TOKENS:
            made = self.openward("token", "--client", client, "--scope", scope)
            assert made.returncode == 0, made.stderr
            TOKENS[key] = made.stdout.strip()
        return TOKENS[key]

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """`openward serve`, ready; stopped by SIGTERM at the end if it still runs."""
        server = self.serve()
        try:
            yield server
        finally:
            server.stop()

    def serve(self) -> Server:
        port = free_port()
        command = self.command("serve", "--port", str(port), "--workers", "1")
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL)
        server = Server(self, port, process)
        try:
            server.wait_until_ready()
        except BaseException:
            server.stop()
            raise
        return server


TOKENS: dict[tuple[Path, str, str, str], str] = {}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: str = ""
    """What was set, as a Cookie header."""

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Server:
    """A running `openward serve`."""

    installation: Installation
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        wait_until_ready(f"{self.url}/health", self.process, START_SECONDS)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None, *, port: int | None = None) -> Answer:
        connection = HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response: HTTPResponse = connection.getresponse()
            headers_sent = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers_sent, response.read(), _cookies(response.headers.get_all("set-cookie") or []))
        finally:
            connection.close()

    def family(self) -> list[psutil.Process]:
        """The parent and every process below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def stop(self) -> int:
        """SIGTERM, and SIGKILL for a family that does not obey."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        Interpreter.end_all(self.installation.data)
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL for all of the family at once: first nobody can start another any more."""
        for sent in (signal.SIGSTOP, signal.SIGSTOP, signal.SIGKILL):
            for process in self.family():
                _send(process, sent)
        self.process.wait()

    def sign_in(self, name: str, role: str) -> str:
        """Make a person of `role` and sign in as they do; the Cookie header of their session."""
        self.installation.python(
            f"from openward.accounts.actions import make_user\nmake_user(sign_in={name!r}, password={PASSWORD!r}, role={role!r}, name={name!r})"
        )
        page = self.ask("GET", "/account/sign-in")
        form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert form, page.text[:500]
        fields = urlencode({"csrfmiddlewaretoken": form[1], "sign_in": name, "password": PASSWORD}).encode()
        headers = {"Cookie": page.cookies, "Content-Type": "application/x-www-form-urlencoded"}
        done = self.ask("POST", "/account/sign-in", fields, headers)
        assert done.status == 302, done.text[:500]
        return done.cookies


def _send(process: psutil.Process, sent: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(sent)


def _cookies(lines: list[str]) -> str:
    jar: SimpleCookie = SimpleCookie()
    for line in lines:
        jar.load(line)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items() if morsel.value)


def prepared(data: Path) -> Path:
    """Make `data` the folder of an installation that was started once and stopped: a copy of the one made for all of this test run.

    A first start makes a database and compresses every static file, ten seconds of a processor; what a test is to prove seldom is about that.
    """
    subprocess.run(["/bin/cp", "-a", "--reflink=auto", str(_started_once()), str(data)], check=True)  # keeps the owners: PostgreSQL insists
    return data


def _started_once() -> Path:
    """Made by whichever process of the run needs it first."""
    place = Path(os.environ["OPENWARD_TEST_FOLDER"]) / "started-once"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            making = Installation(place.with_suffix(".making"))
            shutil.rmtree(making.data, ignore_errors=True)
            with making.serving() as server:
                pass
            assert server.process.returncode == 0
            making.data.rename(place)
    return place


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that any user can walk to, as the embedded database's must; pytest's own are closed again whenever another run begins."""
    folder = Path(tempfile.mkdtemp(prefix="openward-scratch-"))
    try:
        yield folder
    finally:
        Interpreter.end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_ready(url: str, process: subprocess.Popen[Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {url} (exit status {process.poll()})")


def free_port() -> int:
    """A port that is free, and whose successor is: live updates use the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
