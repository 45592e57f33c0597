"""What other parts ask of terminology: is this code in that value set, does this concept subsume that one, which codes does a set hold.

    terminology = Terminology.of(store)            # or Terminology(connection, tenant)
    terminology.member("http://hl7.org/fhir/ValueSet/administrative-gender", None, "female")   # True

Three-valued throughout: None is "this installation cannot tell", because the code system is not here or only a part of it is. It is never a guess.
https://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from openward.fhir.errors import Issue

Subsumption = Literal["equivalent", "subsumes", "subsumed-by", "not-subsumed"]


@dataclass(frozen=True, slots=True)
class Validation:
    """The answer to "is this code right?". `result` None: cannot tell, and `message` says which code system is lacking.

    `display` is the preferred one of the code system. `issues` carry severity `error` (why it is wrong) or `warning` (such as another display).
    """

    result: bool | None
    message: str | None = None
    display: str | None = None
    system: str | None = None
    code: str | None = None
    version: str | None = None
    issues: Sequence[Issue] = field(default_factory=tuple)


class Terminology(Protocol):
    """Canonical addresses may carry a version: `http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1`."""

    def member(self, value_set: str, system: str | None, code: str, version: str | None = None) -> bool | None:
        """Whether the value set holds the code. `system` None: by the code alone, as elements of type `code` carry it."""

    def knows_value_set(self, value_set: str) -> bool:
        """Whether there is a definition of this value set here."""

    def knows_system(self, system: str) -> bool:
        """Whether the code system can be checked here: all of its codes, or its grammar, are known."""

    def validate_code(
        self,
        system: str | None,
        code: str,
        value_set: str | None = None,
        *,
        version: str | None = None,
        display: str | None = None,
        abstract: bool = True,
    ) -> Validation:
        """Whether the code exists in its system (and in the value set when one is named), and whether `display` is one of its names.

        `abstract` False: a concept that only groups others is not acceptable. Raises NotFound for a value set that is not here.
        """

    def subsumes(self, system: str, a: str, b: str, version: str | None = None) -> Subsumption | None:
        """How `a` relates to `b`; None when the system or one of the codes is not here."""

    def expand(self, value_set: str | Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """The ValueSet with its expansion (see openward.fhir.terminology.options.Options for the options).

        Raises NotFound for a set or a code system that is not here, ExpansionTooCostly for one that cannot be listed.
        """

    def codes(self, value_set: str, limit: int = 10_000) -> Sequence[tuple[str, str]] | None:
        """Every (system, code) of the set, abstract and inactive ones too, for searches `:in`. None: cannot tell; ExpansionTooCostly above `limit`."""

    def below(self, system: str, code: str, limit: int = 10_000) -> Sequence[str] | None:
        """The code and every code it subsumes, for searches `:below`. None: the system or the code is not here; ExpansionTooCostly above `limit`."""

    def above(self, system: str, code: str) -> Sequence[str] | None:
        """The code and every code that subsumes it, for searches `:above`. None: the system or the code is not here."""

    def display(self, system: str, code: str, language: str | None = None) -> str | None:
        """The name of the concept, in that language where there is one; None when it is not here."""
