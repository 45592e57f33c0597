"""What the record must not take: events of the trail are made by what happens, never sent in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openward.fhir.guards import Change, guard
from openward.fhir.virtual import ReadOnlyType

if TYPE_CHECKING:
    from openward.fhir.work import UnitOfWork


@guard("AuditEvent", on=("create", "update", "delete"), is_quiet=True)
def refuse_written_events(change: Change, work: UnitOfWork) -> None:  # noqa: ARG001 - a guard's signature
    """Refuse to store an AuditEvent, by a page, a client or an import (405): the audit trail answers for that type."""
    raise ReadOnlyType(change.type)
