"""The values of an element as JSON carries them: choices by their stem, primitives with what stands beside them under `_`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from openward.fhir.definitions import Element, has_structure, is_primitive


class Value(NamedTuple):
    """`nth` counts from 0; None: the element does not repeat. `twin` holds the id and extensions of a primitive. `type` is a data or resource type."""

    nth: int | None
    value: Any
    twin: Any
    type: str

    @property
    def data(self) -> dict[str, Any]:
        """The object its children stand in."""
        if self.value.__class__ is dict:
            return self.value
        return self.twin if self.twin.__class__ is dict else {}


Collect = Callable[[dict[str, Any]], list[Value]]


def collector(element: Element) -> Collect:
    """A function from an object to the values of `element` in it. What has the wrong shape is left to the base validation."""
    if element.is_choice:
        return _choices(element)
    type = element.types[0]
    if is_primitive(type):
        return _primitives(element.name, type) if element.is_many else _primitive(element.name, type)
    return _objects(element.name, type) if element.is_many else _object(element.name, type)


def _choices(element: Element) -> Collect:
    keys = [(key, "_" + key, type) for key, type in element.keys.items()]

    def collect(data: dict[str, Any]) -> list[Value]:
        return [Value(None, data.get(key), data.get(twin), type) for key, twin, type in keys if key in data or twin in data]

    return collect


def _primitive(name: str, type: str) -> Collect:
    beside = "_" + name

    def collect(data: dict[str, Any]) -> list[Value]:
        value, twin = data.get(name), data.get(beside)
        return [] if value is None and twin is None else [Value(None, value, twin, type)]

    return collect


def _primitives(name: str, type: str) -> Collect:
    beside = "_" + name

    def collect(data: dict[str, Any]) -> list[Value]:
        values, twins = data.get(name), data.get(beside)
        values = values if isinstance(values, list) else []
        twins = twins if isinstance(twins, list) else []
        length = max(len(values), len(twins))
        padded = zip(values + [None] * (length - len(values)), twins + [None] * (length - len(twins)), strict=True)
        return [Value(index, value, twin, type) for index, (value, twin) in enumerate(padded)]

    return collect


def _object(name: str, type: str) -> Collect:
    def collect(data: dict[str, Any]) -> list[Value]:
        value = data.get(name)
        return [Value(None, value, None, type_of(value, type))] if isinstance(value, dict) else []

    return collect


def _objects(name: str, type: str) -> Collect:
    def collect(data: dict[str, Any]) -> list[Value]:
        values = data.get(name)
        if not isinstance(values, list):
            return []
        return [Value(index, value, None, type_of(value, type)) for index, value in enumerate(values) if isinstance(value, dict)]

    return collect


def type_of(value: dict[str, Any], type: str) -> str:
    """The type declared, or for a whole resource inside another its own."""
    if type != "Resource":
        return type
    own = value.get("resourceType")
    return own if isinstance(own, str) and has_structure(own) else type
