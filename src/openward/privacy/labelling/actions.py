"""Giving and taking sensitivity labels, and the house's rules for them: rights of their own, and audit events of their own."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from openward.access.actor import Actor
from openward.access.guards import may_relabel
from openward.access.known import changing
from openward.access.labels import LABELS, SHIPPED, labels_of
from openward.access.models import LabelRule, restamped
from openward.access.permissions import Permission
from openward.fhir.errors import Conflict, Forbidden, NotFound, Refused
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Resource
from openward.privacy.labelling import jobs
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


class RuleIsThere(Conflict):
    """There is such a rule already."""


def add_rule(*, label: str, system: str, code: str, is_start: bool, by: Actor) -> LabelRule:
    """What is coded so gets the label, from now on when it is written and by a job where it is stored. Raises RuleIsThere, Forbidden."""
    _may_rule(by)
    if label not in LABELS:
        raise Refused(f"There is no label {label}.")
    if (label, system, code, is_start) in SHIPPED:
        raise RuleIsThere
    with unit_of_work(by=_house(by)) as work, changing():
        try:
            with transaction.atomic():
                row = LabelRule.objects.create(tenant=by.tenant, label=label, system=system, code=code, is_start=is_start, made_by=by.name)
        except IntegrityError:
            raise RuleIsThere from None
        work.later(jobs.relabel, tenant=by.tenant)
        _note(by, f"Rule made: {_words(row)}")
    return row


def end_rule(*, rule: str, by: Actor) -> None:
    """The rule puts no more labels; those it has put stay until somebody takes them away. Raises NotFound, Forbidden."""
    _may_rule(by)
    with unit_of_work(by=_house(by)) as work, changing():
        try:
            row = LabelRule.objects.select_for_update().filter(tenant=by.tenant, pk=rule, ended_at=None).first()
        except ValidationError:
            row = None
        if row is None:
            raise NotFound(type="Rule", id=rule)
        restamped(row, ended_at=timezone.now(), ended_by=by.name)
        work.later(jobs.relabel, tenant=by.tenant)
        _note(by, f"Rule ended: {_words(row)}")


def _may_rule(by: Actor) -> None:
    if by.kind != "staff" or not by.may(Permission.REVIEW_PRIVACY):
        raise Forbidden("You may not change the rules for sensitivity labels.")


def _house(by: Actor) -> Actor:
    return Actor.system("keep label rules", tenant=by.tenant, on_behalf_of=by)


def _words(row: LabelRule) -> str:
    return f"{row.label} for {row.system} {row.code}{' and what begins so' if row.is_start else ''}"


def _note(by: Actor, detail: str) -> None:
    open_store(by).record([Event("relabel", None, detail=detail)])
