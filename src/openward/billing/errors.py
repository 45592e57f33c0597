"""What billing refuses, one class each; the docstring is the sentence."""

from __future__ import annotations

from openward.fhir.errors import Conflict, Refused


class NotScrubbed(Refused):
    """The claim is not ready to send: mend what its scrub list names first."""


class ClaimIsSent(Conflict):
    """The claim was sent and is not changed any more; correct it by a replacement."""


class TooMuch(Refused):
    """A claim cannot come to this much: no line and no total may reach ten thousand million dollars."""


class NothingToBill(Refused):
    """The visit has no charges that a claim could carry."""


class NoCoverage(Refused):
    """The patient has no active insurance for the day of the visit: bill the patient."""


class AlreadyClaimed(Conflict):
    """The visit already has claim {number}."""


class AlreadyBilled(Conflict):
    """The visit was billed to the patient before: what was added since is billed by a claim or a visit of its own."""


class WrongAmount(Refused):
    """Enter an amount from $0.01 to {most}."""


class CardDeclined(Refused):
    """The card was declined: {reason}. Nothing was charged."""


class TooManyCards(Refused):
    """Too many cards were declined for this bill today. Call the practice, or try again tomorrow."""


class PaymentUncertain(Conflict):
    """The bank did not answer: whether the card was charged shows here within a quarter of an hour. Do not pay another way meanwhile."""


class RefundDeclined(Refused):
    """The bank refused to give the money back: {reason}. Nothing was given back."""


class RefundUncertain(Conflict):
    """The bank did not answer: whether the money went back shows here within a quarter of an hour. Do not give it back another way meanwhile."""


class SentToday(Conflict):
    """Statement {number} of today says the same. Nothing was sent again."""


class LinkIsSpent(Refused):
    """This payment link has expired or was used."""


class StillWorking(Conflict):
    """This payment is already on its way. Wait a moment and look again; nothing is charged twice."""


class UnknownFee(Refused):
    """{code} is not on the fee schedule."""


class BalanceOpen(Refused):
    """The record that would go has a balance of its own. Settle it, or move it to the other record, and merge then."""
