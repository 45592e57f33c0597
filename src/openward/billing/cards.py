"""Card payments: what a processor must offer, and the double that stands in for one.

The number of a card passes through memory only. It is never stored, logged, or put into an error.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Card:
    """A card as its holder types it; `number` and `code` do not show in a repr. Month is 1 to 12, year has four digits."""

    number: str = field(repr=False)
    month: int
    year: int
    code: str = field(repr=False, default="")
    name: str = field(repr=False, default="")

    @property
    def digits(self) -> str:
        return "".join(mark for mark in self.number if mark.isdigit())

    @property
    def last4(self) -> str:
        return self.digits[-4:]

    @property
    def is_well_formed(self) -> bool:
        """Whether the number's length and check digit (Luhn) are right."""
        digits = [int(mark) for mark in reversed(self.digits)]
        total = sum(digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(digits))
        return 12 <= len(digits) <= 19 and total % 10 == 0

    def is_expired(self, today: dt.date) -> bool:
        return (self.year, self.month) < (today.year, today.month)


@dataclass(frozen=True, slots=True)
class Charged:
    """The processor's yes. `id` is its own number of the charge."""

    id: str
    last4: str


class Declined(Exception):
    """The processor said no; `reason` is a sentence for the card holder."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ProcessorUnreachable(Exception):
    """Nobody answered: whether the card was charged is not known until the processor is asked again by the same key."""


class CardProcessor(Protocol):
    """Charges are idempotent by `key`: the same key never charges twice."""

    def charge(self, *, card: Card, amount: Decimal, key: str, words: str) -> Charged:
        """Raises Declined, ProcessorUnreachable."""

    def find(self, key: str) -> Charged | None:
        """What became of an earlier charge; None when the card was not charged."""

    def refund(self, *, charge: str, amount: Decimal, key: str) -> Charged:
        """Give money back to the card. Raises Declined, ProcessorUnreachable."""


# Numbers that card schemes keep for testing.
APPROVED = "4242424242424242"
NO = {
    "4000000000000002": "the bank says no",
    "4000000000009995": "there is not enough money on the account",
    "4000000000000069": "the card has expired",
}


class TestCards:
    """The local double: remembers charges in DATA/cards, knows the test numbers, refuses every other card."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self) -> None:
        self._folder = Path(settings.OPENWARD_DATA) / "cards"

    def charge(self, *, card: Card, amount: Decimal, key: str, words: str) -> Charged:
        if found := self.find(key):
            return found
        if card.is_expired(timezone.localdate()):
            raise Declined("the card has expired")
        if card.digits != APPROVED:
            raise Declined(NO.get(card.digits, "this is the test processor, which takes test cards only"))
        return self._remember(key, Charged(f"test_{_digest(key)}", card.last4), amount)

    def find(self, key: str) -> Charged | None:
        try:
            kept = json.loads((self._folder / f"{_digest(key)}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Charged(kept["id"], kept["last4"])

    def refund(self, *, charge: str, amount: Decimal, key: str) -> Charged:
        return self.find(key) or self._remember(key, Charged(f"refund_{_digest(key)}", ""), -amount)

    def _remember(self, key: str, charged: Charged, amount: Decimal) -> Charged:
        """Written beside its place and linked there: of two at once, one is first and both get its answer."""
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / f"{_digest(key)}.json"
        part = place.with_name(f".{place.name}.{os.getpid()}.{id(charged)}")
        part.write_text(json.dumps({"id": charged.id, "last4": charged.last4, "amount": str(amount)}), encoding="utf-8")
        try:
            os.link(part, place)
        except FileExistsError:
            pass
        finally:
            part.unlink()
        return self.find(key) or charged


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]


@cache
def processor() -> CardProcessor:
    """The processor this installation uses (`OPENWARD_CARD_PROCESSOR`, a dotted path), else the local double."""
    path = settings.OPENWARD_CARD_PROCESSOR
    chosen: CardProcessor = import_string(path)() if path else TestCards()
    return chosen
