"""The two users of the database: its owner brings the schema up to date and purges, everything else is done by one who owns nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from openward.database import Database
from openward.server import environment as env

NAMES = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT", "dbname": "NAME"}


@contextmanager
def as_owner(database: Database) -> Iterator[None]:
    """Django's connections are the owner's inside."""
    from django.db import connections

    daily = dict(connections.settings["default"])
    _connect_as({name: database.parameters.get(name, "") for name in NAMES})
    try:
        yield
    finally:
        _connect_as({name: daily[key] for name, key in NAMES.items()})


def grant_daily(database: Database) -> None:
    """The user of daily work is there and may do what the application needs. As the owner, after the migrations. Raises Unrestrictable."""
    from openward.audit.sealing.role import is_restricted, restrict
    from openward.record.wires import own_wire

    with own_wire() as wire:
        if not is_restricted(wire, database.daily_role):
            restrict(wire, database.daily_role)


def use_daily(database: Database) -> None:
    """From now on this process, and those it starts, work as the user of daily work."""
    if database.cluster is None:
        return  # the address in OPENWARD_DATABASE_URL is that user's
    os.environ[env.DATABASE_ROLE.name] = database.daily_role
    _connect_as({"user": database.daily_role})


def _connect_as(parameters: Mapping[str, str]) -> None:
    from django.db import connections

    connections.close_all()
    connections.settings["default"].update({NAMES[name]: value for name, value in parameters.items()})
    for connection in connections.all(initialized_only=True):
        connection.settings_dict.update({NAMES[name]: value for name, value in parameters.items()})
