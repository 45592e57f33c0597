"""What an item is worth: FHIR primitives as FHIRPath's own values, truth of a collection, one value where one is wanted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.model import UNTYPED, Items, Node
from openward.fhir.fhirpath.moments import Kind, Moment, read
from openward.fhir.fhirpath.quantity import UCUM, Quantity

MOMENTS: dict[str, Kind] = {"date": "Date", "dateTime": "DateTime", "instant": "DateTime", "time": "Time"}
SYSTEM_NAMES: dict[type, str] = {bool: "Boolean", int: "Integer", Decimal: "Decimal", str: "String", Quantity: "Quantity"}
CALENDAR_UNITS = {"a": "year", "mo": "month"}


def system(item: Any) -> Any:
    """A primitive or Quantity node as the value FHIRPath computes with; another node as it is; None for a primitive without a value."""
    if item.__class__ is not tuple:
        return item
    value, type = item[0], item[1]
    if type.is_primitive:
        kind = MOMENTS.get(type.name)
        if kind is not None and value.__class__ is str:
            return read(kind, value) or value
        return _number(value, type.name) if value.__class__ is int else value
    if type.is_quantity:
        return _quantity(item)
    return value if type is UNTYPED and value.__class__ is not dict else item


def _number(value: int, type: str) -> int | Decimal:
    return Decimal(value) if type == "decimal" else value


def _quantity(node: Node) -> Any:
    """A FHIR Quantity with a comparator is a range, so no amount. https://hl7.org/fhir/R4/fhirpath.html#quantity"""
    data = node[0]
    value = data.get("value")
    if value.__class__ not in (int, Decimal) or "comparator" in data:
        return node
    code, where = data.get("code"), data.get("system")
    if where == UCUM and code in CALENDAR_UNITS:
        return Quantity(Decimal(value), CALENDAR_UNITS[code], is_calendar=True)
    if where == UCUM and code:
        return Quantity(Decimal(value), code)
    if where is None or code is None:
        return Quantity(Decimal(value), data.get("unit") or "1", foreign="unit" if data.get("unit") else None)
    return Quantity(Decimal(value), code, foreign=where)


def system_name(value: Any) -> str | None:
    """`Boolean`, `Integer` …; None for what is no value of FHIRPath's own types."""
    return value.kind if value.__class__ is Moment else SYSTEM_NAMES.get(value.__class__)


def single(items: Items, what: str) -> Any:
    """The one value there is, None where there is none. Raises FhirPathError for more."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} takes one item, not {len(items)}.")
    return system(items[0])


def truth(items: Items, what: str = "A condition") -> bool | None:
    """Boolean of a collection: a single item that is no boolean counts as true. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections"""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} takes one item, not {len(items)}.")
    value = items[0]
    if value is True or value is False:
        return bool(value)
    value = system(value)
    return value if value.__class__ is bool else True


def text(items: Items, what: str) -> str | None:
    """The one string. Raises FhirPathError for anything else."""
    value = single(items, what)
    if value is None or value.__class__ is str:
        return value
    raise FhirPathError(f"{what} takes a string, not {describe(value)}.")


def whole(items: Items, what: str) -> int | None:
    value = single(items, what)
    if value is None or value.__class__ is int:
        return value
    raise FhirPathError(f"{what} takes an integer, not {describe(value)}.")


def number(items: Items, what: str) -> int | Decimal | None:
    value = single(items, what)
    if value is None or value.__class__ is int or value.__class__ is Decimal:
        return value
    raise FhirPathError(f"{what} takes a number, not {describe(value)}.")


def describe(value: Any) -> str:
    if value.__class__ is tuple:
        return f"a {value[1].said or 'JSON value'}"
    name = system_name(value)
    return f"{'an' if name == 'Integer' else 'a'} {name}" if name else "nothing"


def plain(item: Any) -> Any:
    """An item as JSON would carry it: a node's own value, a moment's text, a Quantity resource object."""
    if item.__class__ is tuple:
        return item[0]
    if item.__class__ is Moment:
        return str(item)
    return item.to_fhir() if item.__class__ is Quantity else item
