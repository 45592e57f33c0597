"""How alike two names are: the level of the given names, of the family names, and why, in words for the person at the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from nicknames import NickNamer
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from openward.fhir.matching.facts import Name
from openward.fhir.matching.weights import RELATIVES, SWAPPED, WEIGHTS
from openward.fhir.search.phonetics import sounds

SAID = {
    "words": "has the same words",
    "slip": "differs by one letter",
    "sound": "sounds the same",
    "part": "is partly the same",
    "middle": "is the same in the middle",
    "nickname": "is a nickname",
    "short": "is a short form",
    "initial": "has the same initial",
    "alike": "is spelt alike",
}
ALIKE = 0.88
ORDER = ("same", "nickname", "slip", "sound", "short", "alike", "initial", "differs")


@dataclass(frozen=True, slots=True)
class Likeness:
    """The weight of two names, why, and the levels of their parts ("" where one side says nothing)."""

    weight: float
    why: str
    family: str
    given: str

    @property
    def agrees(self) -> bool:
        """Neither part is against it."""
        return "differs" not in (self.family, self.given)


NOTHING = Likeness(0.0, "", "", "")


def judge(new: Sequence[Name], other: Sequence[Name]) -> Likeness:
    """The likeliest pair of names."""
    pairs = [_pair(first, second) for first in new for second in other]
    return max(pairs, key=lambda pair: pair.weight, default=NOTHING)


def _pair(first: Name, second: Name) -> Likeness:
    straight = _straight(first, second)
    crossed = _straight(first, Name(second.family, second.given))
    if crossed.weight + SWAPPED > straight.weight and crossed.agrees:
        return replace(crossed, weight=crossed.weight + SWAPPED, why="Given and family name the other way round")
    return straight


def _straight(first: Name, second: Name) -> Likeness:
    family, given = _level(first.family, second.family, "family"), _level(first.given, second.given, "given")
    weight = sum(WEIGHTS[part][level] for part, level in (("family", family), ("given", given)) if level)
    if given == "differs" and family not in ("", "differs"):
        weight = min(weight, WEIGHTS["given"]["differs"] + RELATIVES / 2) - RELATIVES
    return Likeness(weight, _why(family, given), family, given)


def _why(family: str, given: str) -> str:
    if family == given == "same":
        return "Same name"
    if given == "differs" or (family == "differs" and given not in ("same", "part")):
        return ""
    said = [
        f"{which} {SAID.get(level, 'is the same')}"
        for which, level in (("Family name", family), ("Given name", given))
        if level not in ("", "differs")
    ]
    return ", ".join(said)


def _level(ours: Sequence[str], theirs: Sequence[str], part: str) -> str:
    """ "" when one side says nothing."""
    if not ours or not theirs:
        return ""
    if ours == theirs:
        return "same"
    if sorted(ours) == sorted(theirs):
        return "words"
    levels = {_word(a, b, part) for a in ours for b in theirs}
    best = next(level for level in ORDER if level in levels)
    if best != "same":
        return best
    is_middle = part == "given" and min(len(ours), len(theirs)) > 1 and _word(ours[0], theirs[0], part) == "differs"
    return "middle" if is_middle else "part"


@lru_cache(maxsize=2**14)
def _word(first: str, second: str, part: str) -> str:
    if first == second:
        return "same"
    shorter = min(len(first), len(second))
    if shorter == 1:
        return "initial" if first[0] == second[0] and part == "given" else "differs"
    if part == "given" and second in nicknames(first):
        return "nickname"
    if shorter >= 4 and DamerauLevenshtein.distance(first, second) == 1:
        return "slip"
    if set(sounds(first)) & set(sounds(second)):
        return "sound"
    if part == "given" and shorter >= 3 and (first.startswith(second) or second.startswith(first)):
        return "short"
    return "alike" if JaroWinkler.similarity(first, second) >= ALIKE else "differs"


@cache
def _namer() -> NickNamer:
    return NickNamer()


@lru_cache(maxsize=2**12)
def nicknames(given: str) -> frozenset[str]:
    """What someone called `given` may also be called, the full names of a nickname among them: English ones."""
    namer = _namer()
    return frozenset(namer.nicknames_of(given) | namer.canonicals_of(given))
