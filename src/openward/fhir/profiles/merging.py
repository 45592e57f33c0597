"""A differential laid over the profile it starts from: what a snapshot would say. https://hl7.org/fhir/R4/profiling.html#snapshot"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from openward.fhir.profiles.facts import Node, Slicing
from openward.fhir.profiles.reduction import DEFAULT_SLICINGS


def merge(base: Node, over: Node) -> Node:
    """The facts of `base` and of `over`; where both speak, `over` does, which may only narrow."""
    return msgspec.structs.replace(
        over,
        min=max(base.min, over.min),
        max=_least(base.max, over.max),
        types=over.types or base.types,
        profiles=base.profiles | over.profiles,
        targets=over.targets or base.targets,
        fixed=base.fixed if over.fixed is None else over.fixed,
        pattern=base.pattern if over.pattern is None else over.pattern,
        binding=over.binding or base.binding,
        constraints=tuple(dict.fromkeys((*base.constraints, *over.constraints))),
        slicing=_slicing(base.slicing, over.slicing),
        children=_merged(base.children, over.children, lambda node: node.name),
        slices=_merged(base.slices, over.slices, lambda node: node.slice),
        content=over.content or base.content,
        max_length=_least(base.max_length, over.max_length),
        min_value=base.min_value if over.min_value is None else over.min_value,
        max_value=base.max_value if over.max_value is None else over.max_value,
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((number for number in (one, other) if number is not None), default=None)


def _slicing(base: Slicing | None, over: Slicing | None) -> Slicing | None:
    """A differential that only adds slices does not repeat how they are told apart."""
    return base if over is None or (base is not None and over in DEFAULT_SLICINGS) else over


def _merged(base: Iterable[Node], over: Iterable[Node], key: Any) -> tuple[Node, ...]:
    nodes = {key(node): node for node in base}
    for node in over:
        known = nodes.get(key(node))
        nodes[key(node)] = node if known is None else merge(known, node)
    return tuple(nodes.values())


def with_ids(elements: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The elements of a differential, each with the id that tells which slice it is in; tools may leave it out."""
    latest: dict[str, str] = {}
    made: list[dict[str, Any]] = []
    for element in elements:
        path = element["path"]
        slice = f":{element['sliceName']}" if element.get("sliceName") else ""
        for inner in [one for one in latest if one.startswith(path + ".")]:
            del latest[inner]  # of the slice before this one
        latest[path] = element.get("id") or _within(path, latest) + slice
        made.append({**element, "id": latest[path]})
    return made


def _within(path: str, latest: Mapping[str, str]) -> str:
    """The path with the slices it lies in: what stands between it and the slice need not be named."""
    above = path.rpartition(".")[0]
    while above and above not in latest:
        above = above.rpartition(".")[0]
    return latest[above] + path.removeprefix(above) if above else path
