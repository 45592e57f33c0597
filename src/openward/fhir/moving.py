"""Records of one patient that are moved to another: what points at the one points at the other from now on, and nothing else changes.

Guards that keep a settled record as it is (a signed note, a final result) let it be moved: they ask `is_under_way`. What is said stays said; it is
said of the same person under their right name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from typing import Any

_under_way: ContextVar[bool] = ContextVar("moving", default=False)

# Where a reference stands in a resource: keys and indexes from its root.
Path = tuple[str | int, ...]


@contextmanager
def under_way() -> Iterator[None]:
    token = _under_way.set(True)
    try:
        yield
    finally:
        _under_way.reset(token)


def is_under_way() -> bool:
    """Whether the change now being written only says whose record it is."""
    return _under_way.get()


def places(resource: Any, reference: str) -> list[Path]:
    """Where `Reference.reference` says exactly `reference`, contained resources included."""
    found: list[Path] = []
    nodes: list[tuple[Path, Any]] = [((), resource)]
    while nodes:
        path, node = nodes.pop()
        for name, value in node.items() if type(node) is dict else enumerate(node):
            if type(value) in (dict, list):
                nodes.append(((*path, name), value))
            elif name == "reference" and value == reference:
                found.append((*path, name))
    return found


def moved(resource: dict[str, Any], at: Sequence[Path], old: str, new: str) -> dict[str, Any]:
    """A copy that says `new` at those places where it says `old`; a place that is gone, or says something else, is left alone."""
    copy = deepcopy(resource)
    for path in at:
        holder: Any = copy
        try:
            for step in path[:-1]:
                holder = holder[step]
            if holder[path[-1]] == old:
                holder[path[-1]] = new
        except (KeyError, IndexError, TypeError):
            continue
    return copy
