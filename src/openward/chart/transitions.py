"""Which state may follow which, one table per concept; everything else raises IllegalTransition.

MedicationRequest: https://hl7.org/fhir/R4/valueset-medicationrequest-status.html
ServiceRequest: https://hl7.org/fhir/R4/valueset-request-status.html
Task: https://hl7.org/fhir/R4/valueset-task-status.html
Composition: https://hl7.org/fhir/R4/valueset-composition-status.html
Observation: https://hl7.org/fhir/R4/valueset-observation-status.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openward.chart.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Table:
    """The states of one concept and what may follow each."""

    concept: str
    legal: Mapping[str, frozenset[str]]

    def check(self, before: str | None, after: str | None) -> None:
        """Raises IllegalTransition. Staying in one state is always legal, and any state may be the first: history is brought in as it was."""
        if before is None or before == after:
            return
        if after not in self.legal.get(before, frozenset()):
            raise IllegalTransition(concept=self.concept, before=before, after=after or "no state")


def _table(concept: str, **legal: str) -> Table:
    return Table(concept, {state.replace("_", "-"): frozenset(after.split()) for state, after in legal.items()})


MEDICATION_REQUEST: Final = _table(
    "A prescription",
    draft="active cancelled entered-in-error",
    active="on-hold stopped completed cancelled entered-in-error",
    on_hold="active stopped cancelled entered-in-error",
    completed="entered-in-error",
    stopped="entered-in-error",
    cancelled="entered-in-error",
    unknown="active on-hold stopped completed cancelled entered-in-error",
    entered_in_error="",
)

SERVICE_REQUEST: Final = _table(
    "An order",
    draft="active revoked entered-in-error",
    active="on-hold completed revoked entered-in-error",
    on_hold="active revoked entered-in-error",
    completed="active entered-in-error",
    revoked="entered-in-error",
    unknown="active on-hold completed revoked entered-in-error",
    entered_in_error="",
)

_OPEN = "received accepted ready in-progress on-hold rejected cancelled failed completed entered-in-error"
TASK: Final = _table(
    "A task",
    draft=f"requested {_OPEN}",
    requested=_OPEN,
    received=f"requested {_OPEN}",
    accepted=f"requested {_OPEN}",
    ready=f"requested {_OPEN}",
    in_progress=f"requested {_OPEN}",
    on_hold=f"requested {_OPEN}",
    rejected="requested entered-in-error",
    failed="requested entered-in-error",
    # A corrected result or another message opens the item again.
    completed="requested entered-in-error",
    cancelled="requested entered-in-error",
    entered_in_error="",
)

_CORRECTED = "amended corrected cancelled entered-in-error"
OBSERVATION: Final = _table(
    "A result",
    registered=f"preliminary final {_CORRECTED}",
    preliminary=f"registered final {_CORRECTED}",
    final="amended corrected entered-in-error",
    amended="corrected entered-in-error",
    corrected="amended entered-in-error",
    cancelled="entered-in-error",
    unknown=f"registered preliminary final {_CORRECTED}",
    entered_in_error="",
)

REPORT: Final = _table(
    "A report",
    registered=f"partial preliminary final appended {_CORRECTED}",
    partial=f"registered preliminary final appended {_CORRECTED}",
    preliminary=f"registered partial final appended {_CORRECTED}",
    final="amended corrected appended cancelled entered-in-error",
    amended="corrected appended cancelled entered-in-error",
    corrected="amended appended cancelled entered-in-error",
    appended="amended corrected cancelled entered-in-error",
    cancelled="entered-in-error",
    unknown=f"registered partial preliminary final appended {_CORRECTED}",
    entered_in_error="",
)
"""`appended` adds to a final report; a new report may follow a corrected one as corrected again."""

COMPOSITION: Final = _table(
    "A note",
    preliminary="final entered-in-error",
    final="",
    amended="",
    entered_in_error="",
)
