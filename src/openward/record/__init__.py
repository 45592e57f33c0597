"""The record of this installation: the engine bound to its connection, policy, auditor and job queue.

store = open_store(actor)                      # reads
store = open_reading_store(actor)              # reads, outside every transaction: the REST surface's GET
with unit_of_work(by=actor) as work: ...       # writes: all or nothing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openward.fhir.work import UnitOfWork as UnitOfWork
    from openward.record.work import open_reading_store as open_reading_store
    from openward.record.work import open_store as open_store
    from openward.record.work import unit_of_work as unit_of_work

__all__ = ["UnitOfWork", "open_reading_store", "open_store", "unit_of_work"]


def __getattr__(name: str) -> Any:
    """Loaded when first used: jobs and health checks are imported while Django starts, before models exist."""
    from openward.fhir.work import UnitOfWork
    from openward.record.work import open_reading_store, open_store, unit_of_work

    parts = {"UnitOfWork": UnitOfWork, "open_reading_store": open_reading_store, "open_store": open_store, "unit_of_work": unit_of_work}
    if name not in parts:
        raise AttributeError(name)
    return parts[name]
