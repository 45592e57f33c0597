"""The profile's own invariants, in FHIRPath. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from openward.fhir.definitions import has_structure
from openward.fhir.fhirpath import FhirPathError
from openward.fhir.fhirpath import compile as compile_expression
from openward.fhir.profiles.facts import Constraint
from openward.fhir.profiles.findings import ERROR, WARNING, Finding, Findings
from openward.fhir.profiles.run import Run
from openward.fhir.validation.presence import ask, needed

# What an expression may ask beside the value it is about.
BESIDES = re.compile(r"%|\b(?:resolve|memberOf|validateVS|conformsTo|subsumes|subsumedBy|htmlChecks|trace|now|today|timeOfDay)\b")
# What expressions that trust shapes raise where one is wrong.
ASTRAY = (FhirPathError, TypeError, ValueError, LookupError, AttributeError)

Rule = Callable[[Any, str, Run], Findings | None]


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return compile_expression(expression)


def constraint_rule(constraint: Constraint) -> Rule:
    """A check that the expression is true of a value. One that cannot be worked out here is a warning, never silence."""
    severity = WARNING if constraint.is_warning else ERROR
    sentence = constraint.human.strip().rstrip(".") or "breaks a rule of the profile"

    def rule(value: Any, type: str, run: Run) -> Findings | None:
        if (run.errors_only and severity == WARNING) or _surely(constraint.expression, value, type):
            return None
        try:
            result = holds(constraint.expression, value, type, run)
        except FhirPathError as error:
            return [Finding("", "not-supported", f"{constraint.key} could not be checked: {error}", WARNING, constraint.key)]
        return None if result else [Finding("", "invariant", sentence, severity, constraint.key)]

    return rule


def _surely(expression: str, value: Any, type: str) -> bool:
    """Whether a quick look tells that the expression is true; if not, it may be true all the same."""
    if value.__class__ is str:
        return _of_text(expression, value, type)
    try:
        look = _quick(expression, type) if value.__class__ is dict else None
        return look is not None and look(value)
    except ASTRAY:
        return False


@lru_cache(maxsize=4096)
def _of_text(expression: str, value: str, type: str) -> bool:
    """Dates, codes and the like are met again and again."""
    try:
        return BESIDES.search(expression) is None and _compiled(expression)(value, type=type) == [True]
    except ASTRAY:
        return False


@lru_cache(maxsize=4096)
def _quick(expression: str, type: str) -> Callable[[dict[str, Any]], bool] | None:
    """A look at the keys of an object, and at what is left of the expression only where they do not tell."""
    if not has_structure(type) or BESIDES.search(expression):
        return None
    tree = _compiled(expression).tree
    must_be_there, is_true = needed(tree, type), ask(tree, type)
    return lambda data: not all(is_there(data) for is_there in must_be_there) or is_true(data) is True


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
