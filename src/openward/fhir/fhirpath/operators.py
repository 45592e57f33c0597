"""Operators as closures. https://hl7.org/fhirpath/N1/#operations"""

from __future__ import annotations

from collections.abc import Callable

from openward.fhir.fhirpath.arithmetic import operate
from openward.fhir.fhirpath.compare import equal, equivalent, order, size
from openward.fhir.fhirpath.context import Closure, Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.subsetting import union
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.values import truth

ARITHMETIC = frozenset({"+", "-", "*", "/", "div", "mod", "&"})


def operator(name: str, left: Closure, right: Closure) -> Closure:
    """The closure of `left name right`."""
    if name in ARITHMETIC:
        return lambda items, context: operate(name, left(items, context), right(items, context), context)
    return MAKERS[name](left, right)


def _open(value: bool | None) -> Items:
    return [] if value is None else [value]


def _and(left: Closure, right: Closure) -> Closure:
    def run(items: Items, context: Context) -> Items:
        one = truth(left(items, context), "and")
        if one is False:
            return [False]
        other = truth(right(items, context), "and")
        if other is False:
            return [False]
        return [True] if one and other else []

    return run


def _or(left: Closure, right: Closure) -> Closure:
    def run(items: Items, context: Context) -> Items:
        one = truth(left(items, context), "or")
        if one:
            return [True]
        other = truth(right(items, context), "or")
        if other:
            return [True]
        return [False] if one is False and other is False else []

    return run


def _xor(left: Closure, right: Closure) -> Closure:
    def run(items: Items, context: Context) -> Items:
        one, other = truth(left(items, context), "xor"), truth(right(items, context), "xor")
        return [] if one is None or other is None else [one != other]

    return run


def _implies(left: Closure, right: Closure) -> Closure:
    def run(items: Items, context: Context) -> Items:
        one = truth(left(items, context), "implies")
        if one is False:
            return [True]
        other = truth(right(items, context), "implies")
        if other:
            return [True]
        return _open(False if one and other is False else None)

    return run


def _equal(left: Closure, right: Closure) -> Closure:
    def run(items: Items, context: Context) -> Items:
        one, other = left(items, context), right(items, context)
        context.spend(len(one))
        return _open(equal(one, other))

    return run


def _not_equal(left: Closure, right: Closure) -> Closure:
    def run(items: Items, context: Context) -> Items:
        one, other = left(items, context), right(items, context)
        context.spend(len(one))
        same = equal(one, other)
        return [] if same is None else [not same]

    return run


def _same(left: Items, right: Items, context: Context) -> bool:
    context.spend(len(left) * len(right) + sum(map(size, left)))
    return equivalent(left, right)


def _equivalent(left: Closure, right: Closure) -> Closure:
    return lambda items, context: [_same(left(items, context), right(items, context), context)]


def _not_equivalent(left: Closure, right: Closure) -> Closure:
    return lambda items, context: [not _same(left(items, context), right(items, context), context)]


def _ordered(holds: Callable[[int], bool]) -> Callable[[Closure, Closure], Closure]:
    def make(left: Closure, right: Closure) -> Closure:
        def run(items: Items, context: Context) -> Items:
            one, other = left(items, context), right(items, context)
            if not one or not other:
                return []
            if len(one) > 1 or len(other) > 1:
                raise FhirPathError("A comparison takes one item on each side.")
            found = order(one[0], other[0])
            return [] if found is None else [holds(found)]

        return run

    return make


def _union(left: Closure, right: Closure) -> Closure:
    return lambda items, context: union(left(items, context), context, right(items, context))


def _is_in(one: Items, many: Items, context: Context) -> Items:
    if not one:
        return []
    if len(one) > 1:
        raise FhirPathError("Membership is asked of one item.")
    context.spend(len(many))
    wanted = context.key(one[0])
    return [any(context.key(item) == wanted for item in many)]


def _in(left: Closure, right: Closure) -> Closure:
    return lambda items, context: _is_in(left(items, context), right(items, context), context)


def _contains(left: Closure, right: Closure) -> Closure:
    return lambda items, context: _is_in(right(items, context), left(items, context), context)


MAKERS: dict[str, Callable[[Closure, Closure], Closure]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
    "=": _equal,
    "!=": _not_equal,
    "~": _equivalent,
    "!~": _not_equivalent,
    "<": _ordered(lambda found: found < 0),
    "<=": _ordered(lambda found: found <= 0),
    ">": _ordered(lambda found: found > 0),
    ">=": _ordered(lambda found: found >= 0),
    "|": _union,
    "in": _in,
    "contains": _contains,
}
