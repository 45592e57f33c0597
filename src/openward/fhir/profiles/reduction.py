"""A StructureDefinition's snapshot → the facts it adds to its base type. https://hl7.org/fhir/R4/structuredefinition.html"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from openward.fhir.definitions import Element, has_structure, structure
from openward.fhir.profiles.facts import Binding, Constraint, Context, Discriminator, Node, Profile, Slicing

CORE = "http://hl7.org/fhir/StructureDefinition/"
MAX_VALUE_SET = CORE + "elementdefinition-maxValueSet"
SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
# Keys of invariants that every snapshot repeats from the base types; older tools leave out their source.
BASE_KEYS = ("ele-", "ext-", "dom-")


BY_URL = Slicing((Discriminator("value", "url"),))
BY_TYPE = Slicing((Discriminator("type"),), "closed")
DEFAULT_SLICINGS = (BY_URL, BY_TYPE)
"""Choices sliced by their type need not say so, and extensions are always told apart by their address."""


class NotAProfile(ValueError):
    """This StructureDefinition cannot be used as a profile."""


@dataclass(slots=True)
class Draft:
    """A node being gathered: the element's own JSON, the type it is of, and what the base type says of it."""

    name: str
    type: str
    slice: str | None = None
    element: Mapping[str, Any] = field(default_factory=dict)
    base: Element | None = None
    content: str | None = None
    children: dict[str, Draft] = field(default_factory=dict)
    slices: dict[str, Draft] = field(default_factory=dict)


def reduce(definition: Mapping[str, Any], guide: str = "", elements: Sequence[Mapping[str, Any]] = ()) -> Profile:
    """The facts of one profile: of its snapshot, or of `elements` with ids. Raises NotAProfile, saying why."""
    elements = elements or definition.get("snapshot", {}).get("element", ())
    if not elements:
        raise NotAProfile("it has no snapshot")
    type = definition["type"]
    if not has_structure(type):
        raise NotAProfile(f"{type[:64]} is not a type of FHIR R4")
    root = Draft(type, type)
    for element in elements:
        if "." in element["path"]:
            _plant(root, element)
        else:
            root.element = element
    _refer(root, root)
    return Profile(
        url=definition["url"],
        version=definition.get("version", ""),
        type=type,
        root=_node(root),
        title=definition.get("title") or definition.get("name", ""),
        guide=guide,
        is_modifier=bool(root.element.get("isModifier")) and type == "Extension",
        contexts=tuple(Context(c["type"], c.get("expression", "")) for c in definition.get("context", ())) if type == "Extension" else (),
        context_invariants=tuple(definition.get("contextInvariant", ())),
    )


def segments(element: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """`Observation.component:systolic.value[x]` → (name, slice) of each step below the root; without an id, from path and sliceName."""
    id = element.get("id")
    if not id or id.count(".") != element["path"].count("."):
        steps: list[tuple[str, str | None]] = [(name, None) for name in element["path"].split(".")[1:]]
        return [*steps[:-1], (steps[-1][0], element.get("sliceName"))] if steps else []
    parts = [part.partition(":") for part in id.split(".")[1:]]
    return [(name, slice or None) for name, _, slice in parts]


def _plant(root: Draft, element: Mapping[str, Any]) -> None:
    here = root
    for name, slice in segments(element):
        here = _step(here, name, slice)
    here.element = element
    types = _type_codes(element)
    if here.base is not None and len(types) == 1 and (here.base.is_choice or here.base.types[0] == "Resource"):
        here.type = types[0]


def _refer(root: Draft, draft: Draft) -> None:
    """Note the contentReferences, but only where the profile says more of what they point at than the base does."""
    for child in (*draft.children.values(), *draft.slices.values()):
        _refer(root, child)
    reference = draft.element.get("contentReference")
    if reference:
        path = reference.rsplit("#", 1)[1]
        target = _followed(root, path)
        draft.content = path if target is not None and _rules_of(_node(target)) else None


def _followed(root: Draft, path: str) -> Draft | None:
    here: Draft | None = root
    for name in path.split(".")[1:]:
        here = here.children.get(name.removesuffix("[x]")) if here else None
    return here


def _rules_of(node: Node) -> bool:
    """Whether an element that is told to look like `node` has anything to check: cardinality is each element's own."""
    return _says_something(msgspec.structs.replace(node, min=0, max=None, slicing=None, slices=(), content=None))


def _step(parent: Draft, name: str, slice: str | None) -> Draft:
    stem = name.removesuffix("[x]")
    base = structure(parent.type if has_structure(parent.type) else "Element").elements.get(stem)  # a primitive has the children of an Element
    if base is None and has_structure(parent.type) and stem in structure(parent.type).by_key:
        base, _ = structure(parent.type).by_key[stem]
        stem, slice = base.name, slice or stem
    child = parent.children.get(stem)
    if child is None:
        child = parent.children[stem] = Draft(stem, _type_of(base), base=base)
    for name_so_far in _reslices(slice):
        child = child.slices.setdefault(name_so_far, Draft(stem, child.type, name_so_far, base=base))
    return child


def _reslices(slice: str | None) -> list[str]:
    """`a/b` is the slice b of the slice a: both names in turn."""
    if not slice:
        return []
    parts = slice.split("/")
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _type_of(base: Element | None) -> str:
    return base.types[0] if base is not None and (not base.is_choice or len(base.types) == 1) else "Element"


def _type_codes(element: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(type["code"] for type in element.get("type", ()) if not type.get("code", "").startswith(SYSTEM_TYPE)))


def _node(draft: Draft) -> Node:
    element, base = draft.element, draft.base
    plain = Node(
        name=draft.name,
        slice=draft.slice,
        min=_least(draft),
        max=_most(draft),
        types=_types(element, base),
        profiles=_profiles(element),
        targets=_targets(element, base),
        fixed=_valued(element, "fixed"),
        pattern=_valued(element, "pattern"),
        binding=_binding(element.get("binding", {}), base),
        constraints=tuple(_constraints(element.get("constraint", ()))),
        children=tuple(node for node in map(_node, draft.children.values()) if _says_something(node)),
        content=draft.content,
        max_length=element.get("maxLength"),
        min_value=_valued(element, "minValue"),
        max_value=_valued(element, "maxValue"),
    )
    slices = tuple(_beyond(_node(slice), plain) for slice in draft.slices.values())
    return msgspec.structs.replace(plain, slicing=_slicing(draft), slices=slices) if slices else plain


# Types, values and profiles stay: slices are told apart by them.
INHERITED = ("binding", "max_length", "min_value", "max_value", "content")


def _beyond(node: Node, plain: Node) -> Node:
    """A slice without what its element as a whole says already: that holds for every value anyway."""
    same = {name: getattr(Node(""), name) for name in INHERITED if getattr(node, name) == getattr(plain, name)}
    constraints = tuple(one for one in node.constraints if one not in plain.constraints)
    children = tuple(_beyond_child(child, plain.child(child.name)) for child in node.children)
    return msgspec.structs.replace(node, **same, constraints=constraints, children=tuple(c for c in children if _says_something(c)))


def _beyond_child(node: Node, plain: Node | None) -> Node:
    if plain is None:
        return node
    rest = _beyond(node, plain)
    return msgspec.structs.replace(rest, min=0 if rest.min == plain.min else rest.min, max=None if rest.max == plain.max else rest.max)


def _says_something(node: Node) -> bool:
    return node != Node(node.name)


def _valued(element: Mapping[str, Any], stem: str) -> Any:
    return next((value for key, value in element.items() if key.startswith(stem) and key[len(stem) :][:1].isupper()), None)


def _least(draft: Draft) -> int:
    least = int(draft.element.get("min", 0))
    return least if draft.slice or draft.base is None or least > draft.base.min else 0


def _most(draft: Draft) -> int | None:
    stated = draft.element.get("max", "*")
    most = None if stated == "*" else int(stated)
    return None if draft.base is not None and most == draft.base.max else (most if draft.base is not None else None)


def _types(element: Mapping[str, Any], base: Element | None) -> tuple[str, ...]:
    codes = _type_codes(element)
    if base is None or not codes or not (base.is_choice or base.types[0] == "Resource") or set(codes) == set(base.types):
        return ()
    return tuple(codes)


def _profiles(element: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {type["code"]: tuple(type["profile"]) for type in element.get("type", ()) if type.get("profile")}


def _targets(element: Mapping[str, Any], base: Element | None) -> tuple[str, ...]:
    found = [target for type in element.get("type", ()) if type["code"] == "Reference" for target in type.get("targetProfile", ())]
    plain = {target.removeprefix(CORE) for target in found}
    if base is None or CORE + "Resource" in found or plain == set(base.targets) or (not base.targets and not found):
        return ()
    return tuple(dict.fromkeys(found))


def _binding(stated: Mapping[str, Any], base: Element | None) -> Binding | None:
    most = next((_canonical(x) for x in stated.get("extension", ()) if x["url"] == MAX_VALUE_SET), None)
    strength, value_set = stated.get("strength"), stated.get("valueSet")
    if strength not in ("required", "extensible") or not value_set:
        strength = value_set = None
    if strength == "required" and base is not None and base.binding == str(value_set).split("|")[0]:
        strength = value_set = None
    return Binding(strength, value_set, most) if value_set or most else None


def _canonical(extension: Mapping[str, Any]) -> str | None:
    return extension.get("valueCanonical") or extension.get("valueUri")


def _constraints(stated: Iterable[Mapping[str, Any]]) -> Iterable[Constraint]:
    for one in stated:
        if one.get("expression") and not _is_of_the_base(one):
            yield Constraint(one["key"], one["expression"], one.get("human", ""), one.get("severity") == "warning")


def _is_of_the_base(constraint: Mapping[str, Any]) -> bool:
    source = str(constraint.get("source", "")).split("|")[0]
    if not source:
        return str(constraint["key"]).startswith(BASE_KEYS)
    return source.startswith(CORE) and has_structure(source.removeprefix(CORE))


def _slicing(draft: Draft) -> Slicing:
    stated = draft.element.get("slicing")
    if stated is None:
        return BY_URL if draft.name in ("extension", "modifierExtension") else BY_TYPE
    by = tuple(Discriminator(d["type"], d["path"]) for d in stated.get("discriminator", ()))
    return Slicing(by, stated.get("rules", "open"), bool(stated.get("ordered")))
