"""Descriptors: how an element is read from and written to a view's dictionary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from openward.fhir.definitions import is_primitive
from openward.fhir.errors import UnknownType
from openward.fhir.resources.lists import LiveList
from openward.fhir.resources.view import View

NUMBERS = {"integer", "positiveInt", "unsignedInt"}
MOMENTS = {"dateTime", "instant"}
ANY_RESOURCE = {"Resource", "DomainResource"}


class Field:
    """An element of a view. `key` is its JSON key."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


class One(Field):
    """An element that stands at most once: its value, or None. Setting None takes it out; `siblings` are a choice's other keys."""

    __slots__ = ("read", "siblings", "type", "write")

    def __init__(self, key: str, type: str, siblings: tuple[str, ...] = ()) -> None:
        super().__init__(key)
        self.type = type
        self.siblings = tuple(sibling for sibling in siblings if sibling != key)
        self.read = reader(type)
        self.write = writer(type)

    def __get__(self, view: View | None, owner: type | None = None) -> Any:
        if view is None:
            return self
        value = view.data.get(self.key)
        return value if value is None or self.read is None else self.read(value)

    def __set__(self, view: View, value: Any) -> None:
        if value is None:
            view.data.pop(self.key, None)
            return
        plain = self.write(value)
        for sibling in self.siblings:
            view.data.pop(sibling, None)
            view.data.pop("_" + sibling, None)
        view.data[self.key] = plain


class Many(Field):
    """An element that may repeat: a live list, empty when absent."""

    __slots__ = ("read", "write")

    def __init__(self, key: str, type: str) -> None:
        super().__init__(key)
        self.read = reader(type)
        self.write = writer(type)

    def __get__(self, view: View | None, owner: type | None = None) -> Any:
        return self if view is None else LiveList(view.data, self.key, self.read, self.write)

    def __set__(self, view: View, values: Iterable[Any] | None) -> None:
        if isinstance(values, (str, View, dict)):
            raise TypeError(f"{self.key} takes a list")
        plain = [self.write(value) for value in values or ()]
        if plain:
            view.data[self.key] = plain
        else:
            view.data.pop(self.key, None)


class Choice(Field):
    """`value[x]` as one attribute: whichever type is there, or None. Written by the value's type where that leaves no doubt."""

    __slots__ = ("options",)

    def __init__(self, key: str, options: tuple[One, ...]) -> None:
        super().__init__(key)
        self.options = options

    def __get__(self, view: View | None, owner: type | None = None) -> Any:
        if view is None:
            return self
        present = self._present(view)
        return present.__get__(view) if present else None

    def __set__(self, view: View, value: Any) -> None:
        option = self._present(view) if value is None else self._option(view, value)
        if option:
            option.__set__(view, value)

    def _present(self, view: View) -> One | None:
        return next((option for option in self.options if option.key in view.data), None)

    def _option(self, view: View, value: Any) -> One:
        fitting = [option for option in self.options if _fits(option, value)]
        kept = [option for option in fitting if option.key in view.data]
        if len(kept or fitting) == 1:
            return (kept or fitting)[0]
        if not fitting:
            raise TypeError(f"{self.key} does not take a {type(value).__name__}")
        raise TypeError(f"say which: {' or '.join(option.key for option in fitting)}")


def _fits(option: One, value: Any) -> bool:
    if isinstance(value, View):
        return bool(option.type == value.TYPE)
    try:
        option.write(value)
    except (TypeError, ValueError):
        return False
    return not (isinstance(value, int) and option.type == "decimal")


def reader(type: str) -> Callable[[Any], Any] | None:
    """How a JSON value of `type` becomes what the attribute gives; None when it is that already."""
    if type == "decimal":
        return _as_decimal
    if is_primitive(type):
        return None
    return _resource if type in ANY_RESOURCE else _opener(type)


def writer(type: str) -> Callable[[Any], Any]:
    """How what is set becomes a JSON value; raises TypeError for what the element cannot hold."""
    if not is_primitive(type):
        return lambda value: _view_data(value, type)
    if type == "boolean":
        return lambda value: _exactly(value, (bool,), type)
    if type in NUMBERS:
        return lambda value: _exactly(value, (int,), type)
    if type == "decimal":
        return lambda value: _exactly(value, (Decimal, int), type)
    if type in MOMENTS:
        return lambda value: _moment(value, type)
    return lambda value: value.isoformat() if _is_iso(value, type) else _exactly(value, (str,), type)


def view(name: str, data: dict[str, Any]) -> Any:
    """A view of type `name` over `data`; of a resource, the class its own `resourceType` names."""
    return (_resource if name in ANY_RESOURCE else _opener(name))(data)


@cache
def _opener(name: str) -> Callable[[Any], Any]:
    """Views of one type. Its class is made when the first is wanted: the classes refer to each other."""

    @cache
    def made() -> type[View]:
        from openward.fhir.resources.making import view_of

        return view_of(name)

    return lambda data: made().over(data)


def _resource(data: dict[str, Any]) -> Any:
    """A view of the class that the resource itself names."""
    named = data.get("resourceType")
    try:
        return _class_of(named).over(data)
    except (KeyError, TypeError):
        raise UnknownType(type=named) from None


@cache
def _class_of(name: Any) -> type[View]:
    from openward.fhir.resources.making import view_of

    return view_of(name)


def _view_data(value: Any, type: str) -> dict[str, Any]:
    from openward.fhir.resources.making import view_of

    if not isinstance(value, view_of(type)):
        raise TypeError(f"takes a {type}, not a {value.__class__.__name__}")
    data: dict[str, Any] = value.data
    return data


def _as_decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _exactly(value: Any, types: tuple[type, ...], name: str) -> Any:
    if isinstance(value, types) and isinstance(value, bool) == (types == (bool,)):
        return str(value) if isinstance(value, str) else value
    raise TypeError(f"{name} is {' or '.join(t.__name__ for t in types)}, not {type(value).__name__}")


def _is_iso(value: Any, type: str) -> bool:
    return (type == "date" and isinstance(value, dt.date) and not isinstance(value, dt.datetime)) or (type == "time" and isinstance(value, dt.time))


def _moment(value: Any, type: str) -> str:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{type} needs a time zone")
        return value.isoformat()
    if type == "dateTime" and isinstance(value, dt.date):
        return value.isoformat()
    return str(_exactly(value, (str,), type))
