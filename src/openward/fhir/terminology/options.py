"""What a client may say of the expansion it wants. https://hl7.org/fhir/R4/valueset-operation-expand.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openward.fhir.errors import BadRequest
from openward.fhir.terminology.versions import Versions

LIMIT = 10_000
"""Codes of one answer."""


@dataclass(frozen=True, slots=True)
class Options:
    """`designation`: only those of these uses or languages (`system|code`, or a language tag). `definition`: the composition stays in the answer. `said`: what goes back as the expansion's parameters."""

    filter: str | None = None
    offset: int = 0
    count: int | None = None
    designations: bool = False
    designation: Sequence[str] = ()
    definition: bool = False
    active_only: bool = False
    nested: bool = True
    exclude_not_for_ui: bool = False
    language: str | None = None
    exclude_systems: Sequence[str] = ()
    versions: Versions = field(default_factory=Versions)
    said: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        """Raises BadRequest for numbers below zero."""
        if self.offset < 0 or (self.count is not None and self.count < 0):
            raise BadRequest("offset and count are numbers from 0.")

    @property
    def is_page(self) -> bool:
        return self.count is not None or self.offset > 0
