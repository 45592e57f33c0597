"""The job that rotates keys. `openward keys rotate` queues it; it goes on where it was after any stop."""

from __future__ import annotations

from openward.keys import resealing, rotation
from openward.record.health import health_check
from openward.record.jobs import every, job


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
    lost = rotation.lost_keys()
    return f"{lost} data keys cannot be unwrapped: what they sealed cannot be read. Set OPENWARD_KEK_FILES to the key file." if lost else None
