"""Which functions there are and how each takes its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from openward.fhir.fhirpath.model import Items

Kind = Literal["values", "expressions", "type"]
Run = Callable[..., Items]


@dataclass(frozen=True, slots=True)
class Function:
    """`run(items, context, *arguments)`.

    `values`: each argument is the collection it gives for `$this`. `expressions`: each is a closure the function calls itself, item by
    item. `type`: the argument is the name of a type.
    """

    name: str
    kind: Kind
    least: int
    most: int
    run: Run


FUNCTIONS: dict[str, Function] = {}


def function(name: str, least: int = 0, most: int | None = None, *, kind: Kind = "values") -> Callable[[Run], Run]:
    """Register `run` under the name FHIRPath calls it by, taking `least` to `most` arguments (default: exactly `least`)."""

    def register(run: Run) -> Run:
        FUNCTIONS[name] = Function(name, kind, least, least if most is None else most, run)
        return run

    return register


def one(value: Any) -> Items:
    """A collection of the value, empty for None."""
    return [] if value is None else [value]
