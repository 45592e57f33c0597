"""The floor of a create: the same web server, one durable INSERT of the JSON that was sent; no identity, no validation, no index, no audit."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg

from openward.cluster import EmbeddedCluster

PARAMETERS = EmbeddedCluster(Path(os.environ["OPENWARD_DATA"])).parameters()
TABLE = "create table if not exists bench_insert (tenant int, rtype smallint, rkey uuid, ver int, body text not null, primary key (tenant, rtype, rkey, ver))"
INSERT = b"insert into bench_insert values (1, 95, %s, 1, %s)"
_own = threading.local()

with psycopg.connect(**PARAMETERS, autocommit=True) as _connection:  # type: ignore[arg-type]
    _connection.execute("select pg_advisory_lock(1)")
    _connection.execute(TABLE)


def cursor() -> psycopg.Cursor[Any]:
    if not hasattr(_own, "cursor"):
        _own.cursor = psycopg.connect(**PARAMETERS, autocommit=True).cursor(binary=True)  # type: ignore[arg-type]
    made: psycopg.Cursor[Any] = _own.cursor
    return made


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        cursor().execute(INSERT, (uuid.uuid4(), body), prepare=True)
        start_response("201 Created", [("Content-Length", "0")])
    else:
        start_response("200 OK", [("Content-Length", "0")])
    return [b""]
