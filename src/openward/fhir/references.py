"""The references inside a resource: finding them, reading them, and refusing those that point at nothing.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openward.fhir.definitions import is_resource_type
from openward.fhir.ids import is_id


@dataclass(frozen=True, slots=True)
class Target:
    """What a relative reference names: `Patient/1` or `Patient/1/_history/2`."""

    type: str
    id: str


def literal_references(node: Any) -> Iterator[str]:
    """Every `Reference.reference` below `node`, contained resources included."""
    if isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str):
            yield reference
        for child in node.values():
            if isinstance(child, dict | list):
                yield from literal_references(child)
    elif isinstance(node, list):
        for child in node:
            yield from literal_references(child)


def target(reference: str) -> Target | None:
    """The resource of this server that `reference` names; None for contained (#…), urn: and absolute ones."""
    if reference.startswith("#") or ":" in reference or "?" in reference:
        return None
    parts = reference.split("/")
    if len(parts) not in (2, 4) or not is_resource_type(parts[0]) or not is_id(parts[1]):
        return None
    return Target(parts[0], parts[1])


def is_unreadable(reference: str) -> bool:
    """Whether `reference` is neither relative to this server, contained, absolute, nor a URN."""
    return target(reference) is None and not reference.startswith("#") and ":" not in reference


def located(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """(FHIRPath, reference) of every literal reference below `node`; slower than `literal_references`, for error messages."""
    if isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str):
            yield f"{path}.reference", reference
        for name, child in node.items():
            yield from located(child, f"{path}.{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from located(child, f"{path}[{index}]")


def rewritten(node: Any, rewrite: Callable[[str], str | None]) -> Any:
    """A copy of `node` in which every string that `rewrite` knows is replaced; `Identifier.value` and the like keep theirs.

    https://hl7.org/fhir/R4/http.html#trules: references, and elements of type uri, url, oid and uuid.
    """
    if isinstance(node, dict):
        return {name: child if name == "value" and isinstance(child, str) else rewritten(child, rewrite) for name, child in node.items()}
    if isinstance(node, list):
        return [rewritten(child, rewrite) for child in node]
    if isinstance(node, str):
        return rewrite(node) or node
    return node
