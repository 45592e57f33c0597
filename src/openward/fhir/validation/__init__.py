"""Is this a FHIR R4 resource? Every fault at once, each with its place. https://hl7.org/fhir/R4/validation.html

Structure, cardinality, choices, the format of every primitive, required bindings, what references may point at, contained resources,
safe narrative, and the cheaper invariants. Extensions nobody has told us of are welcome, as FHIR wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.errors import Invalid, Issue
from openward.fhir.validation.whole import check_resource

__all__ = ["check", "validate"]


def validate(resource: Mapping[str, Any]) -> list[Issue]:
    """Everything wrong with a resource as parsed JSON (decimals as Decimal); empty when it is sound.

    `Issue.expression` is a FHIRPath such as `Patient.name[0].given[1]`. Diagnostics name elements and codes, never other values.
    """
    found = check_resource(resource)
    if found is None:
        return []
    named = resource.get("resourceType") if isinstance(resource, dict) else None
    root = named if isinstance(named, str) and named.isalpha() else "Resource"
    return [Issue(code, f"{root[:64]}{where}: {message}", root[:64] + where) for where, code, message in found]


def check(resource: Mapping[str, Any]) -> None:
    """Raises Invalid with every issue."""
    issues = validate(resource)
    if issues:
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        raise Invalid(issues[0].diagnostics + more, issues=issues)
