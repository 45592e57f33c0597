"""`openward serve`: one parent that keeps the web server, the worker and the live process running, and stops them together.

The children are forked, not started anew: the parent has read the program once, for all of them, and what it has read is in memory once.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import gc
import json
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from setproctitle import setproctitle

from openward.troubles import DatabaseTrouble, FolderInUse, PortTaken

log = logging.getLogger("openward.serve")
STOP_SECONDS = 15
PAUSE_AT_MOST_SECONDS = 60.0
STEADY_SECONDS = 120.0
STATE = ".serve.state"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
M_ARENA_MAX = -8  # of malloc.h
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
Fork = multiprocessing.get_context("fork")


@contextmanager
def alone_in(data: Path) -> Iterator[IO[str]]:
    """Hold the data folder for this server, by the file that is given. Raises FolderInUse; a server that was killed holds nothing."""
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
        yield lock


class CannotListen(DatabaseTrouble):
    """This machine cannot listen on {host}:{port}: {reason}. Choose another with --host and --port."""


def require_free(host: str, port: int) -> None:
    """Raises PortTaken, CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as trouble:
            if trouble.errno == errno.EADDRINUSE:
                raise PortTaken(host=host, port=port) from None
            raise CannotListen(host=host, port=port, reason=trouble.strerror or trouble) from None


@dataclass
class Child:
    """One process of the family, started again when it ends by itself. `work` runs in it until it is told to stop."""

    name: str
    title: str
    work: Callable[[], None]
    process: multiprocessing.process.BaseProcess | None = None
    started: float = 0.0
    falls: int = 0
    """How often it ended by itself one time after the other, none of them after a steady while."""
    again_at: float | None = None
    """By the monotonic clock: when it is to be started again; None while it lives."""

    def start(self, held: IO[str]) -> None:
        """`held` is let go in the child: a family whose parent was killed must not keep the data folder from the next."""
        self._clear_away()
        self.started, self.again_at = time.monotonic(), None
        self.process = Fork.Process(target=self._live, args=(held, os.getpid()), name=self.name)
        self.process.start()

    def _live(self, held: IO[str], parent: int) -> None:
        os.setsid()
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        end_with(parent)
        held.close()
        setproctitle(self.title)
        try:
            self.work()
        except Exception:  # one line of the log, where and which class: the words of an exception may quote a patient's data
            log.exception("%s failed", self.name)
            raise SystemExit(1) from None

    def fell(self, now: float) -> float:
        """It ended by itself: how many seconds until it is started again. Twice as many each time it does not live for a while."""
        self.falls = self.falls + 1 if now - self.started < STEADY_SECONDS else 1
        pause = min(PAUSE_AT_MOST_SECONDS, 2.0 ** (self.falls - 1))
        self.again_at = now + pause
        return pause

    def is_steady(self, now: float) -> bool:
        return self.again_at is None and now - self.started >= STEADY_SECONDS

    def ended(self) -> bool:
        return self.process is not None and not self.process.is_alive()

    def ask_to_stop(self) -> None:
        if self.process and self.process.is_alive():
            self.process.terminate()

    def make_stop(self, deadline: float) -> None:
        if self.process is None:
            return
        self.process.join(max(0.1, deadline - time.monotonic()))
        self._clear_away()
        self.process.join()

    def _clear_away(self) -> None:
        """End what is left of its group: a web server that was killed leaves workers behind, which go on answering."""
        if self.process is not None and self.process.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Supervisor:
    """Starts the children, starts one again that dies, stops all on SIGTERM or Ctrl-C."""

    children: list[Child]
    held: IO[str]
    stopping: bool = field(default=False, init=False)

    def run(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._stop)
        share_memory()
        for child in self.children:
            child.start(self.held)
        self._tell()
        while not self.stopping:
            self._revive()
            time.sleep(0.2)
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.make_stop(deadline)

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.again_at is None and child.ended():
                status = child.process.exitcode if child.process else None
                log.error("%s ended by itself (status %s) and is started again in %.0f s", child.name, status, child.fell(now))
                self._tell()
            elif child.again_at is not None and now >= child.again_at:
                child.start(self.held)
            elif child.falls and child.is_steady(now):
                child.falls = 0
                self._tell()

    def _tell(self) -> None:
        """Which children do not stay alive, for `/health`: the web server may be well while the worker is not."""
        fallen = {child.name: child.falls for child in self.children if child.falls}
        path = Path(self.held.name).with_name(STATE)
        with suppress(OSError):  # a full disk must not end the family
            path.with_suffix(".new").write_text(json.dumps(fallen), encoding="utf-8")
            path.with_suffix(".new").replace(path)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def end_with(parent: int) -> None:
    """This process is told to stop when its parent is gone, however that ended: nobody would keep it, and the next server found its port taken.

    https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    with suppress(AttributeError, OSError):  # another system than Linux has no such thing
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


def share_memory() -> None:
    """What was read until now stays as it is in every child: the collector does not write into it. One heap for all threads of a process.

    glibc keeps what one thread freed from the others otherwise: 7 MB of a web worker after a few thousand writes.
    https://sourceware.org/glibc/manual/latest/html_node/Malloc-Tunable-Parameters.html
    """
    gc.collect()
    gc.freeze()
    with suppress(AttributeError, OSError):  # another C library than glibc has no such thing
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def family(*, host: str, port: int, workers: int) -> list[Child]:
    """The web server on `port`, the live process on the next one, and a worker. Each names itself as what it runs."""
    return [
        Child("web", "granian openward.server.wsgi", partial(_web, host, port, workers)),
        Child("live", "uvicorn openward.server.live", partial(_live, host, port + 1)),
        Child("worker", "openward.server.worker", _worker),
    ]


def _web(host: str, port: int, workers: int) -> None:
    from openward.server.web import serve

    serve(host, port, workers)


def _live(host: str, port: int) -> None:
    from openward.server.live import serve

    serve(host, port)


def _worker() -> None:
    from openward.server.worker import main

    main()
