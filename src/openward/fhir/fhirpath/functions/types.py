"""What type is it? https://hl7.org/fhirpath/N1/#types-and-reflection"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from openward.fhir.fhirpath.context import Context
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.functions.registry import function
from openward.fhir.fhirpath.model import UNTYPED, Items, is_fhir_type
from openward.fhir.fhirpath.values import system, system_name

SYSTEM = frozenset({"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"})
Test = Callable[[Any], bool]


@lru_cache(1024)
def tests(name: str) -> tuple[Test, Test]:
    """Of a type name: the test that `is` makes, which takes what derives from the type too, and the one of `as` and `ofType`, which for
    a primitive does not. Raises FhirPathError where no such type exists."""
    space, _, own = name.rpartition(".")
    if space == "System":
        return (_of_system(own),) * 2
    if space not in ("", "FHIR"):
        raise FhirPathError(f"There is no type {name[:80]}.")
    is_system = not space and own in SYSTEM
    if not is_system and not is_fhir_type(own):
        raise FhirPathError(f"There is no type {name[:80]}.")
    if not is_system:
        return _of_fhir(own), _of_fhir_exactly(own)
    if not is_fhir_type(own):
        return (_of_system(own),) * 2
    return (lambda item: _of_system(own)(item) or _of_fhir(own)(item)), (lambda item: _of_system(own)(item) or _of_fhir_exactly(own)(item))


def _of_system(name: str) -> Test:
    if name == "Any":
        return lambda item: True

    def test(item: Any) -> bool:
        if item.__class__ is tuple:
            return item[1] is UNTYPED and system_name(system(item)) == name
        return system_name(item) == name

    return test


def _of_fhir(name: str) -> Test:
    return lambda item: item.__class__ is tuple and name in item[1].ancestors


def _of_fhir_exactly(name: str) -> Test:
    def test(item: Any) -> bool:
        if item.__class__ is not tuple:
            return False
        return item[1].name == name if item[1].is_primitive else name in item[1].ancestors

    return test


@function("is", 1, kind="type")
def is_(items: Items, context: Context, name: str) -> Items:
    if len(items) > 1:
        raise FhirPathError(f"is() takes one item, not {len(items)}.")
    return [tests(name)[0](items[0])] if items else []


@function("as", 1, kind="type")
def as_(items: Items, context: Context, name: str) -> Items:
    test = tests(name)[1]
    if len(items) > 1:
        raise FhirPathError(f"as() takes one item, not {len(items)}.")
    return [item for item in items if test(item)]


@function("ofType", 1, kind="type")
def of_type(items: Items, context: Context, name: str) -> Items:
    test = tests(name)[1]
    return [item for item in items if test(item)]


@function("type")
def type_(items: Items, context: Context) -> Items:
    return [_info(item) for item in items]


def _info(item: Any) -> Any:
    if item.__class__ is tuple and item[1] is not UNTYPED:
        said = {"namespace": "FHIR", "name": item[1].said}
    else:
        said = {"namespace": "System", "name": system_name(system(item)) or "Any"}
    return (said, UNTYPED, None, None, None, None)
