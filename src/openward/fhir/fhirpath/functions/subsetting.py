"""Some of a collection by place, and collections put together. https://hl7.org/fhirpath/N1/#subsetting"""

from __future__ import annotations

from openward.fhir.fhirpath.compare import unique
from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.values import whole


@function("single")
def single(items: Items, context: Context) -> Items:
    if len(items) > 1:
        raise FhirPathError(f"single() found {len(items)} items.")
    return items


@function("first")
def first(items: Items, context: Context) -> Items:
    return items[:1]


@function("last")
def last(items: Items, context: Context) -> Items:
    return items[-1:]


@function("tail")
def tail(items: Items, context: Context) -> Items:
    return items[1:]


@function("skip", 1)
def skip(items: Items, context: Context, number: Items) -> Items:
    return items[max(0, whole(number, "skip()") or 0) :]


@function("take", 1)
def take(items: Items, context: Context, number: Items) -> Items:
    return items[: max(0, whole(number, "take()") or 0)]


@function("intersect", 1)
def intersect(items: Items, context: Context, other: Items) -> Items:
    context.spend(len(items) + len(other))
    if not items or not other:
        return []
    wanted = set(map(context.key, other))
    return unique((item for item in items if context.key(item) in wanted), context.key)


@function("exclude", 1)
def exclude(items: Items, context: Context, other: Items) -> Items:
    context.spend(len(items) + len(other))
    unwanted = set(map(context.key, other))
    return [item for item in items if context.key(item) not in unwanted]


@function("union", 1)
def union(items: Items, context: Context, other: Items) -> Items:
    context.spend(len(items) + len(other))
    return unique((*items, *other), context.key)


@function("combine", 1)
def combine(items: Items, context: Context, other: Items) -> Items:
    context.spend(len(items) + len(other))
    return items + other
