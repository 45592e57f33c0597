"""The chart of the busiest patient and the front desk's finder: server time and statements, against an empty page of the same product.

Runs inside a process of its own (`python -m tests.bench.pages`), as a web worker would: the WSGI application, one request after the other.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.bench.processors import used

TYPED = [
    "ok",
    "oka",
    "okaf",
    "okafor",
    "okafor a",
    "lin",
    "lindq",
    "linqvist",
    "ada n",
    "zhang y",
    "1987",
    "555-003",
    "B-0042",
    "gar",
    "del",
    "novakson",
]


@dataclass(frozen=True)
class Timed:
    """Milliseconds a page took each time, and the most statements one of them sent.

    `undisturbed`: those during which the host took no processor away; `share_stolen`: what it took of all of them.
    """

    milliseconds: list[float]
    statements: int
    undisturbed: list[float]
    share_stolen: float


class Counter:
    """Counts every statement sent, whoever sends it: Django, the store, the audit, and reads and searches that go straight to libpq."""

    def __init__(self) -> None:
        from openward.fhir.wire import Wire

        self.count = 0
        self._watch(psycopg.Cursor, "execute")
        self._watch(psycopg.Cursor, "executemany")
        self._watch(Wire, "_read")
        self._watch(Wire, "_straight_result")

    def _watch(self, sender: type, name: str) -> None:
        original = getattr(sender, name)

        def counted(one: Any, *args: Any, **options: Any) -> Any:
            self.count += 1
            return original(one, *args, **options)

        setattr(sender, name, counted)


class Browser:
    """Signed in, asking the application itself; no network."""

    def __init__(self, application: Callable[..., Any], cookies: dict[str, str]) -> None:
        self.application = application
        self.cookies = cookies

    def ask(self, path: str, form: dict[str, str] | None = None) -> bytes:
        """The body of a 200; anything else is an error."""
        body = urlencode({**form, "csrfmiddlewaretoken": self.cookies["openward_csrf"]}).encode() if form is not None else b""
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "GET" if form is None else "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "HTTP_HX_REQUEST": "true" if form is not None else "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if form is not None else "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
        }
        answer = self.application(environ, lambda status, headers, exc_info=None: said.append(status))
        text = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if not said[0].startswith("200"):
            raise SystemExit(f"{path} answered {said[0]}")
        return text


def main() -> None:
    """Prints one JSON object: what → Timed."""
    rounds = int(sys.argv[1])
    import django

    django.setup()
    counter = Counter()
    from openward.server.wsgi import application

    browser = Browser(application, _cookies("clinician"))
    found: dict[str, Timed] = {"empty": _timed(counter, rounds, lambda n: browser.ask("/bench/empty"))}
    patient, resources = _busiest()
    if patient:
        found[f"chart {resources}"] = _timed(counter, rounds, lambda n: browser.ask(f"/chart/{patient}/"))
    desk = Browser(application, _cookies("front-desk"))
    found["finder"] = _timed(counter, rounds * 3, lambda n: desk.ask("/patients/found", {"q": TYPED[n % len(TYPED)]}))
    print(json.dumps({name: asdict(timed) for name, timed in found.items()}))


def _timed(counter: Counter, rounds: int, ask: Callable[[int], object]) -> Timed:
    for warm in range(len(TYPED)):
        ask(warm)
    taken, undisturbed, most = [], [], 0
    first = used()
    for number in range(rounds):
        stolen, before, began = used().stolen, counter.count, time.perf_counter()
        ask(number)
        taken.append((time.perf_counter() - began) * 1000)
        most = max(most, counter.count - before)
        if used().stolen == stolen:
            undisturbed.append(taken[-1])
    return Timed(taken, most, undisturbed, (used() - first).share_stolen)


def _cookies(role: str) -> dict[str, str]:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.middleware.csrf import _get_new_csrf_string

    from openward.accounts.models import User
    from openward.accounts.sessions import SessionStore

    user = User.objects.filter(sign_in=f"bench-{role}").first()
    user = user or User.objects.create_user(sign_in=f"bench-{role}", password=None, role=role, name=f"Bench {role}")
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "openward.accounts.backend.AccountBackend"
    session.create()
    assert session.session_key
    return {"openward_session": session.session_key, "openward_csrf": _get_new_csrf_string()}


def _busiest() -> tuple[str | None, int]:
    """The patient with the most resources, and how many."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select patient, count(*) from fhir.current where patient is not null group by patient order by 2 desc limit 1")
        row = cursor.fetchone()
    return (str(row[0]), row[1]) if row and row[1] > 1 else (None, 0)


def results(text: str) -> Iterator[tuple[str, Timed]]:
    for name, timed in json.loads(text.strip().splitlines()[-1]).items():
        yield name, Timed(**timed)


if __name__ == "__main__":
    main()
