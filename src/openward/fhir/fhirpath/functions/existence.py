"""Is there something, does it hold for all? https://hl7.org/fhirpath/N1/#existence"""

from __future__ import annotations

from openward.fhir.fhirpath.compare import unique
from openward.fhir.fhirpath.context import Closure, Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.values import describe, system, truth


@function("empty")
def empty(items: Items, context: Context) -> Items:
    return [not items]


@function("exists", 0, 1, kind="expressions")
def exists(items: Items, context: Context, criteria: Closure | None = None) -> Items:
    if criteria is None:
        return [bool(items)]
    context.spend(len(items))
    before, index = context.this, context.index
    found = False
    for context.index, item in enumerate(items):
        context.this = this = [item]
        if truth(criteria(this, context)):
            found = True
            break
    context.this, context.index = before, index
    return [found]


@function("all", 1, kind="expressions")
def every(items: Items, context: Context, criteria: Closure) -> Items:
    context.spend(len(items))
    before, index = context.this, context.index
    holds = True
    for context.index, item in enumerate(items):
        context.this = this = [item]
        if not truth(criteria(this, context)):
            holds = False
            break
    context.this, context.index = before, index
    return [holds]


@function("not")
def negate(items: Items, context: Context) -> Items:
    value = truth(items, "not()")
    return [] if value is None else [not value]


def _booleans(items: Items, name: str) -> list[bool]:
    values = [system(item) for item in items]
    for value in values:
        if value.__class__ is not bool:
            raise FhirPathError(f"{name}() takes booleans, not {describe(value)}.")
    return values


@function("allTrue")
def all_true(items: Items, context: Context) -> Items:
    return [all(_booleans(items, "allTrue"))]


@function("anyTrue")
def any_true(items: Items, context: Context) -> Items:
    return [any(_booleans(items, "anyTrue"))]


@function("allFalse")
def all_false(items: Items, context: Context) -> Items:
    return [not any(_booleans(items, "allFalse"))]


@function("anyFalse")
def any_false(items: Items, context: Context) -> Items:
    return [not all(_booleans(items, "anyFalse"))]


@function("subsetOf", 1)
def subset_of(items: Items, context: Context, other: Items) -> Items:
    context.spend(len(items) + len(other))
    return [set(map(context.key, items)) <= set(map(context.key, other))]


@function("supersetOf", 1)
def superset_of(items: Items, context: Context, other: Items) -> Items:
    context.spend(len(items) + len(other))
    return [set(map(context.key, items)) >= set(map(context.key, other))]


@function("count")
def count(items: Items, context: Context) -> Items:
    return [len(items)]


@function("distinct")
def distinct(items: Items, context: Context) -> Items:
    context.spend(len(items))
    return unique(items, context.key) if len(items) > 1 else items


@function("isDistinct")
def is_distinct(items: Items, context: Context) -> Items:
    context.spend(len(items))
    return [len(set(map(context.key, items))) == len(items)]
