"""FHIR types as FHIRPath walks them: which children a node has, of which type. https://hl7.org/fhir/R4/fhirpath.html

An item of a collection is a value of FHIRPath's own types (bool, int, Decimal, str, Moment, Quantity) as it is, or a Node: a place in a
resource, written as the bare tuple `(value, type, extra, parent, key, index)`, for a tuple costs a third of an object. `value` is the JSON
value (None where a primitive has only extensions), `extra` the object under `_key` of a primitive.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from openward.fhir.definitions import Element, has_structure, is_primitive, is_resource_type, primitive, structure
from openward.fhir.fhirpath.moments import Moment
from openward.fhir.fhirpath.quantity import Quantity

Node = tuple[Any, "Type", Any, Any, str | None, int | None]
Item = bool | int | Decimal | str | Moment | Quantity | Node
Items = list[Any]
Walk = Callable[[Node, Items], None]

VALUES = (str, bool, int, Decimal)
ABSTRACT = {"Resource", "DomainResource"}
QUANTITIES = {"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"}


class Type:
    """A FHIR type; `walks` says how to go from a node of it to its children of a name."""

    __slots__ = ("ancestors", "is_primitive", "is_quantity", "name", "walks")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_primitive = is_primitive(name)
        self.is_quantity = name in QUANTITIES
        self.ancestors = frozenset(_ancestors(name))
        self.walks: dict[str, Walk | None] = _Walks(self)

    def __repr__(self) -> str:
        return f"<Type {self.name}>"

    @property
    def said(self) -> str:
        """The name the specification gives: a backbone element has none of its own."""
        return structure(self.name).base or "BackboneElement" if "." in self.name else self.name


class _Walks(dict[str, "Walk | None"]):
    """Name → walk, made when first asked; None where the type has no such child."""

    def __init__(self, type: Type) -> None:
        self.type = type

    def __missing__(self, name: str) -> Walk | None:
        self[name] = walk = _walk(self.type, name)
        return walk


def _ancestors(name: str) -> list[str]:
    found = [name]
    while True:
        last = found[-1]
        base = primitive(last).base if is_primitive(last) else structure(last).base if has_structure(last) else None
        if base is None:
            return found
        found.append(base)


@cache
def fhir_type(name: str) -> Type:
    """KeyError when R4 has no type of that name."""
    if not (is_primitive(name) or has_structure(name)):
        raise KeyError(name)
    return Type(name)


def is_fhir_type(name: str) -> bool:
    return is_primitive(name) or has_structure(name)


UNTYPED = Type("")
"""The type of JSON nobody has told the type of: children are found by their JSON keys."""


def type_of(value: Any, declared: str | None = None) -> Type:
    """What a JSON value is: a resource by its own word, else as declared."""
    named = value.get("resourceType") if value.__class__ is dict else None
    if named.__class__ is str and is_resource_type(named):
        return fhir_type(named)
    if declared is None or not is_fhir_type(declared):
        return UNTYPED
    type = fhir_type(declared)
    return type if type.is_primitive or value.__class__ is dict else UNTYPED


def _walk(type: Type, name: str) -> Walk | None:
    if type is UNTYPED:
        return _untyped(name)
    if type.is_primitive:
        return {"extension": _primitive_extensions, "id": _primitive_id}.get(name)
    element = structure(type.name).elements.get(name)
    if element is None:
        return _own_type if name == "resourceType" and "Resource" in type.ancestors else None
    if element.is_choice:
        return _choice(element)
    ((key, datatype),) = element.keys.items()
    if element.name == "contained" or datatype in ABSTRACT:
        return _resources(key)
    if is_primitive(datatype):
        return _primitives(key, fhir_type(datatype)) if element.is_many else _one_primitive(key, fhir_type(datatype))
    return _complex(key, fhir_type(datatype))


def _own_type(node: Node, out: Items) -> None:
    """`resourceType` is how JSON spells the type; no element, so no one walks there."""


def _complex(key: str, type: Type) -> Walk:
    def walk(node: Node, out: Items) -> None:
        value = node[0].get(key)
        if value.__class__ is list:
            for index, one in enumerate(value):
                out.append((one, type if one.__class__ is dict else UNTYPED, None, node, key, index))
        elif value is not None:
            out.append((value, type if value.__class__ is dict else UNTYPED, None, node, key, None))

    return walk


def _resources(key: str) -> Walk:
    def walk(node: Node, out: Items) -> None:
        value = node[0].get(key)
        if value.__class__ is list:
            for index, one in enumerate(value):
                out.append((one, type_of(one), None, node, key, index))
        elif value is not None:
            out.append((value, type_of(value), None, node, key, None))

    return walk


def _one_primitive(key: str, type: Type) -> Walk:
    twin = "_" + key

    def walk(node: Node, out: Items) -> None:
        data = node[0]
        value = data.get(key)
        extra = data.get(twin)
        if value is not None or extra is not None:
            if value.__class__ is list or extra.__class__ is list:
                _each(node, out, key, type, value, extra)
            else:
                out.append((value, type, extra, node, key, None))

    return walk


def _primitives(key: str, type: Type) -> Walk:
    twin = "_" + key

    def walk(node: Node, out: Items) -> None:
        data = node[0]
        values = data.get(key)
        extras = data.get(twin)
        if extras is None and values.__class__ is list:
            for index, value in enumerate(values):
                out.append((value, type, None, node, key, index))
        elif values is not None or extras is not None:
            _each(node, out, key, type, values, extras)

    return walk


def _each(node: Node, out: Items, key: str, type: Type, values: Any, extras: Any) -> None:
    """Values and the extensions beside them, either side possibly shorter or missing."""
    listed = values if values.__class__ is list else [] if values is None else [values]
    beside = extras if extras.__class__ is list else [] if extras is None else [extras]
    for index in range(max(len(listed), len(beside))):
        value = listed[index] if index < len(listed) else None
        extra = beside[index] if index < len(beside) else None
        if value is not None or extra is not None:
            out.append((value, type, extra, node, key, index))


def _choice(element: Element) -> Walk:
    walks = {key: _primitives(key, fhir_type(type)) if is_primitive(type) else _complex(key, fhir_type(type)) for key, type in element.keys.items()}
    keys = {spelled: walk for key, walk in walks.items() for spelled in (key, "_" + key)}
    listed = tuple(walks.items())

    def walk(node: Node, out: Items) -> None:
        data = node[0]
        if len(data) < len(listed):
            for key in data:
                found = keys.get(key)
                if found is not None:
                    found(node, out)
                    return
        else:
            for key, found in listed:
                if key in data or "_" + key in data:
                    found(node, out)
                    return

    return walk


def _primitive_extensions(node: Node, out: Items) -> None:
    extra = node[2]
    if extra.__class__ is dict and (listed := extra.get("extension")).__class__ is list:
        type = fhir_type("Extension")
        holder = (extra, fhir_type("Element"), None, node, None, None)
        for index, one in enumerate(listed):
            out.append((one, type, None, holder, "extension", index))


def _primitive_id(node: Node, out: Items) -> None:
    extra = node[2]
    if extra.__class__ is dict and "id" in extra:
        out.append((extra["id"], fhir_type("string"), None, node, "id", None))


def _untyped(name: str) -> Walk:
    def walk(node: Node, out: Items) -> None:
        data = node[0]
        if data.__class__ is dict and name in data:
            value = data[name]
            for index, one in enumerate(value) if value.__class__ is list else ((None, value),):
                out.append(one if one.__class__ in VALUES else (one, type_of(one), None, node, name, index))

    return walk


def children(node: Node, out: Items) -> None:
    """Every child, in the order of the type's elements."""
    value, type = node[0], node[1]
    if value.__class__ is dict and type is not UNTYPED:
        for name in _present(value, type):
            walk = type.walks[name]
            if walk is not None:
                walk(node, out)
    elif value.__class__ is dict:
        for key in value:
            if key != "resourceType":
                _untyped(key)(node, out)
    else:
        _primitive_id(node, out)
        _primitive_extensions(node, out)


def _present(value: dict[str, Any], type: Type) -> list[str]:
    """The elements an object has, in the order it states them."""
    stems = _stems(type.name)
    return list(dict.fromkeys(stems[key] for key in value if key in stems))


@cache
def _stems(name: str) -> dict[str, str]:
    """Key → element; none of a primitive, in whose place an object stands only in what is not valid yet, such as a patch halfway through."""
    if not has_structure(name):
        return {}
    by_key = structure(name).by_key
    return {spelled: element.name for key, (element, _) in by_key.items() for spelled in (key, "_" + key)}
