"""What registration refuses; the docstring is the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from openward.fhir.errors import Conflict, Refused

if TYPE_CHECKING:
    from openward.fhir.matching import Match


class NumberTaken(Conflict):
    """The medical record number {number} belongs to another patient."""


class NumberFixed(Refused):
    """A medical record number is given once and never changes: this patient's is {number}."""


class ProbableDuplicate(Conflict):
    """Someone very like this person is registered already. Open their record, or say why this is a different person."""

    def __init__(self, likenesses: Sequence[Match]) -> None:
        self.likenesses = list(likenesses)
        super().__init__()


class OrderTaken(Conflict):
    """{payer} already has this place in the order. Choose another, or change that one first."""


class Unreachable(Refused):
    """There is no e-mail, telephone for texts or address to send the invitation to. Add one first."""
