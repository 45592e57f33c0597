"""The elements of a value by the names GraphQL gives them: their JSON keys, `_` before a primitive's extensions, or the stem of a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import is_primitive, structure
from openward.fhir.fhirpath import FhirPathError
from openward.fhir.fhirpath import compile as compile_path
from openward.fhir.graphql.query import Asked, QueryError

NAVIGATION = frozenset({"fhirpath", "_offset", "_count"})


@dataclass(frozen=True, slots=True)
class Values:
    """What one field leads to: values of `datatype`, and whether there may be several."""

    datatype: str
    values: Sequence[Any]
    is_many: bool

    @property
    def is_leaf(self) -> bool:
        return is_primitive(self.datatype)


def values_of(value: Mapping[str, Any], type: str, asked: Asked) -> Values:
    """Raises QueryError for a name the type has not, for arguments of a primitive, and for a selection that does not fit."""
    found = _found(value, type, asked.name)
    if found.is_leaf and asked.arguments:
        raise QueryError(f"{asked.name} is a primitive and takes no arguments.")
    if found.is_leaf == bool(asked.below):
        raise QueryError(
            f"{asked.name} is a primitive; nothing is selected of it." if found.is_leaf else f"What of {asked.name}? Select some of its fields."
        )
    return narrowed(found, asked, value) if asked.arguments else found


def _found(value: Mapping[str, Any], type: str, name: str) -> Values:
    keys = structure(type).by_key
    if name in keys:
        element, datatype = keys[name]
        return Values(datatype, _listed(value.get(name)), element.is_many)
    bare = name.removeprefix("_")
    if name != bare and bare in keys and is_primitive(keys[bare][1]):
        return Values("Element", _listed(value.get(name)), keys[bare][0].is_many)
    choice = structure(type).elements.get(name)
    if choice is None:
        raise QueryError(f"{type} has no field {name}.")
    key, datatype = next(((key, datatype) for key, datatype in choice.keys.items() if key in value), (name, "Element"))
    return Values(datatype, _listed(value.get(key)), choice.is_many)


def _listed(value: Any) -> Sequence[Any]:
    found = value if isinstance(value, list) else [value]
    return [one for one in found if one is not None]


def narrowed(found: Values, asked: Asked, holder: Mapping[str, Any]) -> Values:
    """By `fhirpath`, by the value of a sub-element, and by `_offset` and `_count`, in this order."""
    kept = list(found.values)
    for name, wanted in asked.arguments.items():
        if name not in NAVIGATION:
            _check_field(found.datatype, name)
            kept = [one for one in kept if _says(one, name, wanted)]
    path = asked.arguments.get("fhirpath")
    if path is not None:
        kept = [one for index, one in enumerate(kept) if holds(path, one, found.datatype, index)]
    offset, count = (_number(asked.arguments.get(name), name) for name in ("_offset", "_count"))
    return Values(found.datatype, kept[offset or 0 :][:count], found.is_many)


def _check_field(datatype: str, name: str) -> None:
    if name not in structure(datatype).by_key:
        raise QueryError(f"{datatype} has no field {name} to select by.")


def _says(value: Any, name: str, wanted: Any) -> bool:
    return any(text_of(found) == text_of(wanted) for found in _listed(value.get(name)))


def _number(value: Any, name: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise QueryError(f"{name} is a whole number from 0.")


def text_of(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def holds(path: Any, value: Any, datatype: str, index: int) -> bool:
    return evaluated(path, value, datatype, index) == [True]


def evaluated(path: Any, value: Any, datatype: str, index: int) -> list[Any]:
    """A FHIRPath about one element, `$index` being its place in the list. Raises QueryError."""
    if not isinstance(path, str):
        raise QueryError("fhirpath is a text.")
    if path.strip() == "$index":
        return [index]
    try:
        return list(compile_path(path.replace("$index", str(index)))(value, type=datatype))
    except FhirPathError as error:
        raise QueryError(f"fhirpath: {error}") from error
