"""What can go wrong with an expression: it cannot be read, it makes no sense, or it asks for too much."""

from __future__ import annotations

from openward.fhir.errors import BadRequest


class FhirPathError(BadRequest):
    """The FHIRPath expression cannot be evaluated."""

    code = "invalid"


class FhirPathSyntax(FhirPathError):
    """The FHIRPath expression is not well-formed."""


class FhirPathTooCostly(FhirPathError):
    """The FHIRPath expression takes more steps than are allowed."""

    code = "too-costly"
