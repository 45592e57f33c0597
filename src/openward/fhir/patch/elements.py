"""Elements as FHIRPath Patch sees them: where one stands in the JSON, and what a `value` part becomes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import Element, has_structure, is_primitive, structure
from openward.fhir.errors import Malformed
from openward.fhir.patch.failure import PatchFailed


@dataclass(frozen=True, slots=True)
class Spot:
    """An element in its place: `key` and `index` under its parent's value; the resource itself has no parent."""

    value: Any
    type: str
    parent: Spot | None
    key: str
    index: int | None

    @property
    def parent_value(self) -> Any:
        return self.parent.value if self.parent else None

    @property
    def depth(self) -> int:
        """How many elements are around it."""
        above, spot = 0, self.parent
        while spot is not None:
            above, spot = above + 1, spot.parent
        return above

    @property
    def name(self) -> str:
        """The element's name; of a choice its stem."""
        if self.parent is None or not has_structure(self.parent.type):
            return self.key
        known = structure(self.parent.type).by_key.get(self.key)
        return known[0].name if known else self.key

    def remove(self, child: Spot) -> None:
        if child.index is None:
            self.value.pop(child.key, None)
            self.value.pop("_" + child.key, None)
            return
        values, twins = taken_apart(self.value, child.key)
        del values[child.index], twins[child.index]
        together(self.value, child.key, values, twins)

    def beside(self) -> dict[str, Any]:
        """Of a primitive: the object with its id and extensions, made when there is none."""
        holder = self.parent_value
        if not isinstance(holder, dict):
            raise PatchFailed("nothing can be added to it")
        if self.index is None:
            found: dict[str, Any] = holder.setdefault("_" + self.key, {})
            return found
        values, twins = taken_apart(holder, self.key)
        twins[self.index] = twins[self.index] or {}
        together(holder, self.key, values, twins)
        beside: dict[str, Any] = twins[self.index]
        return beside


@dataclass(frozen=True, slots=True)
class Given:
    """A value on its way into an element: under which JSON key, and the object beside it when it is primitive."""

    key: str
    value: Any
    twin: Any
    is_many: bool
    rivals: tuple[str, ...]  # the other keys of a choice


def place_of(item: Any) -> Spot | None:
    """The place of a FHIRPath node, `(value, type, extra, parent, key, index)`; None of a computed value."""
    if item.__class__ is not tuple:
        return None
    value, type, _, parent, key, index = item
    above = place_of(parent) if parent is not None else None
    stands_in_list = above is not None and isinstance(above.value, dict) and list in (above.value.get(name).__class__ for name in (key, f"_{key}"))
    return Spot(value, type.name, above, key or "", index if stands_in_list else None)


def given(part: Any, type: str, name: str) -> Given:
    """What a `value` part becomes as the element `name` of `type`. Raises Malformed."""
    element, key = _element("Element" if is_primitive(type) else type, name)
    if isinstance(part.get("resource"), dict):
        return Given(key or element.name, part["resource"], None, element.is_many, ())
    if isinstance(part.get("part"), list):
        if len(element.types) != 1:
            raise Malformed(f"{name} is of several types; say which")
        return Given(element.name, _anonymous(part["part"], element.types[0]), None, element.is_many, ())
    stated = {field.lstrip("_")[5:] for field in part if field.lstrip("_").startswith("value")}
    if len(stated) != 1:
        raise Malformed("the value is missing")
    suffix = stated.pop()
    if element.is_choice:
        key = key or element.name + suffix
        if key not in element.keys or key != element.name + suffix:
            raise Malformed(f"{name} cannot be of the type {suffix[:80]}")
    rivals = tuple(other for other in element.keys if other != key) if element.is_choice else ()
    value = Given(key or element.name, part.get("value" + suffix), part.get("_value" + suffix), element.is_many, rivals)
    _refuse_shape(value, element.keys[value.key])
    return value


def _refuse_shape(given: Given, type: str) -> None:
    """A primitive where an object belongs, or the other way round, would be walked into by the paths of the next operations."""
    fits = given.value.__class__ not in (dict, list) if is_primitive(type) else given.value.__class__ is dict
    if not (fits or given.value is None) or not (given.twin is None or given.twin.__class__ is dict):
        raise Malformed(f"{given.key} is a {type}, and the value is none")


def put(holder: dict[str, Any], value: Given) -> None:
    """Append to a list, or set what is not there yet. Raises PatchFailed."""
    if value.is_many:
        values, twins = taken_apart(holder, value.key)
        together(holder, value.key, [*values, value.value], [*twins, value.twin])
        return
    if any(key in holder or "_" + key in holder for key in (value.key, *value.rivals)):
        raise PatchFailed(f"{value.key} is there already")
    if value.value is not None:
        holder[value.key] = value.value
    if value.twin is not None:
        holder["_" + value.key] = value.twin


def taken_apart(holder: dict[str, Any], key: str) -> tuple[list[Any], list[Any]]:
    """The values of a list and the objects beside them, as long as one another."""
    values, twins = list(holder.get(key, ())), list(holder.get("_" + key, ()))
    length = max(len(values), len(twins))
    return values + [None] * (length - len(values)), twins + [None] * (length - len(twins))


def together(holder: dict[str, Any], key: str, values: list[Any], twins: list[Any]) -> None:
    """Put both back, each only where it says something."""
    for name, column in ((key, values), ("_" + key, twins)):
        if any(one is not None for one in column):
            holder[name] = column
        else:
            holder.pop(name, None)


def _element(type: str, name: str) -> tuple[Element, str | None]:
    """The element, and its key where the name is that of one type of a choice (`valueString`)."""
    if not has_structure(type):
        raise PatchFailed("nothing can be added to it")
    definition = structure(type)
    if name in definition.elements:
        return definition.elements[name], None
    if name in definition.by_key:
        return definition.by_key[name][0], name
    raise Malformed(f"{type} has no element {name[:80]}")


def _anonymous(parts: list[Any], type: str) -> dict[str, Any]:
    """An object of a type that has no name of its own, from a part for each of its elements."""
    made: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise Malformed("a part of the value has no name")
        put(made, given(part, type, part["name"]))
    return made
