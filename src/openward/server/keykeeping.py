"""What `openward keys` does."""

from __future__ import annotations

from collections.abc import Iterator

from openward.keys import resealing, rotation
from openward.keys.models import DataKey
from openward.keys.ring import RING


def run(action: str) -> list[str]:
    """The lines to print. Raises KeyTrouble."""
    return _rotated() if action == "rotate" else list(_listed())


def _listed() -> Iterator[str]:
    for number, key in enumerate(RING.outer.keys):
        yield f"outer key {key.id}" + ("  wraps what is new" if number == 0 else "")
    known = {key.id for key in RING.outer.keys}
    for row in DataKey.objects.order_by("tenant", "purpose", "made_at"):
        state = f"retired {row.retired_at:%Y-%m-%d}" if row.retired_at else "seals"
        yield f"data key {row.id:<20} {row.purpose:24} tenant {row.tenant}  made {row.made_at:%Y-%m-%d}  {state}  under {row.outer}" + (
            "" if row.outer in known else ", which is MISSING"
        )
    if resealing.is_unfinished():
        yield "the record is being gone through: run `openward serve`, which goes on with it, and look again"
    elif (until := resealing.clear_until()) is not None:
        yield f"the record has been gone through; backups and logs of before {until:%Y-%m-%d %H:%M} UTC hold in clear what is sealed since"
    else:
        yield "the record has been gone through"


def _rotated() -> list[str]:
    """Done here, not queued: who asks for it waits for it, and the nightly job finishes what a stop left over."""
    wrapped, made, values = rotation.rewrap_keys(), rotation.new_data_keys(), 0
    while done := rotation.reseal_batch():
        values += done
    return [f"{wrapped} data keys moved under the outer key {RING.outer.first.id}", f"{made} new data keys", f"{values} values sealed anew"]
