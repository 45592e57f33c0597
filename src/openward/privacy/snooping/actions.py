"""What the officer found of a flagged look-up."""

from __future__ import annotations

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.models import Flag, restamped
from openward.fhir.errors import NotFound, Refused
from openward.fhir.protocols import Event
from openward.record import unit_of_work


class OnesOwn(Refused):
    """Nobody examines their own look-ups."""


def examine(*, flag: str, finding: str, by: Actor) -> Flag:
    """Keep what was found; on the trail of the patient. Raises NotFound, OnesOwn, Refused when it was examined before."""
    with unit_of_work(by=by) as work:
        row = Flag.objects.select_for_update().filter(tenant=by.tenant, pk=flag).first()
        if row is None:
            raise NotFound(type="Flag", id=flag)
        if row.actor == by.id:
            raise OnesOwn
        if row.examined_at is not None:
            raise Refused("It has been examined already.")
        restamped(row, finding=finding, examined_by=by.name, examined_at=timezone.now())
        work.store.record([Event("look-up-examined", "Patient", row.patient, patients=(row.patient,), detail=f"flag {row.id}")])
        return row
