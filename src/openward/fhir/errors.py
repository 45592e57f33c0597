"""What can go wrong with a request, one class each; the docstring is the sentence.

Raised where it happens. Turned into an OperationOutcome in `fhir/http.py` and into a sentence for a person in
`web/errors.py`, nowhere else. `code` is from https://hl7.org/fhir/R4/valueset-issue-type.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong and where: `expression` is a FHIRPath such as `Patient.name[0].family`."""

    code: str
    diagnostics: str
    expression: str | None = None
    severity: str = "error"

    def to_fhir(self) -> dict[str, Any]:
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.diagnostics}
        if self.expression:
            issue["expression"] = [self.expression]
        return issue


class FhirError(Exception):
    """The request could not be carried out."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(self, message: str | None = None, *, issues: Sequence[Issue] = (), **values: object) -> None:
        self.values: Mapping[str, object] = values
        text = message or (type(self).__doc__ or "").strip().split("\n")[0].format_map(values)
        self.issues: list[Issue] = list(issues) or [Issue(self.code, text)]
        super().__init__(text)

    def outcome(self) -> dict[str, Any]:
        """The OperationOutcome resource. https://hl7.org/fhir/R4/operationoutcome.html"""
        return {"resourceType": "OperationOutcome", "issue": [issue.to_fhir() for issue in self.issues]}


class BadRequest(FhirError):
    """The request is not one FHIR allows."""

    status = 400
    code = "invalid"


class Malformed(BadRequest):
    """The body is not well-formed JSON."""

    code = "structure"


class TooCostly(FhirError):
    """The request is larger than this server takes."""

    status = 413
    code = "too-costly"


class Unauthenticated(FhirError):
    """Sign in first: the request carries no valid credentials."""

    status = 401
    code = "login"


class InvalidToken(Unauthenticated):
    """Sign in anew: the token is not of this server, has run out, or was withdrawn."""


class Forbidden(FhirError):
    """You may not do this."""

    status = 403
    code = "forbidden"


class NotFound(FhirError):
    """{type}/{id} does not exist."""

    status = 404
    code = "not-found"


class UnknownType(FhirError):
    """{type} is not a FHIR R4 resource type."""

    status = 404
    code = "not-supported"


class Gone(FhirError):
    """{type}/{id} was deleted."""

    status = 410
    code = "deleted"


class Conflict(FhirError):
    """The change conflicts with the current state."""

    status = 409
    code = "conflict"


class PreconditionFailed(FhirError):
    """{type}/{id} is at version {version}, not the version the request names."""

    status = 412
    code = "conflict"


class MultipleMatches(FhirError):
    """The condition matches more than one {type}."""

    status = 412
    code = "multiple-matches"


class Invalid(FhirError):
    """The resource breaks the rules of its type."""

    status = 422
    code = "invalid"


class Refused(FhirError):
    """A rule of the record refuses this change."""

    status = 422
    code = "business-rule"


class MethodNotAllowed(FhirError):
    """This address does not take {method}."""

    status = 405
    code = "not-supported"


def outcome_of(error: Exception) -> Literal[4, 8]:
    """How an audit event calls what `error` ended: 4 refused, 8 failed."""
    return 4 if isinstance(error, FhirError) and error.status < 500 else 8
