"""`openward check --deploy`: what is not safe yet before real patients' data is in it, each with a sentence what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from openward.backup import here
from openward.backup.errors import BackupTrouble
from openward.backup.health import LATEST
from openward.backup.models import Run
from openward.database import URL_VARIABLE, from_url
from openward.entrance.administrators import administrators
from openward.keys.errors import KeyTrouble
from openward.keys.outer import KEY_BYTES, outer_keys
from openward.keys.resealing import clear_until
from openward.record.health import findings
from openward.server import environment as env
from openward.server.audits import how_it_stands

Look = Callable[[], Iterator[str]]
LOOKS: dict[str, Look] = {}
LEAST_KEY_LENGTH = 40
TLS_MODES = ("require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Unsafe:
    """`todo` is a sentence: what is unsafe, and what to do about it."""

    about: str
    todo: str


def unsafe() -> list[Unsafe]:
    """Everything that is not safe yet, in the order an operator mends it."""
    return [Unsafe(about, todo) for about, look in LOOKS.items() for todo in look()]


def look(about: str) -> Callable[[Look], Look]:
    def register(found: Look) -> Look:
        LOOKS[about] = found
        return found

    return register


@look("transport")
def transport() -> Iterator[str]:
    if not settings.SESSION_COOKIE_SECURE:
        yield "HTTPS is off: put a proxy with a certificate before the server and set OPENWARD_HTTPS=1, which marks cookies secure and sends HSTS."
    if urlsplit(settings.OPENWARD_PUBLIC_URL).scheme != "https":
        yield f"Links to patients begin with {settings.OPENWARD_PUBLIC_URL}: set OPENWARD_PUBLIC_URL to the https address they reach the server by."
    if settings.SESSION_COOKIE_SECURE and not env.PROXIES.items:
        yield (
            "No proxy is named, so that only one on this machine is believed: set OPENWARD_PROXIES to the addresses of yours. Behind any other, everybody "
            "has the proxy's address in the trail and is locked out together."
        )
    if settings.SESSION_COOKIE_SECURE and urlsplit(settings.OPENWARD_LIVE_URL).scheme != "https":
        yield (
            "Live updates do not reach people's browsers through the proxy: let it pass /live/ on to the port after that of the pages, and set "
            "OPENWARD_LIVE_URL to the https address of the server."
        )
    parameters = from_url(os.environ[URL_VARIABLE]).parameters if os.environ.get(URL_VARIABLE) else {}
    host = parameters.get("host", "")
    if host and not host.startswith("/") and not is_loopback(host) and parameters.get("sslmode") not in TLS_MODES:
        yield f"The connection to PostgreSQL at {host} may be in clear: add ?sslmode=verify-full to OPENWARD_DATABASE_URL."


def is_loopback(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


@look("hosts")
def hosts() -> Iterator[str]:
    if "*" in settings.ALLOWED_HOSTS or any(host.startswith(".") for host in settings.ALLOWED_HOSTS):
        yield "The server answers to any host name: name its own in OPENWARD_HOSTS."
    name = urlsplit(settings.OPENWARD_PUBLIC_URL).hostname or ""
    if name and name not in settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        yield f"{name}, from OPENWARD_PUBLIC_URL, is not in OPENWARD_HOSTS: links that leave by mail would be refused."


@look("development")
def development() -> Iterator[str]:
    if settings.DEBUG:
        yield "Debug pages are on and show settings and data: take OPENWARD_DEBUG away."
    if settings.OPENWARD_DEMO:
        yield "The persona switcher signs anyone in as anyone: take OPENWARD_DEMO away."
    if _has("demo_instance"):
        yield "The data came from `openward demo`, whose sign-ins are known to everyone: begin with an empty data folder."


@look("sign-in")
def sign_in() -> Iterator[str]:
    if not settings.OPENWARD_MFA_ROLES - {"none"}:
        yield "Nobody needs a second factor to sign in: set OPENWARD_MFA_ROLES=staff."
    elif "staff" not in settings.OPENWARD_MFA_ROLES:
        named = ", ".join(sorted(settings.OPENWARD_MFA_ROLES))
        yield f"Only {named} need a second factor, all other staff sign in with a password alone: set OPENWARD_MFA_ROLES=staff."
    if not any(one.has_usable_password() or one.last_login for one in administrators()):
        yield "Nobody can administer this installation yet: run `openward administrator new`, and open the address it prints."
    if settings.OPENWARD_IDLE_SECONDS > 60 * 60:
        yield "Sessions stay open for more than an hour without a request: set OPENWARD_SESSION_MINUTES to 30 or less."


@look("keys")
def keys() -> Iterator[str]:
    if len(settings.SECRET_KEY) < LEAST_KEY_LENGTH or len(set(settings.SECRET_KEY)) < 10:
        yield "OPENWARD_SECRET_KEY is short or plain: take it away (one is made and kept), or set 50 random characters."
    if settings.OPENWARD_KMS:
        yield from _key_service()
    else:
        yield from (
            f"The outer key {path} lies beside the data it protects: move it to another disk or a secret mount, and name it in OPENWARD_KEK_FILES."
            for path in settings.OPENWARD_KEK_FILES
            if path.resolve().is_relative_to(settings.OPENWARD_DATA)
        )


def _key_service() -> Iterator[str]:
    """Asked once, for the key of nothing."""
    try:
        first = outer_keys(settings.OPENWARD_KEK_FILES, settings.OPENWARD_KMS, make=False).first
        if first.unwrap(first.wrap(bytes(KEY_BYTES), b"openward check"), b"openward check") != bytes(KEY_BYTES):
            yield "The key service gives back another key than it was given."
    except KeyTrouble as trouble:
        yield str(trouble)
    token = Path(env.VAULT_TOKEN_FILE.value) if env.VAULT_TOKEN_FILE.value else None
    if token is not None and token.exists() and stat.S_IMODE(token.stat().st_mode) & 0o077:
        yield f"Other users of this machine can read {token}: chmod 600 {token}"


@look("trail")
def trail() -> Iterator[str]:
    standing = how_it_stands()
    if "by role" not in standing:
        yield (
            f"The audit trail is {standing}: make a database user who owns nothing (`openward audit role NAME`), name it in OPENWARD_DATABASE_URL, "
            "and the owner in OPENWARD_DATABASE_OWNER_URL."
        )
    if not {name.strip() for name in settings.OPENWARD_AUDIT_ANCHORS.split(",")} - {"", "file"}:
        yield (
            "The seals of the trail are kept on this machine only, where whoever rules it could make all of them anew: set OPENWARD_AUDIT_ANCHORS to "
            "file,syslog:HOST:PORT (or an https:// address) of a log on another one."
        )


@look("files")
def files() -> Iterator[str]:
    data: Path = settings.OPENWARD_DATA
    if data.exists() and stat.S_IMODE(data.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH | stat.S_IRGRP | stat.S_IWGRP):
        yield f"Other users of this machine can look into the data folder: chmod 711 {data}"  # the database's user walks through it
    for path in (data / "secret.key", data / "seal.key", *settings.OPENWARD_KEK_FILES):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield f"Other users of this machine can read {path}: chmod 600 {path}"


@look("backup")
def backup() -> Iterator[str]:
    if not here.is_embedded():
        return
    made, drill = Run.last_good(Run.Kind.BACKUP), Run.last_good(Run.Kind.DRILL)
    if not here.is_scheduled():
        yield "No place for backups is set: set OPENWARD_BACKUPS to a folder on another machine's disk; backups are then made by themselves."
    elif not settings.OPENWARD_BACKUP_STORE and _same_disk(here.folder(), settings.OPENWARD_DATA):
        yield f"The backups in {here.folder()} are on the disk of the data: a lost disk loses both. Set OPENWARD_BACKUPS to a folder on another one."
    if made is None or made.age > LATEST:
        yield "There is no backup of the last 48 hours: run `openward backup`, and look at why none was made."
    if drill is None or drill.age > LATEST:
        yield "No backup was proved in the last 48 hours: run `openward drill`."


@look("old backups")
def old_backups() -> Iterator[str]:
    """What was sealed later than it was stored stands in clear in copies of before."""
    until = clear_until()
    if until is None or not here.is_embedded():
        return
    try:
        older = here.begun_before(until)
    except BackupTrouble as trouble:
        yield str(trouble)
        return
    if older:
        yield (
            f"{len(older)} series of backups were begun before {until:%Y-%m-%d %H:%M} UTC and hold in clear what is sealed since: run `openward backup --full`, "
            f"then delete them, or wait until they expire (docs/keys.md says how): {', '.join(older[:5])}{' …' if len(older) > 5 else ''}"
        )


@look("network")
def network() -> Iterator[str]:
    for name in settings.OPENWARD_PRIVATE_TARGETS:
        yield f"Subscriptions and imports may reach the private network {name}: take it out of OPENWARD_PRIVATE_TARGETS if nothing there needs them."


@look("adapters")
def adapters() -> Iterator[str]:
    """Each default is a real local double, on which a practice that opens would rely in vain."""
    lacking = [name for name in ("email", "sms", "letter") if name not in settings.OPENWARD_CHANNELS]
    if lacking:
        yield (
            f"Messages by {', '.join(lacking)} reach nobody: they become files in {settings.OPENWARD_DATA / 'outbox'}. Name adapters in OPENWARD_CHANNELS, "
            "or have someone who sends what is there."
        )
    if not settings.OPENWARD_CARD_PROCESSOR:
        yield "Cards are taken by the test processor, which moves no money: balances would be paid with nothing. Name a real one in OPENWARD_CARD_PROCESSOR."


@look("settings")
def unknown_settings() -> Iterator[str]:
    """A name with a slip in it sets nothing, and nobody is told."""
    known = {one.name for one in env.VARIABLES}
    for name in sorted(name for name in os.environ if name.startswith("OPENWARD_") and name not in known):
        near = get_close_matches(name, known, n=1, cutoff=0.8)
        yield f"{name} is no setting, so that it sets nothing{f': is {near[0]} meant?' if near else '; take it away.'}"
    if env.DATABASE_OWNER_URL.value and not env.DATABASE_URL.value:
        yield "OPENWARD_DATABASE_OWNER_URL sets nothing without OPENWARD_DATABASE_URL: the embedded database is used."


@look("health")
def health() -> Iterator[str]:
    """What health finds, but for what is said above and for the worker, which runs only while the server does."""
    for finding in findings():
        if finding.trouble and finding.name not in ("backup", "restore-drill", "jobs", "live"):
            yield f"{finding.title}: {finding.trouble}"


def _same_disk(one: Path, other: Path) -> bool:
    while not one.exists():
        one = one.parent
    return one.stat().st_dev == other.stat().st_dev


def _has(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [table])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(f"select exists (select from {table})")  # noqa: S608 - a name of our own
        return bool(cursor.fetchone()[0])
