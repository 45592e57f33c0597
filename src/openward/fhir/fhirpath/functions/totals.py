"""One value of many. https://hl7.org/fhirpath/#aggregates"""

from __future__ import annotations

from functools import reduce

from openward.fhir.fhirpath.arithmetic import operate
from openward.fhir.fhirpath.compare import order
from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items


@function("sum")
def total(items: Items, context: Context) -> Items:
    context.spend(len(items))
    return reduce(lambda made, item: operate("+", made, [item], context), items[1:], items[:1])


@function("avg")
def average(items: Items, context: Context) -> Items:
    return operate("/", total(items, context), [len(items)], context) if items else []


@function("min")
def least(items: Items, context: Context) -> Items:
    context.spend(len(items))
    return reduce(lambda made, item: [item] if order(item, made[0]) == -1 else made, items[1:], items[:1])


@function("max")
def greatest(items: Items, context: Context) -> Items:
    context.spend(len(items))
    return reduce(lambda made, item: [item] if order(item, made[0]) == 1 else made, items[1:], items[:1])
