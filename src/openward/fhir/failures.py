"""What went wrong, as one of the engine's errors; what nobody expected gets an id under which it is in the log.

The log carries the id, the kind of exception and where it was raised, never its text: PostgreSQL's messages quote values.
"""

from __future__ import annotations

import logging
import traceback
from uuid import uuid4

import psycopg
from psycopg import errors as pg

from openward.fhir.errors import Conflict, FhirError

log = logging.getLogger("openward.fhir")


class Unavailable(FhirError):
    """The record cannot be reached at this moment; try again."""

    status = 503
    code = "transient"


class TooSlow(FhirError):
    """The request needs more time than this server gives one; narrow it."""

    status = 503
    code = "too-costly"


class Full(FhirError):
    """This server's disk is nearly full: nothing is stored until there is room. What is stored can be read."""

    status = 507
    code = "no-store"


class Unexpected(FhirError):
    """Something went wrong on this server. It is logged as {id}."""

    status = 500
    code = "exception"


def as_fhir_error(error: Exception) -> FhirError:
    """`error` as a FhirError; an unexpected one is logged."""
    if isinstance(error, FhirError):
        return error
    if isinstance(error, pg.SerializationFailure | pg.DeadlockDetected | pg.UniqueViolation):
        return Conflict("Another change was stored first; try again.")
    if isinstance(error, pg.QueryCanceled):
        return TooSlow()
    if isinstance(error, pg.DiskFull):
        return Full()
    id = uuid4().hex[:12]
    log.error("error %s: %s at %s", id, type(error).__name__, raised_at(error))
    return Unavailable() if isinstance(error, psycopg.OperationalError) else Unexpected(id=id)


def raised_at(error: Exception) -> str:
    """The innermost four places, for a log that may not have the exception's text."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames[-4:]))
