"""Does an expression make sense for a type, before there is any data? https://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from openward.fhir.definitions import is_primitive, structure
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.evaluation import compile
from openward.fhir.fhirpath.model import fhir_type, is_fhir_type
from openward.fhir.fhirpath.results import BOOLEAN_RESULTS, INPUT_RESULTS, ORDERED, RESULTS, TEXT_INPUTS
from openward.fhir.fhirpath.syntax import Call, Empty, Expression, External, Index, Literal, Member, Operation, Path, Sign, Special, TypeTest

SYSTEM_LITERALS = {"datetime": "DateTime"}
NOT_TEXT = {"boolean", "integer", "decimal", "date", "dateTime", "instant", "time", "positiveInt", "unsignedInt"}


@dataclass(frozen=True, slots=True)
class Kinds:
    """The types an item may have, `System.` before FHIRPath's own; None when nobody can tell. `is_ordered` is false below children()."""

    types: frozenset[str] | None
    is_ordered: bool = True


ANY = Kinds(None)


def kinds(*names: str) -> Kinds:
    return Kinds(frozenset(names))


BOOLEAN, TEXT, INTEGER = kinds("System.Boolean"), kinds("System.String"), kinds("System.Integer")


def check(expression: str, type: str, *, ordered: bool = False) -> frozenset[str] | None:
    """The types that the expression may give for a resource or element of `type`, None when that depends on data.

    Raises FhirPathError for an element that the type does not have, a type that is not there, a condition that is no condition, text
    functions on what is no text; with `ordered` also for a place in what has no order.
    """
    if not is_fhir_type(type):
        raise FhirPathError(f"There is no type {type[:80]}.")
    checker = _Checker(kinds(type), ordered)
    return checker.of(compile(expression).tree, checker.origin, checker.origin).types


class _Checker:
    def __init__(self, origin: Kinds, ordered: bool) -> None:
        self.origin = origin
        self.is_strict_on_order = ordered

    def of(self, tree: Expression, items: Kinds, this: Kinds) -> Kinds:
        return CHECKS[type(tree)](self, tree, items, this)

    def literal(self, tree: Literal, items: Kinds, this: Kinds) -> Kinds:
        return kinds(f"System.{SYSTEM_LITERALS.get(tree.kind, tree.kind.capitalize())}")

    def nothing(self, tree: Empty, items: Kinds, this: Kinds) -> Kinds:
        return ANY

    def special(self, tree: Special, items: Kinds, this: Kinds) -> Kinds:
        return {"$this": this, "$index": INTEGER}.get(tree.name, ANY)

    def external(self, tree: External, items: Kinds, this: Kinds) -> Kinds:
        if tree.name == "context":
            return self.origin
        return TEXT if tree.name in ("ucum", "sct", "loinc") or tree.name.startswith(("vs-", "ext-")) else ANY

    def head(self, tree: Member, items: Kinds, this: Kinds) -> Kinds:
        if not is_fhir_type(tree.name) or not tree.name[0].isupper():
            return self.step(tree, items)
        if items.types is None:
            return kinds(tree.name)
        if not any(tree.name in _ancestors(name) for name in items.types):
            raise FhirPathError(f"{tree.name} is not the type this expression starts from.")
        return items

    def step(self, tree: Member, items: Kinds) -> Kinds:
        if items.types is None:
            return ANY
        found = [_child(name, tree.name) for name in sorted(items.types)]
        if any(one is ANY for one in found):
            return ANY
        known = [one.types for one in found if one is not None and one.types is not None]
        if not known:
            raise FhirPathError(f"{' or '.join(sorted(items.types))} has no element {tree.name[:80]}.")
        return Kinds(frozenset().union(*known), items.is_ordered)

    def index(self, tree: Index, items: Kinds, this: Kinds) -> Kinds:
        self.must_be_ordered("[]", items)
        self.of(tree.index, this, this)
        return items

    def path(self, tree: Path, items: Kinds, this: Kinds) -> Kinds:
        items = self.of(tree.head, items, this)
        for step in tree.steps:
            items = self.step(step, items) if isinstance(step, Member) else self.of(step, items, this)
        return items

    def sign(self, tree: Sign, items: Kinds, this: Kinds) -> Kinds:
        return self.of(tree.operand, items, this)

    def operation(self, tree: Operation, items: Kinds, this: Kinds) -> Kinds:
        sides = [self.of(tree.first, items, this), *(self.of(right, items, this) for _, right in tree.rest)]
        operator = tree.rest[-1][0]
        if operator == "|":
            return _union(sides)
        if operator == "&":
            return TEXT
        return ANY if operator in ("+", "-", "*", "/", "div", "mod") else BOOLEAN

    def type_test(self, tree: TypeTest, items: Kinds, this: Kinds) -> Kinds:
        self.of(tree.operand, items, this)
        return BOOLEAN if tree.operator == "is" else kinds(tree.type.removeprefix("FHIR."))

    def must_be_ordered(self, name: str, items: Kinds) -> None:
        if self.is_strict_on_order and not items.is_ordered:
            raise FhirPathError(f"{name} asks for a place in what has no order.")

    def call(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        if tree.name in ORDERED:
            self.must_be_ordered(f"{tree.name}()", items)
        if tree.name in TEXT_INPUTS and items.types and not any(map(_may_be_text, items.types)):
            raise FhirPathError(f"{tree.name}() takes a string, not {' or '.join(sorted(items.types))}.")
        own = CALLS.get(tree.name)
        if own is not None:
            return own(self, tree, items, this)
        for argument in tree.arguments:
            self.of(argument, this, this)
        return _result(tree.name, items)

    def projected(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        """Its arguments are asked of each item."""
        found = [self.of(argument, items, items) for argument in tree.arguments]
        return found[0] if tree.name == "select" else _result(tree.name, items)

    def repeated(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        found = self.of(tree.arguments[0], items, items)
        while found.types is not None:
            try:
                deeper = _union([found, self.of(tree.arguments[0], found, found)])
            except FhirPathError:
                return found
            if deeper.types == found.types:
                return found
            found = deeper
        return found

    def conditional(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        criterion, *branches = (self.of(argument, items, items) for argument in tree.arguments)
        if criterion.types and not criterion.types & {"System.Boolean", "boolean"}:
            raise FhirPathError(f"The criterion of iif() is a Boolean, not {' or '.join(sorted(criterion.types))}.")
        return _union(branches)

    def typed(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        """The argument names a type, which compiling has looked up."""
        argument = tree.arguments[0]
        if tree.name == "is" or not isinstance(argument, Member):
            return BOOLEAN if tree.name == "is" else ANY
        return Kinds(frozenset({argument.name}), items.is_ordered)

    def united(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        return _union([items, self.of(tree.arguments[0], this, this)])

    def aggregated(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        self.of(tree.arguments[0], items, items)
        return ANY

    def unordered(self, tree: Call, items: Kinds, this: Kinds) -> Kinds:
        return replace(ANY, is_ordered=False)


def _ancestors(name: str) -> Iterable[str]:
    return fhir_type(name).ancestors if is_fhir_type(name) else ()


def _may_be_text(name: str) -> bool:
    return name == "System.String" or (is_primitive(name) and not NOT_TEXT & set(_ancestors(name)))


def _child(type: str, name: str) -> Kinds | None:
    """Types of an element; ANY where it takes any resource; None where there is no such element."""
    if type.startswith("System.") or not is_fhir_type(type):
        return None
    if is_primitive(type):
        return {"extension": kinds("Extension"), "id": kinds("string")}.get(name)
    element = structure(type).elements.get(name)
    if element is None:
        return ANY if type in ("Resource", "DomainResource") else None
    return ANY if {"Resource", "DomainResource"} & set(element.types) else kinds(*element.keys.values())


def _union(sides: list[Kinds]) -> Kinds:
    known = [side.types for side in sides if side.types is not None]
    return Kinds(frozenset().union(*known), all(side.is_ordered for side in sides)) if len(known) == len(sides) else ANY


def _result(name: str, items: Kinds) -> Kinds:
    if name in BOOLEAN_RESULTS:
        return BOOLEAN
    if name in INPUT_RESULTS:
        return items
    return kinds(RESULTS[name]) if name in RESULTS else ANY


CHECKS: dict[type, Callable[[_Checker, Any, Kinds, Kinds], Kinds]] = {
    Literal: _Checker.literal,
    Empty: _Checker.nothing,
    Special: _Checker.special,
    External: _Checker.external,
    Member: _Checker.head,
    Call: _Checker.call,
    Index: _Checker.index,
    Path: _Checker.path,
    Sign: _Checker.sign,
    Operation: _Checker.operation,
    TypeTest: _Checker.type_test,
}
CALLS: dict[str, Callable[[_Checker, Call, Kinds, Kinds], Kinds]] = {
    **dict.fromkeys(("where", "select", "all", "exists", "trace", "sort"), _Checker.projected),
    **dict.fromkeys(("as", "ofType", "is"), _Checker.typed),
    **dict.fromkeys(("union", "combine"), _Checker.united),
    **dict.fromkeys(("children", "descendants"), _Checker.unordered),
    "repeat": _Checker.repeated,
    "iif": _Checker.conditional,
    "aggregate": _Checker.aggregated,
}
