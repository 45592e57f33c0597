"""What one evaluation knows and may spend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from openward.fhir.fhirpath.compare import key, size
from openward.fhir.fhirpath.errors import FhirPathTooCostly
from openward.fhir.fhirpath.model import Items
from openward.fhir.fhirpath.moments import Moment

BUDGET = 1_000_000
"""Items looked at in one evaluation."""
MAX_STRING = 1_000_000
LETTERS_A_STEP = 20
"""How much text counts as much as one item."""

Closure = Callable[[Items, "Context"], Items]
Resolve = Callable[[str], Any]
"""Reference or canonical → resource as parsed JSON, or None."""


class Terminology(Protocol):
    """What `memberOf` and `subsumes` ask; the engine's terminology answers it."""

    def member(self, value_set: str, system: str | None, code: str) -> bool | None: ...


class Context:
    """`this`, `index` and `total` are those of the innermost function that goes through items."""

    __slots__ = (
        "budget",
        "environment",
        "index",
        "keys",
        "origin",
        "resolve",
        "resource",
        "root",
        "started",
        "terminology",
        "this",
        "total",
        "traces",
    )

    def __init__(self, origin: Items, resource: Items, root: Items, environment: Mapping[str, Any], budget: int) -> None:
        self.this = origin
        self.origin = origin
        self.resource = resource
        self.root = root
        self.environment = environment
        self.budget = budget
        self.index = 0
        self.total: Items = []
        self.resolve: Resolve | None = None
        self.terminology: Terminology | None = None
        self.traces: list[tuple[str, Items]] | None = None
        self.started: dt.datetime | None = None
        self.keys: dict[int, tuple[Any, tuple[Any, ...]]] = {}

    def spend(self, steps: int) -> None:
        self.budget -= steps
        if self.budget < 0:
            raise FhirPathTooCostly()

    def key(self, item: Any) -> tuple[Any, ...]:
        """Hashes alike for items that are equal. A complex element is looked into once in an evaluation, and pays for its size."""
        if item.__class__ is not tuple or item[0].__class__ is not dict:
            return key(item)
        known = self.keys.get(id(item[0]))
        if known is None:
            self.spend(size(item))
            known = self.keys[id(item[0])] = (item[0], key(item))
        return known[1]

    def now(self) -> dt.datetime:
        """The same instant however often it is asked in one evaluation, in UTC."""
        if self.started is None:
            self.started = dt.datetime.now(dt.UTC)
        return self.started

    def now_moment(self) -> Moment:
        now = self.now()
        seconds = Decimal(now.second) + Decimal(now.microsecond // 1000).scaleb(-3)
        return Moment("DateTime", (now.year, now.month, now.day, now.hour, now.minute, seconds), 0)
