"""The states of a claim and which may follow which. The state is the tag `urn:openward:claim-state` of the Claim."""

from __future__ import annotations

from typing import Final

from openward.fhir.errors import Conflict

DRAFT: Final = "draft"
READY: Final = "ready"
SUBMITTED: Final = "submitted"
ACCEPTED: Final = "accepted"
DENIED: Final = "denied"
PAID: Final = "paid"
STATES: Final = (DRAFT, READY, SUBMITTED, ACCEPTED, DENIED, PAID)
OPEN: Final = frozenset({DRAFT, READY})
SENT: Final = frozenset({SUBMITTED, ACCEPTED})
ANSWERED: Final = frozenset({DENIED, PAID})

# A denied or paid claim goes back to draft to be corrected and sent again; an answer that the payer takes back leaves it submitted.
FOLLOWS: Final[dict[str, frozenset[str]]] = {
    DRAFT: frozenset({READY}),
    READY: frozenset({DRAFT, SUBMITTED}),
    SUBMITTED: frozenset({ACCEPTED, DENIED, PAID}),
    ACCEPTED: frozenset({DENIED, PAID, SUBMITTED}),
    DENIED: frozenset({DRAFT, PAID, SUBMITTED}),
    PAID: frozenset({DRAFT, DENIED, SUBMITTED}),
}


class IllegalTransition(Conflict):
    """A claim that is {before} cannot become {after}."""


def check(before: str, after: str) -> None:
    """Raises IllegalTransition unless `after` is the same state or may follow `before`."""
    if before != after and after not in FOLLOWS.get(before, ()):
        raise IllegalTransition(before=before, after=after)
