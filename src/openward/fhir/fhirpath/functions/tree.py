"""Down the tree. https://hl7.org/fhirpath/N1/#tree-navigation"""

from __future__ import annotations

from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.model import children as walk


@function("children")
def children(items: Items, context: Context) -> Items:
    found: Items = []
    for item in items:
        if item.__class__ is tuple:
            walk(item, found)
    context.spend(len(items) + len(found))
    return found


@function("descendants")
def descendants(items: Items, context: Context) -> Items:
    made: Items = []
    level = children(items, context)
    while level:
        made += level
        level = children(level, context)
    return made
