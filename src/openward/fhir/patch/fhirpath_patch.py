"""FHIRPath Patch: Parameters that say what to add, insert, delete, replace and move. https://hl7.org/fhir/R4/fhirpatch.html"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import is_primitive
from openward.fhir.errors import BadRequest, Malformed
from openward.fhir.fhirpath import compile
from openward.fhir.json import MAX_DEPTH
from openward.fhir.patch.elements import Given, Spot, given, place_of, put, taken_apart, together
from openward.fhir.patch.failure import PatchFailed
from openward.fhir.patch.json_patch import MAX_OPERATIONS

MAX_PATH = 1000
STEPS = 100_000  # that one path may take
NAMES = ("type", "path", "name", "value", "index", "source", "destination")


@dataclass(frozen=True, slots=True)
class Operation:
    """One `operation` parameter. `value` is its part of that name, as it came."""

    type: str
    path: str
    name: str | None
    value: Mapping[str, Any] | None
    index: int | None
    source: int | None
    destination: int | None


def operations_of(parameters: Mapping[str, Any]) -> list[Operation]:
    """Raises Malformed for what is no FHIRPath Patch."""
    found = parameters.get("parameter", [])
    if not isinstance(found, list) or any(not isinstance(one, dict) or one.get("name") != "operation" for one in found):
        raise Malformed("A FHIRPath Patch is Parameters whose every parameter is an `operation`.")
    if len(found) > MAX_OPERATIONS:
        raise Malformed(f"A patch has at most {MAX_OPERATIONS:,} operations.")
    return [_operation(number, one.get("part", [])) for number, one in enumerate(found)]


def apply(resource: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    """`resource`, changed in place. Raises Malformed, PatchFailed."""
    for number, operation in enumerate(operations):
        try:
            OPERATIONS[operation.type](resource, operation)
        except (PatchFailed, BadRequest) as error:
            kind = PatchFailed if isinstance(error, PatchFailed) else Malformed
            raise kind(f"Operation {number} of the patch, {operation.type} at {operation.path[:200]}: {str(error).rstrip('.')}.") from error
    return resource


def _operation(number: int, parts: Any) -> Operation:
    if not isinstance(parts, list) or any(not isinstance(part, dict) or part.get("name") not in NAMES for part in parts):
        raise Malformed(f"Operation {number} of the patch has a part that is none of {', '.join(NAMES)}.")
    named = {part["name"]: part for part in parts}
    if len(named) != len(parts):
        raise Malformed(f"Operation {number} of the patch has the same part twice.")
    type, path = _text(named.get("type")), _text(named.get("path"))
    if type is None or type not in OPERATIONS or not path or len(path) > MAX_PATH:
        raise Malformed(f"Operation {number} of the patch needs a type ({', '.join(OPERATIONS)}) and a path.")
    numbers = (_number(named.get(name)) for name in ("index", "source", "destination"))
    return Operation(type, path, _text(named.get("name")), named.get("value"), *numbers)


def _text(part: Mapping[str, Any] | None) -> str | None:
    values = [value for key, value in (part or {}).items() if key.startswith("value")]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _number(part: Mapping[str, Any] | None) -> int | None:
    values = [value for key, value in (part or {}).items() if key.startswith("value")]
    return values[0] if len(values) == 1 and type(values[0]) is int and values[0] >= 0 else None


def _nodes(resource: Mapping[str, Any], path: str) -> list[Spot]:
    """The elements a path names, each with its place. Raises FhirPathError; PatchFailed for what is no element."""
    found = [place_of(item) for item in compile(path).items(resource, budget=STEPS)]
    if any(spot is None for spot in found):
        raise PatchFailed("the path names what is no element of the resource")
    return [spot for spot in found if spot is not None]


def _one(resource: Mapping[str, Any], path: str) -> Spot:
    found = _nodes(resource, path)
    if len(found) != 1:
        raise PatchFailed(f"the path names {len(found)} elements, not one" if found else "the path names nothing")
    return found[0]


def _given(operation: Operation, parent: Spot, name: str) -> Given:
    if operation.value is None:
        raise Malformed("the value is missing")
    if parent.depth > MAX_DEPTH:
        raise PatchFailed(f"it stands more than {MAX_DEPTH} levels deep")
    return given(operation.value, parent.type, name)


def _add(resource: dict[str, Any], operation: Operation) -> None:
    if not operation.name:
        raise Malformed("the name is missing")
    spot = _one(resource, operation.path)
    holder = spot.value
    if not isinstance(holder, dict) and is_primitive(spot.type):
        holder = spot.beside()
    elif not isinstance(holder, dict):
        raise PatchFailed("nothing can be added to it")
    put(holder, _given(operation, spot, operation.name))


def _insert(resource: dict[str, Any], operation: Operation) -> None:
    if operation.index is None:
        raise Malformed("the index is missing")
    parent, name, length = _collection(resource, operation.path)
    value = _given(operation, parent, name)
    if not value.is_many or operation.index > length:
        raise PatchFailed(f"there is no place {operation.index} in a list of {length}")
    values, twins = taken_apart(parent.value, value.key)
    values.insert(operation.index, value.value)
    twins.insert(operation.index, value.twin)
    together(parent.value, value.key, values, twins)


def _delete(resource: dict[str, Any], operation: Operation) -> None:
    """What is not there needs no deleting."""
    found = _nodes(resource, operation.path)
    if len(found) > 1:
        raise PatchFailed(f"the path names {len(found)} elements, not one")
    if found:
        _parent(found[0]).remove(found[0])


def _replace(resource: dict[str, Any], operation: Operation) -> None:
    spot = _one(resource, operation.path)
    parent = _parent(spot)
    value = _given(operation, parent, spot.name)
    if spot.index is None:
        parent.remove(spot)
        put(parent.value, value)
        return
    values, twins = taken_apart(parent.value, spot.key)
    values[spot.index], twins[spot.index] = value.value, value.twin
    together(parent.value, spot.key, values, twins)


def _move(resource: dict[str, Any], operation: Operation) -> None:
    if operation.source is None or operation.destination is None:
        raise Malformed("the source or the destination is missing")
    parent, name, length = _collection(resource, operation.path)
    if max(operation.source, operation.destination) >= length:
        raise PatchFailed(f"there is no such place in a list of {length}")
    lists = taken_apart(parent.value, name)
    for values in lists:
        values.insert(operation.destination, values.pop(operation.source))
    together(parent.value, name, *lists)


OPERATIONS: Mapping[str, Callable[[dict[str, Any], Operation], None]] = {
    "add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move,
}  # fmt: skip


def _parent(spot: Spot) -> Spot:
    if spot.parent is None or not isinstance(spot.parent.value, dict):
        raise PatchFailed("it cannot be taken from where it stands")
    return spot.parent


def _collection(resource: Mapping[str, Any], path: str) -> tuple[Spot, str, int]:
    """The element that holds the list a path names, the list's name and its length; a list may be empty yet."""
    found = _nodes(resource, path)
    if not found:
        head, _, name = path.rpartition(".")
        return _one(resource, head), name.strip(), 0
    first = found[0]
    parent = _parent(first)
    if first.index is None or any(spot.index != index or spot.parent_value is not parent.value for index, spot in enumerate(found)):
        raise PatchFailed("the path does not name one whole list")
    if len(found) != len(taken_apart(parent.value, first.key)[0]):
        raise PatchFailed("the path does not name one whole list")
    return parent, first.key, len(found)
