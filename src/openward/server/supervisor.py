"""`openward serve`: one parent that keeps the web server, the worker and the live process running, and stops them together."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from openward.troubles import FolderInUse, PortTaken

log = logging.getLogger("openward.serve")
STOP_SECONDS = 15
RESTART_PAUSE_SECONDS = 1.0


@contextmanager
def alone_in(data: Path) -> Iterator[None]:
    """Hold the data folder for this server. Raises FolderInUse; a server that was killed holds nothing."""
    with (data / ".serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise FolderInUse(folder=data, pid=lock.read().strip() or "unknown") from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def require_free(host: str, port: int) -> None:
    """Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTaken(host=host, port=port) from None


# glibc keeps what one thread freed from the others unless told to have one heap for all: 7 MB of a web worker after a few thousand writes.
# https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
SPARING = {"MALLOC_ARENA_MAX": "1"}


@dataclass
class Child:
    """One process of the family, started again when it ends by itself."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0

    def start(self) -> None:
        self._clear_away()
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, start_new_session=True, env={**SPARING, **os.environ})  # noqa: S603 - our own modules

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def make_stop(self, deadline: float) -> None:
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.1, deadline - time.monotonic()))
        self._clear_away()
        self.process.wait()

    def _clear_away(self) -> None:
        """End what is left of its group: a web server that was killed leaves workers behind, which go on answering."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Supervisor:
    """Starts the children, starts one again that dies, stops all on SIGTERM or Ctrl-C."""

    children: list[Child]
    stopping: bool = field(default=False, init=False)

    def run(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._stop)
        for child in self.children:
            child.start()
        while not self.stopping:
            self._revive()
            time.sleep(0.2)
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.make_stop(deadline)

    def _revive(self) -> None:
        for child in self.children:
            if child.ended() and time.monotonic() - child.started > RESTART_PAUSE_SECONDS:
                log.error("%s ended by itself and is started again", child.name)
                child.start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def family(*, host: str, port: int, workers: int) -> list[Child]:
    """The web server on `port`, the live process on the next one, and a worker."""
    python = [sys.executable, "-m"]
    web = [*python, "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", "4"]
    web += ["--no-ws", "--log-level", "warning", "--respawn-failed-workers", "--workers-kill-timeout", "10", "openward.server.wsgi:application"]
    live = [*python, "uvicorn", "openward.server.live:app", "--host", host, "--port", str(port + 1), "--log-level", "warning", "--no-access-log"]
    return [Child("web", web), Child("live", live), Child("worker", [*python, "openward.server.worker"])]
