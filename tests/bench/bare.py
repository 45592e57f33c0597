"""The floor of a read: the same web server, the same stored row by its key, the same driver; no identity, no policy, no audit, no FHIR."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg

from openward.cluster import EmbeddedCluster
from openward.fhir.definitions import type_number

PARAMETERS = EmbeddedCluster(Path(os.environ["OPENWARD_DATA"])).parameters()
SELECT = b"select body from fhir.body where tenant = 1 and rtype = %s and rkey = %s::uuid and ver = 1"
_own = threading.local()


def cursor() -> psycopg.Cursor[Any]:
    if not hasattr(_own, "cursor"):
        _own.cursor = psycopg.connect(**PARAMETERS, autocommit=True).cursor(binary=True)  # type: ignore[arg-type]
    made: psycopg.Cursor[Any] = _own.cursor
    return made


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    parts = environ["PATH_INFO"].split("/")
    if len(parts) != 4:
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]
    row = cursor().execute(SELECT, (type_number(parts[2]), parts[3]), prepare=True).fetchone()
    if row is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    body = row[0].encode()
    start_response("200 OK", [("Content-Type", "application/fhir+json; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
