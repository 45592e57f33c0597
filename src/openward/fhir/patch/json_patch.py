"""JSON Patch on parsed JSON. https://www.rfc-editor.org/rfc/rfc6902

A pointer (https://www.rfc-editor.org/rfc/rfc6901) is read once; every operation works on the document in place, and a patch that fails
leaves nothing behind because the caller gave a copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any, NamedTuple

from openward.fhir.errors import Malformed
from openward.fhir.json import MAX_DEPTH
from openward.fhir.patch.failure import PatchFailed

MAX_OPERATIONS = 1000
# `copy` could double a document again and again, and `move` pile it up; what a whole patch copies and moves is counted in values.
MAX_COPIED = 100_000
INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
BAD_ESCAPE = re.compile(r"~(?![01])")


class Spot(NamedTuple):
    """A place in the document: the object or array it is in and the name or index there; `holder` None is the whole document."""

    holder: Any
    name: Any


def apply(document: Any, operations: Any) -> Any:
    """`document` changed in place, or what took its place. Raises Malformed for what is no patch, PatchFailed for what cannot be done."""
    if not isinstance(operations, list):
        raise Malformed("A JSON Patch is an array of operations.")
    if len(operations) > MAX_OPERATIONS:
        raise Malformed(f"A patch has at most {MAX_OPERATIONS:,} operations.")
    copied = 0
    for number, operation in enumerate(operations):
        try:
            if isinstance(operation, dict) and operation.get("op") in ("copy", "move"):
                copied += _extent(_get(document, _pointer(operation, "from")))
                if copied > MAX_COPIED:
                    raise PatchFailed("the patch copies and moves too much")
            document = _step(document, operation)
        except (PatchFailed, Malformed) as error:
            raise type(error)(f"Operation {number} of the patch: {str(error).rstrip('.')}.") from error
    return document


def _step(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict):
        raise Malformed("is not an object")
    carry = OPERATIONS.get(operation.get("op", "")) if isinstance(operation.get("op"), str) else None
    if carry is None:
        raise Malformed("`op` is not one of add, remove, replace, move, copy, test")
    return carry(document, _pointer(operation, "path"), operation)


def _add(document: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    return _put(document, path, deepcopy(_value(operation)))


def _remove(document: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    spot = _existing(document, path)
    if spot.holder is None:
        raise PatchFailed("the whole document cannot be removed")
    del spot.holder[spot.name]
    return document


def _replace(document: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    spot, value = _existing(document, path), deepcopy(_value(operation))
    if spot.holder is None:
        return value
    spot.holder[spot.name] = value
    return document


def _move(document: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    source = _pointer(operation, "from")
    if path[: len(source)] == source and len(path) > len(source):
        raise PatchFailed("a value cannot be moved into itself")
    value = _get(document, source)
    return document if path == source else _put(_remove(document, source, operation), path, value)


def _copy(document: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    return _put(document, path, deepcopy(_get(document, _pointer(operation, "from"))))


def _test(document: Any, path: list[str], operation: Mapping[str, Any]) -> Any:
    if not is_equal(_get(document, path), _value(operation)):
        raise PatchFailed("the test does not hold")
    return document


OPERATIONS: Mapping[str, Callable[[Any, list[str], Mapping[str, Any]], Any]] = {
    "add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test,
}  # fmt: skip


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise Malformed("`value` is missing")
    return operation["value"]


def _pointer(operation: Mapping[str, Any], name: str) -> list[str]:
    text = operation.get(name)
    if not isinstance(text, str) or (text and text[0] != "/") or BAD_ESCAPE.search(text):
        raise Malformed(f"`{name}` is not a JSON Pointer")
    if text.count("/") > MAX_DEPTH:
        raise PatchFailed(f"`{name}` goes more than {MAX_DEPTH} levels deep")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _existing(document: Any, path: list[str]) -> Spot:
    """The place of a value that is there."""
    if not path:
        return Spot(None, None)
    holder = _get(document, path[:-1])
    return Spot(holder, _name_in(holder, path[-1], path))


def _get(document: Any, path: list[str]) -> Any:
    value = document
    for name in path:
        value = value[_name_in(value, name, path)]
    return value


def _name_in(holder: Any, name: str, path: list[str]) -> Any:
    if isinstance(holder, dict) and name in holder:
        return name
    if isinstance(holder, list) and INDEX.fullmatch(name) and int(name) < len(holder):
        return int(name)
    raise PatchFailed(f"there is nothing at /{'/'.join(path)[:200]}")


def _put(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    holder, name = _get(document, path[:-1]), path[-1]
    if isinstance(holder, dict):
        holder[name] = value
    elif isinstance(holder, list) and (name == "-" or (INDEX.fullmatch(name) and int(name) <= len(holder))):
        holder.insert(len(holder) if name == "-" else int(name), value)
    else:
        raise PatchFailed(f"nothing can be added at /{'/'.join(path)[:200]}")
    return document


def is_equal(one: Any, other: Any) -> bool:
    """Equal as RFC 6902 §4.6 means it: numbers by their value, and true is no number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_equal, one, other))
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _extent(value: Any) -> int:
    """How many values `value` is made of. Raises PatchFailed when it is nested too deep to be put deeper."""
    count, level, levels = 0, [value], 0
    while level:
        count += len(level)
        levels += 1
        if levels > MAX_DEPTH:
            raise PatchFailed(f"what is copied or moved is more than {MAX_DEPTH} levels deep")
        level = [child for one in level if isinstance(one, dict | list) for child in (one.values() if isinstance(one, dict) else one)]
    return count
