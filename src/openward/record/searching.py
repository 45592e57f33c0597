"""The site's own search parameters: stored as SearchParameter resources, indexed by a job while the house works."""

from __future__ import annotations

from openward.fhir.guards import Change, guard
from openward.fhir.search import reindex
from openward.fhir.search.told import tell
from openward.fhir.work import UnitOfWork
from openward.record.jobs import every, job
from openward.record.wires import own_wire

PATIENCE = 30.0  # seconds a job waits for older writers; the next minute's looks again


@job("record.reindex")
def index_anew() -> None:
    """Index what is already there by search parameters that were added."""
    with own_wire() as wire:
        reindex.run(wire, patience=PATIENCE)


@every("* * * * *", "record.resume_reindex")
def resume() -> None:
    """Go on with an indexing whose worker died."""
    with own_wire() as wire:
        reindex.run(wire, patience=PATIENCE)


@guard("SearchParameter", on=("create", "update", "delete"))
def search_by_it(change: Change, work: UnitOfWork) -> None:
    """Searches resources by a stored SearchParameter once they are indexed by it; refuses one that cannot be (422) or whose code is taken (409)."""
    if tell(change, work):
        work.later(index_anew)
