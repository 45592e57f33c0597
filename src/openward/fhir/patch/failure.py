"""A patch that is well-formed and cannot be carried out."""

from __future__ import annotations

from typing import ClassVar

from openward.fhir.errors import FhirError


class PatchFailed(FhirError):
    """The patch cannot be applied to the resource as it stands."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "processing"
