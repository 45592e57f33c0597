"""The answer in the making. A field may be written to more than once: what is flattened out of several elements is collected in one list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from openward.fhir.graphql.query import QueryError


@dataclass(slots=True)
class Slot:
    name: str
    is_list: bool
    values: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> None:
        if self.values and not self.is_list:
            raise QueryError(f"{self.name} has more than one value; without @singleton it would be a list.")
        self.values.append(value)


@dataclass(slots=True)
class Target:
    """One object of the output."""

    slots: dict[str, Slot] = field(default_factory=dict)

    def slot(self, name: str, *, is_list: bool) -> Slot:
        return self.slots.setdefault(name, Slot(name, is_list))

    def put(self, name: str, value: Any) -> None:
        self.slots[name] = Slot(name, False, [value])

    def json(self) -> dict[str, Any]:
        return {slot.name: _list(slot.values) if slot.is_list else _json(slot.values[0]) for slot in self.slots.values() if slot.values}


def _list(values: list[Any]) -> list[Any]:
    return [_json(value) for value in values]


def _json(value: Any) -> Any:
    return value.json() if isinstance(value, Target) else _list(value) if isinstance(value, list) else value
