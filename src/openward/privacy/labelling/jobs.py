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
    relabelling.run(1)


def _progress() -> str:
    row = relabelling.latest(1)
    return f"Going through what is stored: {row.done} of {row.total}." if row is not None and row.finished_at is None else ""


@health_check("labels", title="Sensitivity labels", note=_progress)
def labels_reach_what_is_stored() -> str | None:
    """None when every stored resource has been looked at by the rules that hold, and took its labels."""
    row = relabelling.latest(1)
    if row is None:
        return None
    if row.finished_at is None and timezone.now() - max(row.moved_at, row.asked_at) > STUCK:
        return "Sensitivity labels are not reaching what is stored: the pass has stood still for half an hour."
    if row.failed:
        return f"{row.failed} stored resources could not be given the sensitivity label their code asks for."
    return None
