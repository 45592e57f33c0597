"""The profile's own invariants, in FHIRPath. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from openward.fhir.fhirpath import FhirPathError
from openward.fhir.fhirpath import compile as compile_expression
from openward.fhir.profiles.facts import Constraint
from openward.fhir.profiles.findings import ERROR, WARNING, Finding, Findings
from openward.fhir.profiles.run import Run

Rule = Callable[[Any, str, Run], Findings | None]


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return compile_expression(expression)


def constraint_rule(constraint: Constraint) -> Rule:
    """A check that the expression is true of a value. One that cannot be worked out here is a warning, never silence."""
    severity = WARNING if constraint.is_warning else ERROR
    sentence = constraint.human.strip().rstrip(".") or "breaks a rule of the profile"

    def rule(value: Any, type: str, run: Run) -> Findings | None:
        try:
            result = holds(constraint.expression, value, type, run)
        except FhirPathError as error:
            return [Finding("", "not-supported", f"{constraint.key} could not be checked: {error}", WARNING, constraint.key)]
        return None if result else [Finding("", "invariant", sentence, severity, constraint.key)]

    return rule


def holds(expression: str, value: Any, type: str, run: Run) -> bool:
    """Whether the expression gives something that is not false. Raises FhirPathError."""
    result = evaluated(expression, value, type, run)
    return bool(result) and result != [False]


def evaluated(expression: str, value: Any, type: str, run: Run) -> list[Any]:
    """What the expression gives. Raises FhirPathError."""
    try:
        found: list[Any] = _compiled(expression)(
            value, type=type, root=run.resource, resolve=run.resolve, terminology=run.terminology, resource=run.resource, rootResource=run.container
        )
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # Expressions trust shapes; what has the wrong one is refused by the base validation, and looked at here all the same.
        raise FhirPathError("a value has the wrong shape") from error
    return found
