"""Sessions in the database, with what their owner may see of them in columns. `settings.SESSION_ENGINE` names this module.

A session is written as often as before and costs no further statement: the columns are filled from its data whenever it is saved.
Reading one also brings the person it is of (`openward.accounts.backend` hands them to Django) and whether the policy has changed: one
statement a request for all three.
https://docs.djangoproject.com/en/5.2/topics/http/sessions/#extending-database-backed-session-engines
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection, models
from django.utils import timezone

from openward.access import known
from openward.accounts import backend
from openward.accounts.models import Session, User

M = TypeVar("M", bound=models.Model)
SITTING = "sitting"
SEEN_AT = "seen_at"
BY_PIN = 0.0  # in place of the moment of a whole proof (openward.web.gate.PROVED_AT): who is here has shown a PIN and no more


def _columns(model: type[models.Model], alias: str) -> str:
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


FIND = f"""select {_columns(Session, "s")}, {_columns(User, "u")}, (select last_value from access_changes)
  from {Session._meta.db_table} s left join {User._meta.db_table} u on u.id = s.user_id where s.session_key = %s and s.expire_date > %s"""  # noqa: S608


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        row = known.first(FIND, [self.session_key, timezone.now()])
        if row is None:
            self._session_key = None
            backend.met(None)
            return None
        count = len(Session._meta.concrete_fields)
        backend.met(_made(User, row[count:-1]) if row[count] is not None else None)
        known.heard(row[-1])
        return _made(Session, row[:count])

    def create_model_instance(self, data: Mapping[str, Any]) -> Session:
        session: Session = super().create_model_instance(data)  # type: ignore[arg-type, assignment]
        sitting = data.get(SITTING, {})
        session.user_id = UUID(data[SESSION_KEY]) if data.get(SESSION_KEY) else None
        session.address, session.device, session.method = sitting.get("address"), sitting.get("device", "")[:80], sitting.get("method", "")[:120]
        session.began_at, session.seen_at = _moment(sitting.get("began_at")), _moment(data.get(SEEN_AT))
        return session


def _made(model: type[M], values: Sequence[Any]) -> M:
    """An instance of what was read, as Django's own reading makes it."""
    names, reading = _fields(model)
    return model.from_db("default", names, [read(value, None, connection) if read else value for read, value in zip(reading, values, strict=True)])


@cache
def _fields(model: type[models.Model]) -> tuple[list[str], list[Any]]:
    """The model's attributes, and how each is read from the database where a field says so: the same for every request."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], [getattr(field, "from_db_value", None) for field in fields]


def _moment(seconds: float | None) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None


def of(user: User) -> list[Session]:
    """Their open sessions, the one seen last first."""
    return list(Session.objects.filter(user_id=user.pk, expire_date__gt=timezone.now()).order_by("-seen_at", "-began_at"))


def end(user: User, handle: str) -> bool:
    """End one session of this person, wherever it is; False when they have no such session."""
    theirs = [session.pk for session in of(user) if session.handle == handle]
    return bool(Session.objects.filter(pk__in=theirs).delete()[0])


def end_all(user: User, *, but: str | None = None) -> int:
    """End every session of this person at once, but for the one whose key is given; how many there were."""
    return Session.objects.filter(user_id=user.pk).exclude(pk=but or "").delete()[0]


def device(user_agent: str) -> str:
    """What a browser says it is, in the words of a person: `Firefox on Windows`. Only ever shown, never believed."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "Mac"), ("CrOS", "Chromebook"),
               ("Linux", "Linux"))  # fmt: skip
    browser = next((name for mark, name in names if mark in user_agent), "")
    system = next((name for mark, name in systems if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part)
