"""Limits of single values: maxLength, minValue, maxValue. https://hl7.org/fhir/R4/elementdefinition.html"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from openward.fhir.profiles.facts import Node
from openward.fhir.profiles.findings import Finding, Findings

Rule = Callable[[Any], Findings | None]


def limit_rules(node: Node) -> list[Rule]:
    rules: list[Rule] = []
    if node.max_length is not None:
        rules.append(_no_longer_than(node.max_length))
    if node.min_value is not None:
        rules.append(_on_this_side(node.min_value, -1, "is less than the profile allows"))
    if node.max_value is not None:
        rules.append(_on_this_side(node.max_value, 1, "is more than the profile allows"))
    return rules


def _no_longer_than(most: int) -> Rule:
    def rule(value: Any) -> Findings | None:
        return [Finding("", "value", f"is longer than {most} characters")] if isinstance(value, str) and len(value) > most else None

    return rule


def _on_this_side(limit: Any, beyond: int, sentence: str) -> Rule:
    """Nothing to say unless the comparison with the limit gives `beyond`."""
    return lambda value: [Finding("", "value", sentence)] if _compared(value, limit) == beyond else None


def _compared(value: Any, limit: Any) -> int:
    """-1, 0 or 1; 0 also where the two cannot be compared: other units, dates of which one is within the other."""
    if isinstance(limit, dict):
        if not isinstance(value, dict) or value.get("code") != limit.get("code") or value.get("system") != limit.get("system"):
            return 0
        return _compared(value.get("value"), limit.get("value"))
    if isinstance(limit, str) and isinstance(value, str):
        return _compared_moments(value, limit)
    if isinstance(value, int | Decimal) and isinstance(limit, int | float | Decimal):
        return (Decimal(value) > Decimal(str(limit))) - (Decimal(value) < Decimal(str(limit)))
    return 0


def _compared_moments(value: str, limit: str) -> int:
    if "T" in value and "T" in limit:
        try:
            one, other = dt.datetime.fromisoformat(value), dt.datetime.fromisoformat(limit)
            return (one > other) - (one < other)
        except (ValueError, TypeError):
            return 0
    length = min(len(value), len(limit))
    return (value[:length] > limit[:length]) - (value[:length] < limit[:length])
