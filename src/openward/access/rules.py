"""The rules of the house's own for labels, and what is inherited from what a resource is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID
from weakref import WeakKeyDictionary

from openward.access.known import house, keep, kept
from openward.access.labels import CODED, INHERITED, LABELS, SHIPPED, Rules
from openward.fhir.definitions import type_number
from openward.fhir.ids import key

if TYPE_CHECKING:
    from openward.access.actor import Actor
    from openward.fhir.store import Store

TOKENS = "select c.tok from fhir.current c where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.rkey = any(%(keys)s::uuid[])"
AT_MOST = 5_000

# What a store has written of the types others inherit from: not yet in the database, where it is staged.
_written: WeakKeyDictionary[Store, dict[tuple[str, UUID], frozenset[str]]] = WeakKeyDictionary()


def rules_of(actor: Actor) -> Rules:
    """The house's own rules that hold now, beside the shipped ones."""
    place = ("label rules", actor.tenant)
    known: Rules | None = kept(actor, place)
    if known is None:
        known = Rules.of(_own(actor.tenant))
        keep(actor, place, known)
    return known


def _own(tenant: int) -> list[tuple[str, str, str, bool]]:
    from openward.access.models import LabelRule

    rows = LabelRule.objects.filter(tenant=tenant, ended_at__isnull=True, label__in=list(LABELS))
    return sorted(rows.values_list("label", "system", "code", "is_start"))


def digest_of_rules(tenant: int) -> str:
    """The same as long as every rule is: by it a pass over what is stored is known to be done."""
    places = [sorted(CODED.items()), sorted(INHERITED.items())]
    return hashlib.sha256(json.dumps([sorted(SHIPPED), _own(tenant), places]).encode()).hexdigest()


def written(store: Store, type: str, key: UUID, labels: frozenset[str]) -> None:
    """What this store is about to write has these labels."""
    known = _written.setdefault(store, {})
    if len(known) >= AT_MOST:
        known.clear()
    known[type, key] = labels


def inherited(store: Store, parents: Iterable[str]) -> frozenset[str]:
    """The labels of these resources, as they stand or as this store is about to write them. Asks the database for stored ones, one statement a type."""
    known, found, asked = _written.get(store, {}), set[str](), dict[str, list[UUID]]()
    for type, id in (parent.split("/", 1) for parent in parents):
        address = (type, key(type, id))
        if address in known:
            found |= known[address]
        elif house(store.actor).used.get(type_number(type)):
            asked.setdefault(type, []).append(address[1])
    for type, keys in asked.items():
        rows = store.wire.execute(TOKENS, {"tenant": store.tenant, "rtype": type_number(type), "keys": keys}).fetchall()
        tokens = {token for (each,) in rows for token in each}
        found |= {label.code for label in LABELS.values() if label.token in tokens}
    return frozenset(found)
