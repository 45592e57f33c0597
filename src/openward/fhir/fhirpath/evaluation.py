"""Expressions compiled once, evaluated on plain parsed JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from openward.fhir.fhirpath.compiler import closure
from openward.fhir.fhirpath.context import BUDGET, Context, Resolve, Terminology
from openward.fhir.fhirpath.errors import FhirPathError
from openward.fhir.fhirpath.model import Items, type_of
from openward.fhir.fhirpath.parser import parse
from openward.fhir.fhirpath.values import plain, truth

MAX_FRAMES_MESSAGE = "The expression or the resource is nested too deep."


class Compiled:
    """One expression, ready to run on any number of resources, from any thread."""

    __slots__ = ("expression", "run", "tree")

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tree = parse(expression)
        self.run = closure(self.tree)

    def __repr__(self) -> str:
        return f"<Compiled {self.expression!r}>"

    def __call__(
        self,
        data: Any,
        *,
        type: str | None = None,
        root: Any = None,
        resolve: Resolve | None = None,
        terminology: Terminology | None = None,
        budget: int = BUDGET,
        **environment: Any,
    ) -> list[Any]:
        """What the expression gives for `data`, as JSON values: elements as they stand, dates as text, amounts as Quantity objects.

        `data` is a resource or an element as parsed JSON (decimals as Decimal); an element's `type` is a FHIR type or backbone path such
        as `Patient.contact`. `root` is the resource around it (`%rootResource`, and `%resource` where `data` is an element); `environment`
        holds `%name` variables, among them, where they are not these, `resource` and `rootResource`. Raises FhirPathError.
        """
        items = self.items(data, type=type, root=root, resolve=resolve, terminology=terminology, budget=budget, environment=environment)
        return [plain(item) for item in items]

    def holds(self, data: Any, *, type: str | None = None, root: Any = None, resolve: Resolve | None = None, **environment: Any) -> bool:
        """Is it true? Empty is not. Raises FhirPathError for more than one item."""
        return truth(self.items(data, type=type, root=root, resolve=resolve, environment=environment), self.expression[:80]) is True

    def items(
        self,
        data: Any,
        *,
        type: str | None = None,
        root: Any = None,
        resolve: Resolve | None = None,
        terminology: Terminology | None = None,
        budget: int = BUDGET,
        environment: Mapping[str, Any] | None = None,
        traces: list[tuple[str, Items]] | None = None,
    ) -> Items:
        """As calling it, but the items themselves: values of FHIRPath's own types, and nodes (see `model`), which know their place."""
        node = data if data.__class__ is tuple else (data, type_of(data, type), None, None, None, None)
        origin = [node]
        around = origin if root is None else [(root, type_of(root), None, None, None, None)]
        resource = origin if root is None or "Resource" in node[1].ancestors else around
        if environment:
            resource, around = _given(environment, "resource", resource), _given(environment, "rootResource", around)
        context = Context(origin, resource, around, environment or {}, budget)
        context.resolve = resolve
        context.terminology = terminology
        context.traces = traces
        try:
            return self.run(origin, context)
        except RecursionError as error:
            raise FhirPathError(MAX_FRAMES_MESSAGE) from error


def _given(environment: Mapping[str, Any], name: str, otherwise: Items) -> Items:
    """`%resource` or `%rootResource` as the caller says they are."""
    value = environment.get(name)
    return otherwise if value is None else [(value, type_of(value), None, None, None, None)]


@lru_cache(4096)
def compile(expression: str) -> Compiled:
    """The expression, compiled the first time it is asked for. Raises FhirPathSyntax, FhirPathError."""
    try:
        return Compiled(expression)
    except RecursionError as error:
        raise FhirPathError(MAX_FRAMES_MESSAGE) from error


def evaluate(expression: str, data: Any, **options: Any) -> list[Any]:
    """What the expression gives for a resource; `options` as of `Compiled`. Raises FhirPathError."""
    return compile(expression)(data, **options)
