"""The US Core packages as HL7 publishes them, and systematic damage to their examples: told by the snapshots alone, by nothing of ours.

`damage(resource, definition, …)` yields every way this module knows to break one example in one place, with the place an error must name.
"""

from __future__ import annotations

import copy
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

NOWHERE = "Binary/0"
SAMPLES = {
    "valueString": "text", "valueBoolean": True, "valueInteger": 3, "valueDateTime": "2020-01-01", "valueTime": "10:00:00",
    "effectiveInstant": "2020-01-01T00:00:00Z", "onsetString": "text", "abatementString": "text", "occurrenceString": "text",
    "performedString": "text", "medicationReference": {"display": "text"}, "deceasedDateTime": "2020-01-01",
}  # fmt: skip


@dataclass
class Package:
    """One release: its StructureDefinitions by URL, its examples by file name."""

    version: str
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Package:
        package = cls("")
        with tarfile.open(path) as files:
            for member in files:
                if member.name.startswith("package/StructureDefinition-"):
                    definition = json.load(files.extractfile(member))  # type: ignore[arg-type]
                    package.definitions[definition["url"]] = definition
                elif member.name.startswith("package/example/"):
                    resource = json.loads(files.extractfile(member).read(), parse_float=Decimal)  # type: ignore[union-attr]
                    package.examples[member.name.rsplit("/", 1)[1].removesuffix(".json")] = resource
                elif member.name == "package/package.json":
                    package.version = json.load(files.extractfile(member))["version"]  # type: ignore[arg-type]
        return package


@dataclass(frozen=True)
class Damage:
    """`where`: the FHIRPath an error must name. `rule`: the element of the profile that is broken."""

    kind: str
    where: str
    resource: dict[str, Any] = field(hash=False, compare=False)
    rule: str = ""


@dataclass
class Node:
    """An element of a snapshot with what stands below it."""

    element: dict[str, Any]
    children: dict[str, Node] = field(default_factory=dict)
    slices: list[Node] = field(default_factory=list)

    @property
    def stem(self) -> str:
        return str(self.element["path"]).rsplit(".", 1)[-1].removesuffix("[x]")

    @property
    def is_choice(self) -> bool:
        return str(self.element["path"]).endswith("[x]")

    @property
    def required(self) -> Any:
        return next((value for key, value in self.element.items() if key.startswith(("fixed", "pattern"))), None)


def tree(definition: dict[str, Any]) -> Node:
    by_id: dict[str, Node] = {}
    for element in definition["snapshot"]["element"]:
        node = by_id[element["id"]] = Node(element)
        parent, _, last = element["id"].rpartition(".")
        if ":" in last:
            by_id[parent + "." + last.split(":")[0]].slices.append(node)
        elif parent:
            by_id[parent].children[node.stem] = node
    return by_id[definition["snapshot"]["element"][0]["id"]]


def damage(resource: dict[str, Any], definition: dict[str, Any], at: tuple[Any, ...] = (), where: str = "") -> Iterator[Damage]:
    """Every single damage to the part of `resource` found by the keys `at`, which `definition` describes and FHIRPath calls `where`."""
    for one in _below(tree(definition), resource, at, where or resource["resourceType"]):
        is_moved = one.rule == "Extension.url"  # then it is another extension, perhaps one that nobody knows
        if one.resource != resource and not is_moved:
            yield one


def _part(resource: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        resource = resource[key]
    return resource


def _changed(resource: dict[str, Any], at: tuple[Any, ...], key: Any, value: Any) -> dict[str, Any]:
    """A copy in which the object at `at` has `value` under `key`; None takes it out."""
    made = copy.deepcopy(resource)
    part = _part(made, at)
    if value is None:
        del part[key]
    else:
        part[key] = value
    return made


def _below(node: Node, resource: dict[str, Any], at: tuple[Any, ...], where: str) -> Iterator[Damage]:
    data = _part(resource, at)
    for child in node.children.values():
        keys = [key for key in data if key == child.stem or (child.is_choice and key.startswith(child.stem) and key[len(child.stem)].isupper())]
        if len(keys) == 1 and "_" + keys[0] not in data:
            yield from _of_child(child, resource, at, keys[0], f"{where}.{child.stem}")


def _of_child(node: Node, resource: dict[str, Any], at: tuple[Any, ...], key: str, where: str) -> Iterator[Damage]:
    data = _part(resource, at)
    values, rule = data[key], node.element["id"]
    if node.element["min"] > 0 and len(data) > 1:
        yield Damage("required element out", where, _changed(resource, at, key, None), rule)
    if isinstance(values, list):
        yield from _too_many(node, resource, at, key, where)
        yield from _slice_out(node, resource, at, key, where)
    else:
        yield from _other_type(node, resource, at, key, where)
    for index, value in enumerate(values) if isinstance(values, list) else [(None, values)]:
        place, spot = (where, (*at, key)) if index is None else (f"{where}[{index}]", (*at, key, index))
        yield from _of_value(node, resource, spot, value, place, where)


def _of_value(node: Node, resource: dict[str, Any], spot: tuple[Any, ...], value: Any, place: str, where: str) -> Iterator[Damage]:
    yield from _other_code(node, resource, spot, value, place)
    yield from _other_value(node, resource, spot, value, place)
    yield from _other_target(node, resource, spot, value, place)
    if isinstance(value, dict):
        yield from _below(node, resource, spot, place)
        for part in node.slices:
            if belongs(part, value, node) and node.stem not in ("extension", "modifierExtension"):
                yield from (one for one in _below(part, resource, spot, place) if belongs(part, _part(one.resource, spot), node))
                yield from _slice_value(part, node, resource, spot, value, where)


def _too_many(node: Node, resource: dict[str, Any], at: tuple[Any, ...], key: str, where: str) -> Iterator[Damage]:
    values = _part(resource, at)[key]
    most, base = node.element["max"], node.element.get("base", {}).get("max")
    if most not in ("*", base):
        filled = [values[index % len(values)] for index in range(int(most) + 1)]
        yield Damage("too many", where, _changed(resource, at, key, filled), node.element["id"])
    for part in node.slices:
        mine = [value for value in values if belongs(part, value, node)]
        if mine and part.element["max"] != "*":
            surplus = [mine[0]] * (int(part.element["max"]) + 1 - len(mine))
            yield Damage("too many of a slice", where, _changed(resource, at, key, [*values, *surplus]), part.element["id"])


def _slice_out(node: Node, resource: dict[str, Any], at: tuple[Any, ...], key: str, where: str) -> Iterator[Damage]:
    values = _part(resource, at)[key]
    for part in node.slices:
        rest = [value for value in values if not belongs(part, value, node)]
        if part.element["min"] > 0 and len(rest) < len(values) and (rest or len(_part(resource, at)) > 1):
            yield Damage("slice out", where, _changed(resource, at, key, rest or None), part.element["id"])


def _slice_value(part: Node, node: Node, resource: dict[str, Any], spot: tuple[Any, ...], value: dict[str, Any], where: str) -> Iterator[Damage]:
    """A value that decides over the slice changed: it belongs there no more, and a slice that must be is not."""
    mine = [one for one in _part(resource, spot[:-1]) if belongs(part, one, node)] if isinstance(spot[-1], int) else [value]
    if part.element["min"] > 0 and len(mine) == 1:
        other = _otherwise(value)
        if other != value and not belongs(part, other, node):
            yield Damage("slice broken", where, _changed(resource, spot[:-1], spot[-1], other), part.element["id"])


def _otherwise(value: Any) -> Any:
    """The same shape with other codes."""
    if isinstance(value, dict):
        return {key: "other" if key == "code" and isinstance(one, str) else _otherwise(one) for key, one in value.items()}
    return [_otherwise(one) for one in value] if isinstance(value, list) else value


def _other_type(node: Node, resource: dict[str, Any], at: tuple[Any, ...], key: str, where: str) -> Iterator[Damage]:
    if not node.is_choice:
        return
    allowed = {node.stem + type["code"][0].upper() + type["code"][1:] for type in node.element.get("type", ())}
    allowed -= {part.element.get("sliceName") for part in node.slices if part.element["max"] == "0"}
    for other, sample in SAMPLES.items():
        if other in _choices(node) and other not in allowed:
            made = _changed(resource, at, key, None)
            _part(made, at)[other] = sample
            yield Damage("wrong type", where, made, node.element["id"])


def _choices(node: Node) -> set[str]:
    """The keys that the base type allows: what it does not is the base validation's to refuse."""
    path = node.element["base"]["path"].removesuffix("[x]")
    return {
        "Observation.value": {"valueString", "valueBoolean", "valueInteger", "valueDateTime", "valueTime"},
        "Observation.component.value": {"valueString", "valueBoolean", "valueInteger", "valueDateTime", "valueTime"},
        "Observation.effective": {"effectiveInstant"},
        "Extension.value": {"valueString", "valueBoolean", "valueInteger", "valueDateTime", "valueTime"},
        "Condition.onset": {"onsetString"},
        "Condition.abatement": {"abatementString"},
        "Immunization.occurrence": {"occurrenceString"},
        "Procedure.performed": {"performedString"},
        "MedicationRequest.medication": {"medicationReference"},
        "Patient.deceased": {"deceasedDateTime"},
    }.get(path, set())


def _other_code(node: Node, resource: dict[str, Any], spot: tuple[Any, ...], value: Any, place: str) -> Iterator[Damage]:
    binding = node.element.get("binding", {})
    if binding.get("strength") != "required" or node.required is not None:
        return
    made = copy.deepcopy(value)
    if isinstance(value, str):
        made = "no-such-code"
    else:
        for coding in made.get("coding", [made]):
            if "code" in coding:
                coding["code"] = "no-such-code"
    if made != value:
        yield Damage("wrong code", place, _changed(resource, spot[:-1], spot[-1], made), node.element["id"])


def _other_value(node: Node, resource: dict[str, Any], spot: tuple[Any, ...], value: Any, place: str) -> Iterator[Damage]:
    if node.required is not None:
        other = f"{value}x" if isinstance(value, str) else _otherwise(value)
        if other != value:
            yield Damage("fixed value changed", place, _changed(resource, spot[:-1], spot[-1], other), node.element["id"])


def _other_target(node: Node, resource: dict[str, Any], spot: tuple[Any, ...], value: Any, place: str) -> Iterator[Damage]:
    targets = [target for type in node.element.get("type", ()) for target in type.get("targetProfile", ())]
    if isinstance(value, dict) and "reference" in value and targets and not any(target.endswith("/Resource") for target in targets):
        made = {**value, "reference": NOWHERE}
        made.pop("type", None)
        yield Damage("wrong reference", place, _changed(resource, spot[:-1], spot[-1], made), node.element["id"])


def belongs(part: Node, value: Any, whole: Node) -> bool:
    """Whether a value is in a slice, by the discriminators of the whole; slices told apart by a value set alone are nobody's."""
    slicing = whole.element.get("slicing", {})
    return bool(slicing.get("discriminator")) and all(_decided(part, value, one) for one in slicing["discriminator"])


def _decided(part: Node, value: Any, discriminator: dict[str, Any]) -> bool:
    if discriminator["path"] == "url":
        profiles = [profile.split("|")[0] for type in part.element.get("type", ()) for profile in type.get("profile", ())]
        url = part.children["url"].required if "url" in part.children else None
        return isinstance(value, dict) and value.get("url") in (*profiles, url)
    if discriminator["type"] not in ("value", "pattern"):
        return False
    node, found, wanted = part, [value], part.required
    for name in () if discriminator["path"] == "$this" else discriminator["path"].split("."):
        if name not in node.children:
            return False
        node = node.children[name]
        wanted = node.required
        found = [inner for one in found if isinstance(one, dict) for inner in (one.get(name) if isinstance(one.get(name), list) else [one.get(name)])]
    return wanted is not None and any(_fits(wanted, one) for one in found)


def _fits(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(name in value and _fits(part, value[name]) for name, part in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_fits(item, one) for one in value) for item in pattern)
    return bool(pattern == value)


def extensions(data: Any, at: tuple[Any, ...] = (), where: str = "") -> Iterator[tuple[str, tuple[Any, ...], str]]:
    """(url, keys, FHIRPath) of every extension in a resource."""
    if isinstance(data, dict):
        where = where or str(data.get("resourceType", ""))
        for key, value in data.items():
            for index, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
                name = key.removeprefix("_")
                place, spot = (f"{where}.{name}", (*at, key)) if index is None else (f"{where}.{name}[{index}]", (*at, key, index))
                if key == "extension" and isinstance(one, dict) and "url" in one:
                    yield one["url"], spot, place
                yield from extensions(one, spot, place)
