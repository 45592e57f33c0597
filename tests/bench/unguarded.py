"""The REST surface over the same store without its doors: no token is asked, everything may be seen, nothing is put on record.

What the product costs more than this is the price of identity, policy and audit. It exists nowhere but here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import psycopg

from openward.cluster import EmbeddedCluster
from openward.fhir.http import fhir_app
from openward.fhir.protocols import Event, Where
from openward.fhir.store import Store
from openward.fhir.wire import Wire
from openward.fhir.work import PlainTransaction

django.setup()  # which brings the keys of what stands sealed in the record
PARAMETERS = EmbeddedCluster(Path(os.environ["OPENWARD_DATA"])).parameters()
_own = threading.local()


@dataclass(frozen=True)
class Anyone:
    id: str = "anyone"
    name: str = "Anyone"
    reference: str | None = None


class NoPolicy:
    def where(self, actor: Anyone, interaction: str, type: str) -> Where:
        return Where()

    def allows(self, actor: Anyone, interaction: str, type: str, resource: Mapping[str, Any], patient: UUID | None) -> bool:
        return True


class NoAudit:
    def record(self, connection: Any, tenant: int, actor: Anyone, events: Sequence[Event]) -> None:
        """Nothing."""

    def insert(self, connection: Any, tenant: int, actor: Anyone, interaction: str, type: str, *, many: bool) -> None:
        return None


@contextmanager
def store_for(actor: Anyone) -> Iterator[Store]:
    if not hasattr(_own, "wire"):
        _own.wire = Wire(psycopg.connect(**PARAMETERS, autocommit=True, prepare_threshold=2**31), straight=True)  # type: ignore[arg-type]
    connection = _own.wire.connection
    yield Store(connection, 1, actor, policy=NoPolicy(), auditor=NoAudit(), transaction=PlainTransaction(connection), reads_only=True, wire=_own.wire)


application = fhir_app(lambda environ: Anyone(), store_for, base="/fhir")
