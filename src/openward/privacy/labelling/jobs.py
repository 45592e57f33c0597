"""The pass over what is stored, by the clock and when a rule changes, and how it is going."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.privacy.labelling import relabelling
from openward.record.health import health_check
from openward.record.jobs import every, job

STUCK = dt.timedelta(minutes=30)


@job("privacy.relabel")
def relabel(*, tenant: int) -> None:
    """Label what was stored before a rule was there. A batch is a transaction; stopped, it goes on where it was."""
    relabelling.run(tenant)


@every("* * * * *", "privacy.resume_relabelling")
def resume() -> None:
    """Go on with a pass whose worker died, and begin one when the rules Openward comes with have changed."""
    relabelling.run(*relabelling.tenants())


def _progress() -> str:
    under_way = [row for row in relabelling.newest() if row.finished_at is None]
    done, total = sum(row.done for row in under_way), sum(row.total for row in under_way)
    return f"Going through what is stored: {done} of {total}." if under_way else ""


@health_check("labels", title="Sensitivity labels", note=_progress)
def labels_reach_what_is_stored() -> str | None:
    """None when every stored resource of every tenant has been looked at by the rules that hold, and took its labels."""
    rows = relabelling.newest()
    if any(row.finished_at is None and timezone.now() - max(row.moved_at, row.asked_at) > STUCK for row in rows):
        return "Sensitivity labels are not reaching what is stored: the pass has stood still for half an hour."
    if failed := sum(row.failed for row in rows):
        return f"{failed} stored resources could not be given the sensitivity label their code asks for."
    return None
