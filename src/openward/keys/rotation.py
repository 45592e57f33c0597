"""Rotation: new data keys seal from now on, what older ones sealed is sealed anew a batch at a time, and keys move under the first outer key.

Each batch is a transaction of its own and the work to do is what still begins with an older key's prefix: it may be stopped at any time and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from django.apps import apps
from django.db import models, transaction

from openward.keys.errors import KeyTrouble
from openward.keys.fields import Sealed, SealedTextField
from openward.keys.models import DataKey
from openward.keys.ring import BLIND, RING
from openward.keys.sealing import prefix_of

BATCH = 200

Reseal = Callable[[int], int]
PLACES: dict[str, Reseal] = {}
INDEXED: set[str] = set()
"""The purposes whose blind index some place makes anew: the keys of others stay for ever, for values are found by them."""


def sealed_place(name: str, *, indexes: Collection[str] = ()) -> Callable[[Reseal], Reseal]:
    """Register a place that is no SealedTextField: `reseal(limit)` seals up to `limit` values anew, and says how many it did; 0 ends it.

    `indexes`: of which purposes it also makes the blind index anew, and takes away the retired keys of it when nothing is found by them any more.
    """

    def register(reseal: Reseal) -> Reseal:
        PLACES[name] = reseal
        INDEXED.update(f"{purpose}{BLIND}" for purpose in indexes)
        return reseal

    return register


def new_data_keys() -> int:
    """Retire every data key that seals and make a new one beside it; how many. Those of blind indexes nobody makes anew stay."""
    active = DataKey.objects.filter(retired_at__isnull=True).values_list("tenant", "purpose")
    replaced = [(tenant, purpose) for tenant, purpose in active if not purpose.endswith(BLIND) or purpose in INDEXED]
    for tenant, purpose in replaced:
        RING.replace(tenant, purpose)
    return len(replaced)


def rewrap_keys() -> int:
    """Wrap under the first outer key whatever another one wrapped; how many. Raises OuterKeyMissing when that other one is gone."""
    done = 0
    for row in DataKey.objects.exclude(outer=RING.outer.first.id):
        RING.rewrap(row)
        done += 1
    return done


def lost_keys() -> int:
    """How many data keys no outer key of this installation unwraps."""
    lost = 0
    for row in DataKey.objects.all():
        try:
            RING.unwrapped(row)
        except KeyTrouble:
            lost += 1
    return lost


def reseal_batch() -> int:
    """Seal one batch of values anew, wherever there is one; how many. 0 when everything is under the keys that seal now."""
    for field in sealed_fields():
        if done := _reseal_field(field):
            return done
    return next((done for reseal in PLACES.values() if (done := reseal(BATCH))), 0)


def sealed_fields() -> Iterator[SealedTextField]:
    for model in apps.get_models():
        yield from (field for field in model._meta.local_fields if isinstance(field, SealedTextField))


def _reseal_field(field: SealedTextField) -> int:
    retired = DataKey.objects.filter(purpose=field.purpose, retired_at__isnull=False).values_list("id", flat=True)
    older = models.Q()
    for key in retired:
        older |= models.Q(**{f"{field.name}__startswith": Sealed(prefix_of(key))})
    if not older:
        return 0
    with transaction.atomic():
        rows = list(field.model._base_manager.select_for_update(skip_locked=True).filter(older)[:BATCH])
        for row in rows:
            clear = getattr(row, field.attname)
            field.model._base_manager.filter(pk=row.pk).update(**{field.attname: field.sealed(clear, row)})
    return len(rows)
