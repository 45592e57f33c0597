"""Choose items, or make new ones of each. https://hl7.org/fhirpath/N1/#filtering-and-projection"""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from openward.fhir.fhirpath.compare import order
from openward.fhir.fhirpath.context import LETTERS_A_STEP, Closure, Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.values import truth

RESERVED = frozenset({"context", "resource", "rootResource", "ucum", "sct", "loinc"})


@function("where", 1, kind="expressions")
def where(items: Items, context: Context, criteria: Closure) -> Items:
    context.spend(len(items))
    before, index = context.this, context.index
    kept = []
    for context.index, item in enumerate(items):
        context.this = this = [item]
        if truth(criteria(this, context)):
            kept.append(item)
    context.this, context.index = before, index
    return kept


@function("select", 1, kind="expressions")
def select(items: Items, context: Context, projection: Closure) -> Items:
    before, index = context.this, context.index
    made: Items = []
    for context.index, item in enumerate(items):
        context.this = this = [item]
        found = projection(this, context)
        context.spend(1 + len(found))
        made += found
    context.this, context.index = before, index
    return made


@function("repeat", 1, kind="expressions")
def repeat(items: Items, context: Context, projection: Closure) -> Items:
    """Again for what it gives, until it gives nothing new."""
    before, index = context.this, context.index
    seen: set[Any] = set()
    made: Items = []
    queue = items
    while queue:
        found: Items = []
        for context.index, item in enumerate(queue):
            context.this = this = [item]
            found += projection(this, context)
        context.spend(1 + len(found))
        queue = []
        for item in found:
            if (identity := _place(item, context)) not in seen:
                seen.add(identity)
                queue.append(item)
                context.spend(len(item) // LETTERS_A_STEP if item.__class__ is str else 0)
        made += queue
    context.this, context.index = before, index
    return made


def _place(item: Any, context: Context) -> Any:
    """Nodes are new when they stand elsewhere, values when they differ."""
    return id(item[0]) if item.__class__ is tuple and item[0].__class__ is dict else context.key(item)


@function("repeatAll", 1, kind="expressions")
def repeat_all(items: Items, context: Context, projection: Closure) -> Items:
    """As repeat(), with all it gives, again and again the same too; what never ends costs the whole budget."""
    made: Items = []
    while items:
        items = select(items, context, projection)
        context.spend(1)
        made += items
    return made


@function("coalesce", 1, 99, kind="expressions")
def coalesce(items: Items, context: Context, *choices: Closure) -> Items:
    """The first of its arguments that is not empty; those behind it are not evaluated."""
    for choice in choices:
        found = choice(context.this, context)
        if found:
            return found
    return []


@function("aggregate", 1, 2, kind="expressions")
def aggregate(items: Items, context: Context, aggregator: Closure, start: Closure | None = None) -> Items:
    context.spend(len(items))
    before, index, total = context.this, context.index, context.total
    running = start(before, context) if start else []
    for context.index, item in enumerate(items):
        context.this = this = [item]
        context.total = running
        running = aggregator(this, context)
    context.this, context.index, context.total = before, index, total
    return running


@function("iif", 2, 3, kind="expressions")
def iif(items: Items, context: Context, criterion: Closure, then: Closure, otherwise: Closure | None = None) -> Items:
    """Only the branch that is taken is evaluated."""
    if len(items) > 1:
        raise FhirPathError(f"iif() takes at most one item, not {len(items)}.")
    before = context.this
    context.this = items or before
    chosen = then if truth(criterion(items, context), "The criterion of iif()") else otherwise
    made = chosen(items, context) if chosen else []
    context.this = before
    return made


@function("trace", 1, 2, kind="expressions")
def trace(items: Items, context: Context, name: Closure, projection: Closure | None = None) -> Items:
    """Kept for the caller only where it asked; never written to a log, for items may be a patient's."""
    if context.traces is not None:
        said = name(context.this, context)
        context.traces.append((str(said[0]) if said else "", select(items, context, projection) if projection else items))
    return items


@function("defineVariable", 1, 2, kind="expressions")
def define_variable(items: Items, context: Context, name: Closure, value: Closure | None = None) -> Items:
    said = name(context.this, context)
    if len(said) != 1 or said[0].__class__ is not str:
        raise FhirPathError("defineVariable() takes the name of the variable.")
    if said[0] in context.environment or said[0] in RESERVED:
        raise FhirPathError(f"%{said[0][:80]} is defined already.")
    before = context.this
    context.this = items
    context.environment = {**context.environment, said[0]: value(items, context) if value else items}
    context.this = before
    return items


@function("sort", 0, 9, kind="expressions")
def sort(items: Items, context: Context, *keys: Closure) -> Items:
    """By each key in turn; a key with a minus before it from the highest down. Items without a key count as the highest."""
    context.spend(len(items) * max(1, len(keys)))
    if not keys:
        return sorted(items, key=cmp_to_key(_ranked))
    before = context.this
    rows: list[tuple[list[Items], Any]] = []
    for item in items:
        context.this = this = [item]
        rows.append(([one(this, context) for one in keys], item))
    context.this = before
    for place in reversed(range(len(keys))):
        rows.sort(key=_Ranked(place), reverse=getattr(keys[place], "descends", False))
    return [item for _, item in rows]


class _Ranked:
    """The key of a row by which Python sorts."""

    def __init__(self, place: int) -> None:
        self.place = place

    def __call__(self, row: tuple[list[Items], Any]) -> Any:
        return BY_KEY(row[0][self.place])


def _by_key(left: Items, right: Items) -> int:
    if not left or not right:
        return (not left) - (not right)
    if len(left) > 1 or len(right) > 1:
        raise FhirPathError("A key of sort() is one item.")
    return _ranked(left[0], right[0])


BY_KEY = cmp_to_key(_by_key)


def _ranked(left: Any, right: Any) -> int:
    return order(left, right) or 0
