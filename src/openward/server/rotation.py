"""The job that rotates keys. `openward keys rotate` queues it; it goes on where it was after any stop."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from openward.audit.models import AuditEvent
from openward.fhir.sealing.port import UNOPENED
from openward.keys import resealing, rotation
from openward.record.health import health_check
from openward.record.jobs import every, job

LATELY = dt.timedelta(days=1)


@job("keys.reseal")
def reseal() -> None:
    """Seal anew what older data keys sealed, and wrap data keys under the first outer key. A batch is a transaction; stopped, it goes on."""
    rotation.rewrap_keys()
    while rotation.reseal_batch():
        pass


@every("40 2 * * *", "keys.resume_reseal")
def resume_reseal() -> None:
    """Go on with a rotation whose worker died."""
    reseal()


@every("*/5 * * * *", "keys.finish_rotation")
def finish_rotation() -> None:
    """Go through the record once more when no process can have written under the older keys any longer; nothing to do, it costs a statement."""
    if resealing.is_unfinished():
        reseal()


@health_check("keys", title="Keys of sealed values")
def keys() -> str | None:
    if lost := rotation.lost_keys():
        return f"{lost} data keys cannot be unwrapped: what they sealed cannot be read. Set OPENWARD_KEK_FILES to the key file."
    met = AuditEvent.objects.filter(outcome=8, at__gt=timezone.now() - LATELY, detail__endswith=UNOPENED).count()
    if met:
        return f"{met} times in the last day somebody met what cannot be opened: its key is not here, or it was changed. The trail names the records."
    return None
