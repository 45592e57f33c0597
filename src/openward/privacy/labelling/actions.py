"""Giving and taking sensitivity labels: a right of its own, and an audit event of its own."""

from __future__ import annotations

from collections.abc import Sequence

from openward.access.actor import Actor
from openward.access.guards import may_relabel
from openward.access.labels import LABELS, labels_of
from openward.fhir.errors import Forbidden, Refused
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Resource
from openward.record import open_store, unit_of_work


def set_labels(*, type: str, id: str, labels: Sequence[str], by: Actor) -> Resource:
    """The resource has these sensitivity labels from now on and no others; labels of other kinds stay.

    Only of what the actor sees. The content is not theirs to write by this right, so the house writes it for them. Raises NotFound, Forbidden.
    """
    if not may_relabel(by) or by.kind != "staff":
        raise Forbidden("You may not change sensitivity labels.")
    if unknown := set(labels) - LABELS.keys():
        raise Refused(f"There is no label {min(unknown)}.")
    open_store(by).read(type, id)
    house = Actor.system("keep sensitivity labels", tenant=by.tenant, on_behalf_of=by)
    with unit_of_work(by=house) as work:
        current = work.store.read(type, id)
        ours = {(label.system, label.code) for label in LABELS.values()}
        meta = dict(current.data.get("meta", {}))
        others = [one for one in meta.get("security", ()) if (one.get("system"), one.get("code")) not in ours]
        before = labels_of(current.data)
        meta["security"] = [*others, *(LABELS[label].coding for label in LABELS if label in labels)]
        if not meta["security"]:
            del meta["security"]
        written = work.store.update({**current.data, "meta": meta}, if_match=int(current.data["meta"]["versionId"]))
        detail = f"{type}: {', '.join(sorted(before)) or 'none'} to {', '.join(sorted(labels)) or 'none'}"
    open_store(by).record([Event("relabel", type, key(type, id), detail=detail)])
    return written
