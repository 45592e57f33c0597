"""The ground a measurement stands on: a scratch data folder with its own PostgreSQL, and servers on loopback, all ended by process id."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from openward.cluster import EmbeddedCluster
from tests.installation import ROOT, free_port, wait_until_ready

WORKERS = 2
START_SECONDS = 90
STOP_SECONDS = 30


@dataclass(frozen=True)
class Ground:
    """One data folder whose embedded PostgreSQL runs until the end of the measurement.

    `sizes`: bytes of memory of every web worker of `product`, when what was asked of it was done.
    """

    data: Path
    sizes: list[int] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        return {**os.environ, "OPENWARD_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "tests.bench.settings", "PYTHONPATH": path}

    def openward(self, *arguments: str) -> str:
        """Run one command of the product and return what it printed. Raises CalledProcessError."""
        command = [sys.executable, "-m", "openward.cli", *arguments, "--data", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, env=self._own, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"openward {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    @contextmanager
    def product(self) -> Iterator[int]:
        """`openward serve`; yields its port."""
        port = free_port()
        command = [sys.executable, "-m", "openward.cli", "serve", "--port", str(port), "--workers", str(WORKERS), "--data", str(self.data)]
        with running(command, self._own, f"http://127.0.0.1:{port}/health"):
            yield port
            self.sizes.extend(map(resident, web_workers(port)))

    @contextmanager
    def floor(self, name: str) -> Iterator[int]:
        """The product's web server, with its settings, over `tests.bench.<name>`; yields its port."""
        port = free_port()
        listen = f"from openward.server.web import listen; listen('127.0.0.1', {port}, {WORKERS}, 'tests.bench.{name}:application')"
        command = [sys.executable, "-c", listen]
        with running(command, self.environment, f"http://127.0.0.1:{port}/fhir/metadata"):
            yield port

    @property
    def _own(self) -> dict[str, str]:
        return {**self.environment, "DJANGO_SETTINGS_MODULE": "openward.server.settings"}


@contextmanager
def scratch_ground() -> Iterator[Ground]:
    """A fresh data folder with a running cluster, removed afterwards."""
    os.environ.pop("OPENWARD_DATABASE_URL", None)
    data = Path(tempfile.mkdtemp(prefix="openward-bench-"))
    cluster = EmbeddedCluster(data)
    cluster.start()
    try:
        yield Ground(data)
    finally:
        cluster.stop(for_good=True)
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def running(command: list[str], environment: dict[str, str], ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers at `ready`; asked to stop afterwards, and made to when it does not."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_ready(ready, process, START_SECONDS)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def web_workers(port: int) -> list[Path]:
    """Of the server at this port on loopback, by the title granian gives them; its main process, which they are forked from, answers nothing."""
    found = sorted((process for process in Path("/proc").iterdir() if process.name.isdecimal()), key=lambda process: int(process.name))
    return [process for process in found if _title(process).startswith(f"granian wsgi 127.0.0.1:{port} ") and " worker-" in _title(process)]


def _title(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def resident(process: Path) -> int:
    """Bytes; 0 when it has ended."""
    try:
        fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0]) * 1024
    except (OSError, KeyError):
        return 0
