"""Syntax → closures `(items, context) → items`, made once for an expression."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from openward.fhir.fhirpath import moments
from openward.fhir.fhirpath.context import LETTERS_A_STEP, Closure, Context
from openward.fhir.fhirpath.errors import FhirPathError, FhirPathSyntax, FhirPathTooCostly
from openward.fhir.fhirpath.functions import FUNCTIONS, Function
from openward.fhir.fhirpath.functions.registry import Run
from openward.fhir.fhirpath.functions.types import tests
from openward.fhir.fhirpath.model import Items, is_fhir_type, type_of
from openward.fhir.fhirpath.moments import Kind
from openward.fhir.fhirpath.operators import operator
from openward.fhir.fhirpath.quantity import UCUM, Quantity
from openward.fhir.fhirpath.results import TEXT_INPUTS
from openward.fhir.fhirpath.syntax import Call, Empty, Expression, External, Index, Literal, Member, Operation, Path, Sign, Special, TypeTest
from openward.fhir.fhirpath.values import describe, single, whole

KINDS: dict[str, Kind] = {"date": "Date", "datetime": "DateTime", "time": "Time"}
CONSTANTS = {"ucum": UCUM, "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
PREFIXES = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}


def closure(tree: Expression) -> Closure:
    """Raises FhirPathSyntax for a function nobody knows or too few or many arguments, FhirPathError for a type nobody knows."""
    return MAKERS[type(tree)](tree)


def _literal(tree: Literal) -> Closure:
    items = [_constant(tree)]
    return lambda _, context: items


def _constant(tree: Literal) -> Any:
    if tree.kind == "quantity":
        return Quantity(Decimal(tree.value), tree.unit or "1", tree.is_calendar)
    if tree.kind in KINDS:
        moment = moments.read(KINDS[tree.kind], str(tree.value).removesuffix("T").removeprefix("T"))
        if moment is None:
            raise FhirPathSyntax(f"@{tree.value} is no {KINDS[tree.kind]}.")
        return moment
    return tree.value


def _empty(tree: Empty) -> Closure:
    return lambda items, context: []


def _special(tree: Special) -> Closure:
    if tree.name == "$this":
        return lambda items, context: context.this
    if tree.name == "$index":
        return lambda items, context: [context.index]
    return lambda items, context: context.total


def _external(tree: External) -> Closure:
    name = tree.name
    fixed = CONSTANTS.get(name)
    for prefix, base in PREFIXES.items():
        if name.startswith(prefix):
            fixed = base + name.removeprefix(prefix)
    own = {"context": "origin", "resource": "resource", "rootResource": "root"}.get(name)
    if own is not None:
        return lambda items, context: getattr(context, own)
    constant = [fixed]
    return (lambda items, context: constant) if fixed else (lambda items, context: _variable(name, context))


def _variable(name: str, context: Context) -> Items:
    if name not in context.environment:
        raise FhirPathError(f"There is no %{name[:80]} here.")
    value = context.environment[name]
    listed = value if value.__class__ is list else [] if value is None else [value]
    return [(one, type_of(one), None, None, None, None) if one.__class__ is dict else one for one in listed]


def _member(tree: Member) -> Closure:
    """At the head of a path: a type's name keeps what is of the type; else a child."""
    step = _step(tree)
    if not is_fhir_type(tree.name) or not tree.name[0].isupper():
        return step
    name = tree.name

    def head(items: Items, context: Context) -> Items:
        kept = [item for item in items if item.__class__ is tuple and name in item[1].ancestors]
        return kept or step(items, context)

    return head


def _step(tree: Member) -> Closure:
    name = tree.name

    def step(items: Items, context: Context) -> Items:
        found: Items = []
        for item in items:
            if item.__class__ is tuple:
                walk = item[1].walks[name]
                if walk is not None:
                    walk(item, found)
        context.budget -= len(found)
        if context.budget < 0:
            raise FhirPathTooCostly()
        return found

    return step


def _index(tree: Index) -> Closure:
    if isinstance(tree.index, Literal) and tree.index.kind == "integer":
        fixed = int(tree.index.value)
        return lambda items, context: items[fixed : fixed + 1]
    inner = closure(tree.index)

    def at(items: Items, context: Context) -> Items:
        place = whole(inner(context.this, context), "[]")
        return [] if place is None or place < 0 else items[place : place + 1]

    return at


def _path(tree: Path) -> Closure:
    head = _call(tree.head) if isinstance(tree.head, Call) else closure(tree.head)
    steps = tuple(_step(step) if isinstance(step, Member) else _call(step) if isinstance(step, Call) else closure(step) for step in tree.steps)
    if _defines(tree.head) or any(map(_defines, tree.steps)):
        return _scope(_chain(head, steps))
    return _chain(head, steps)


def _defines(tree: Expression) -> bool:
    return isinstance(tree, Call) and tree.name == "defineVariable"


def _scope(inner: Closure) -> Closure:
    """Variables defined inside are known inside."""

    def scoped(items: Items, context: Context) -> Items:
        before = context.environment
        found = inner(items, context)
        context.environment = before
        return found

    return scoped


def _chain(head: Closure, steps: tuple[Closure, ...]) -> Closure:
    if len(steps) == 1:
        only = steps[0]
        return lambda items, context: only(head(items, context), context)

    def path(items: Items, context: Context) -> Items:
        items = head(items, context)
        for step in steps:
            items = step(items, context)
        return items

    return path


def _lone_call(tree: Call) -> Closure:
    return _scope(_call(tree)) if _defines(tree) else _call(tree)


def _call(tree: Call) -> Closure:
    found = FUNCTIONS.get(tree.name)
    if found is None:
        raise FhirPathSyntax(f"There is no function {tree.name[:80]}().")
    if not found.least <= len(tree.arguments) <= found.most:
        raise FhirPathSyntax(f"{tree.name}() does not take {len(tree.arguments)} arguments.")
    return CALLS[found.kind](found, tree)


def _call_with_values(found: Function, tree: Call) -> Closure:
    run = _paying_for_text(found.run) if found.name in TEXT_INPUTS else found.run
    arguments = tuple(closure(argument) for argument in tree.arguments)
    if not arguments:
        return run
    if len(arguments) == 1:
        only = arguments[0]
        return lambda items, context: run(items, context, only(context.this, context))
    return lambda items, context: run(items, context, *(argument(context.this, context) for argument in arguments))


def _paying_for_text(run: Run) -> Run:
    """The same function, which costs the more the longer the text it works on."""

    def paying(items: Items, context: Context, *arguments: Items) -> Items:
        if len(items) == 1:
            value = items[0][0] if items[0].__class__ is tuple else items[0]
            if value.__class__ is str and len(value) > LETTERS_A_STEP:
                context.spend(len(value) // LETTERS_A_STEP)
        return run(items, context, *arguments)

    return paying


def _call_with_expressions(found: Function, tree: Call) -> Closure:
    run = found.run
    arguments = tuple(_sort_key(argument) if found.name == "sort" else closure(argument) for argument in tree.arguments)
    if not arguments:
        return run
    return lambda items, context: run(items, context, *arguments)


class _Descending:
    """A key of sort() with a minus before it."""

    descends = True

    def __init__(self, inner: Closure) -> None:
        self.inner = inner

    def __call__(self, items: Items, context: Context) -> Items:
        return self.inner(items, context)


def _sort_key(tree: Expression) -> Closure:
    return _Descending(closure(tree.operand)) if isinstance(tree, Sign) and tree.sign == "-" else closure(tree)


def _call_with_type(found: Function, tree: Call) -> Closure:
    name = _type_name(tree.arguments[0])
    if name is None:
        raise FhirPathSyntax(f"{tree.name}() takes the name of a type.")
    tests(name)
    run = found.run
    return lambda items, context: run(items, context, name)


def _type_name(tree: Expression) -> str | None:
    if isinstance(tree, Member):
        return tree.name
    if isinstance(tree, Path) and isinstance(tree.head, Member) and len(tree.steps) == 1 and isinstance(tree.steps[0], Member):
        return f"{tree.head.name}.{tree.steps[0].name}"
    return None


CALLS: dict[str, Callable[[Function, Call], Closure]] = {
    "values": _call_with_values, "expressions": _call_with_expressions, "type": _call_with_type,
}  # fmt: skip


def _type_test(tree: TypeTest) -> Closure:
    """The operator `as` keeps what is of the type even of many items, for R4's own search parameters use it so."""
    inner = closure(tree.operand)
    is_one, is_just = tests(tree.type)
    if tree.operator == "as":
        return lambda items, context: [item for item in inner(items, context) if is_just(item)]

    def run(items: Items, context: Context) -> Items:
        found = inner(items, context)
        if len(found) > 1:
            raise FhirPathError(f"is takes one item, not {len(found)}.")
        return [is_one(found[0])] if found else []

    return run


def _sign(tree: Sign) -> Closure:
    inner = closure(tree.operand)
    is_minus = tree.sign == "-"

    def run(items: Items, context: Context) -> Items:
        value = single(inner(items, context), tree.sign)
        if value is None:
            return []
        if value.__class__ is Quantity:
            return [Quantity(-value.value, value.unit, value.is_calendar, value.foreign) if is_minus else value]
        if value.__class__ is int or value.__class__ is Decimal:
            return [-value if is_minus else value]
        raise FhirPathError(f"{tree.sign} does not take {describe(value)}.")

    return run


def _operation(tree: Operation) -> Closure:
    made = closure(tree.first)
    for name, right in tree.rest:
        made = operator(name, made, closure(right))
    return made


MAKERS: dict[type, Callable[[Any], Closure]] = {
    Literal: _literal,
    Empty: _empty,
    Special: _special,
    External: _external,
    Member: _member,
    Call: _lone_call,
    Index: _index,
    Path: _path,
    Sign: _sign,
    Operation: _operation,
    TypeTest: _type_test,
}
