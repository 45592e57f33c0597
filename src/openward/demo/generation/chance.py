"""Chance that repeats: a seeded generator per patient, so that any patient can be made alone, and ids that follow from the seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

T = TypeVar("T")
FIRST_MILLISECOND = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)


class Chance(random.Random):
    """Random numbers that depend on the seed and a name only. Not for secrets."""

    def __init__(self, seed: int, *name: object) -> None:
        super().__init__("/".join(str(part) for part in ("openward-demo", seed, *name)))

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def near(self, middle: float, spread: float, low: float, high: float) -> float:
        """A bell curve cut off at both ends."""
        return min(max(self.gauss(middle, spread), low), high)

    def weighted(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of (choice, weight)."""
        return self.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]


class Ids:
    """Ids of one group of resources, in the shape of UUIDv7: groups and their members sort in the order they were made.

    https://www.rfc-editor.org/rfc/rfc9562#section-5.7. The time in them says nothing; it only makes rows land together.
    """

    def __init__(self, seed: int, group: int) -> None:
        self.seed, self.group, self.count = seed, group, 0

    def next(self) -> str:
        self.count += 1
        return fixed_id(self.seed, self.group, self.count)


def fixed_id(seed: int, group: int, number: int) -> str:
    """The id of the `number`th resource of a group."""
    digest = blake2b(f"{seed}/{group}/{number}".encode(), digest_size=8, person=b"openward-demo").digest()
    tail = int.from_bytes(digest) & ((1 << 62) - 1)
    head = (FIRST_MILLISECOND + group) << 80 | 0x7 << 76 | (number & 0xFFF) << 64
    return str(UUID(int=head | 0b10 << 62 | tail))


def task_id(code: str, about: str) -> str:
    """The id of the inbox item about an order or a conversation, as the chart room gives it: a correction opens the same item again."""
    return str(uuid5(NAMESPACE_URL, f"urn:openward:task/1/{code}/{about}"))
