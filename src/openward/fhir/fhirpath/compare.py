"""Equality, equivalence and order. https://hl7.org/fhirpath/N1/#equality"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from openward.fhir.fhirpath import moments, quantity
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import Moment
from openward.fhir.fhirpath.quantity import Quantity
from openward.fhir.fhirpath.values import describe, system

NUMBERS = (int, Decimal)


def equal_items(left: Any, right: Any) -> bool | None:
    """Are two items equal? None where precision or units leave it open."""
    a, b = system(left), system(right)
    kind, other = a.__class__, b.__class__
    if kind is other and kind in (str, bool, int, Decimal):
        return bool(a == b)
    if a is None or b is None:
        return a is b and _extra(left) == _extra(right)
    if kind in NUMBERS and other in NUMBERS:
        return bool(a == b)
    if kind is Moment or other is Moment:
        return _equal_moments(a, b)
    if kind is Quantity or other is Quantity:
        return _equal_quantities(a, b)
    if kind is tuple and other is tuple:
        return bool(a[0] == b[0])
    return False


def _extra(item: Any) -> Any:
    return item[2] if item.__class__ is tuple else None


def _equal_moments(left: Any, right: Any) -> bool | None:
    if left.__class__ is not Moment or right.__class__ is not Moment or (left.kind == "Time") != (right.kind == "Time"):
        return False
    order = moments.compare(left, right)
    return None if order is None else order == 0


def _as_quantity(value: Any) -> Any:
    return Quantity(Decimal(value), "1") if value.__class__ in NUMBERS else value


def _equal_quantities(left: Any, right: Any) -> bool | None:
    left, right = _as_quantity(left), _as_quantity(right)
    if left.__class__ is not Quantity or right.__class__ is not Quantity:
        return False
    if quantity.is_of_calendar_and_clock(left, right):
        return None
    order = quantity.compare(left, right)
    return False if order is None else order == 0


def equal(left: Items, right: Items) -> bool | None:
    """Are two collections equal, item by item in order? None where either is empty or it cannot be told."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    is_open = False
    for one, other in zip(left, right, strict=True):
        same = equal_items(one, other)
        if same is False:
            return False
        is_open = is_open or same is None
    return None if is_open else True


def equivalent_items(left: Any, right: Any) -> bool:
    a, b = system(left), system(right)
    if a.__class__ is str and b.__class__ is str:
        return _folded(a) == _folded(b)
    if a.__class__ in NUMBERS and b.__class__ in NUMBERS:
        return _roughly_equal(Decimal(a), Decimal(b))
    if a.__class__ is Quantity or b.__class__ is Quantity:
        return _equivalent_quantities(_as_quantity(a), _as_quantity(b))
    if a.__class__ is tuple and b.__class__ is tuple:
        return _equivalent_json(a[0], b[0])
    return equal_items(left, right) is True


def _folded(value: str) -> str:
    return " ".join(value.split()).casefold()


def _roughly_equal(left: Decimal, right: Decimal) -> bool:
    """Equal once both are rounded to the fewer decimal places."""
    places = min(_places(left), _places(right))
    return _rounded(left, places) == _rounded(right, places)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent if value else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _rounded(value: Decimal, places: int) -> Decimal:
    with localcontext() as context:
        context.prec = 200
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if abs(value.adjusted()) < 150 else value


def _equivalent_quantities(left: Any, right: Any) -> bool:
    if left.__class__ is not Quantity or right.__class__ is not Quantity:
        return False
    left, right = quantity.about(left), quantity.about(right)
    one, other = quantity.comparable(left), quantity.comparable(right)
    if one is None or other is None or one[1] != other[1]:
        return False
    if left.unit == right.unit:
        return _roughly_equal(left.value, right.value)
    coarse, fine = (left, right) if _unit_size(left) >= _unit_size(right) else (right, left)
    in_coarse = fine.value * (_unit_size(fine) / _unit_size(coarse) if _unit_size(coarse) else 1)
    return one[0] == other[0] or _roughly_equal(coarse.value, in_coarse)


def _unit_size(amount: Quantity) -> Decimal:
    found = quantity.comparable(Quantity(Decimal(1), amount.unit))
    return Decimal(found[0].numerator) / Decimal(found[0].denominator) if found else Decimal(1)


def _equivalent_json(left: Any, right: Any) -> bool:
    if left is right:
        return True
    if left.__class__ is dict and right.__class__ is dict:
        names = (left.keys() | right.keys()) - {"id"}
        return all(name in left and name in right and _equivalent_json(left[name], right[name]) for name in names)
    if left.__class__ is list and right.__class__ is list:
        return equivalent(left, right)
    if left.__class__ in (dict, list) or right.__class__ in (dict, list):
        return False
    return equivalent_items(left, right)


def equivalent(left: Items, right: Items) -> bool:
    """Do two collections hold the same, whatever the order?"""
    if len(left) != len(right):
        return False
    rest = list(right)
    for one in left:
        for place, other in enumerate(rest):
            if _equivalent_json(one, other) if one.__class__ is dict else equivalent_items(one, other):
                del rest[place]
                break
        else:
            return False
    return True


def order(left: Any, right: Any) -> int | None:
    """-1, 0 or 1 of two values; None where it cannot be told. Raises FhirPathError for values that have no order between them."""
    a, b = system(left), system(right)
    if a is None or b is None:
        return None
    kind, other = a.__class__, b.__class__
    if (kind in NUMBERS and other in NUMBERS) or kind is other is str:
        return int(a > b) - int(a < b)
    if kind is other is Moment:
        if (a.kind == "Time") == (b.kind == "Time"):
            return moments.compare(a, b)
    elif Quantity in (kind, other):
        a, b = _as_quantity(a), _as_quantity(b)
        if a.__class__ is b.__class__:
            return quantity.compare(a, b)
    raise FhirPathError(f"{describe(a)} and {describe(b)} have no order.".capitalize())


def key(item: Any) -> tuple[Any, ...]:
    """Hashes alike for items that are equal: what sets of items are kept by."""
    value = system(item)
    kind = value.__class__
    if kind is str:
        return ("s", value)
    if kind is bool:
        return ("b", value)
    if kind in NUMBERS:
        return ("n", value)
    if kind is Moment:
        return value.key
    if kind is Quantity:
        return ("q", quantity.comparable(value) or (value.value, value.unit))
    if value is None:
        return ("x", _frozen(_extra(item)))
    return ("j", _frozen(value[0]))


def _frozen(value: Any) -> Any:
    if value.__class__ is dict:
        return frozenset((name, _frozen(one)) for name, one in value.items())
    if value.__class__ is list:
        return tuple(_frozen(one) for one in value)
    return ("b", value) if value.__class__ is bool else value


def size(item: Any) -> int:
    """How many JSON values an item is made of: what looking into it costs."""
    many = 0
    rest = [item[0] if item.__class__ is tuple else item]
    while rest:
        value = rest.pop()
        many += 1
        if value.__class__ is dict:
            rest += value.values()
        elif value.__class__ is list:
            rest += value
    return many


def unique(items: Iterable[Any], key: Callable[[Any], tuple[Any, ...]]) -> Items:
    """The first of each that are equal, in order."""
    found: dict[tuple[Any, ...], Any] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())
