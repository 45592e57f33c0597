"""Whether two records may be of one person: names, birth date, telephone, address, sex, numbers; a score and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from openward.fhir.search.person import Person, words
from openward.fhir.search.phonetics import sounds

WEIGHTS = {"name": 0.45, "birth": 0.35, "phone": 0.09, "address": 0.07, "sex": 0.04}
UNKNOWN = 0.35  # what a fact neither side, or only one side, has counts as


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A patient who may be the same person: `score` 0–1; `reasons` in words for the person at the desk, the weightiest first."""

    id: str
    score: float
    reasons: tuple[str, ...]


# (how alike, 0–1; None when it cannot be told), and why
Judgement = tuple[float | None, str]


def compare(new: Person, other: Person) -> Duplicate:
    judged = {
        "name": _names(new, other),
        "birth": _births(new.birth, other.birth),
        "phone": _phones(new, other),
        "address": _addresses(new.address, other.address),
        "sex": _sexes(new.sex, other.sex),
    }
    score = sum(WEIGHTS[name] * (UNKNOWN if value is None else value) for name, (value, _) in judged.items())
    reasons = [why for value, why in judged.values() if why and value]
    shared = set(new.identifiers) & set(other.identifiers)
    if shared:
        score, reasons = max(score, 0.95), ["Same identifying number", *reasons]
    return Duplicate(other.id, round(min(score, 1.0), 3), tuple(reasons))


def _names(new: Person, other: Person) -> Judgement:
    judged = [_name(first, second) for first in new.names for second in other.names]
    return max(judged, key=lambda j: j[0] or 0.0) if judged else (None, "")


def _name(first: str, second: str) -> Judgement:
    """Given names against given names and family against family, or both the other way round."""
    straight = _pair(first, second)
    given, _, family = second.partition("\t")
    crossed = _pair(first, f"{family}\t{given}")
    if crossed[0] > straight[0] + 0.1:
        return crossed[0] * 0.95, "Given and family name the other way round"
    return straight


def _pair(first: str, second: str) -> tuple[float, str]:
    given1, _, family1 = first.partition("\t")
    given2, _, family2 = second.partition("\t")
    family, family_why = _part(family1, family2)
    given, given_why = _part(given1, given2)
    if min(family, given) == 1.0:
        return 1.0, "Same name"
    if min(family, given) < 0.5:
        return 0.35 * max(family, given), ""
    return (family + given) / 2, ", ".join(_said("Family name", family, family_why) + _said("Given name", given, given_why))


def _said(which: str, score: float, why: str) -> list[str]:
    return [f"{which} {'is the same' if score == 1.0 else why}"]


def _part(first: str, second: str) -> tuple[float, str]:
    """The best of the words of one against the words of the other; a middle name on one side only takes a little away."""
    ours, theirs = words(first), words(second)
    if not ours or not theirs:
        return 0.5, "is missing"
    if ours == theirs:
        return 1.0, ""
    if sorted(ours) == sorted(theirs):
        return 0.95, "has the same words"
    score, why = max(_word(a, b) for a in ours for b in theirs)
    return (min(score, 0.92), why or "is partly the same") if len(ours) != len(theirs) or score == 1.0 else (score, why)


def _word(first: str, second: str) -> tuple[float, str]:
    if first == second:
        return 1.0, ""
    if DamerauLevenshtein.distance(first, second) == 1 and min(len(first), len(second)) >= 4:
        return 0.9, "differs by one letter"
    if set(sounds(first)) & set(sounds(second)):
        return 0.85, "sounds the same"
    if min(len(first), len(second)) == 1 and first[0] == second[0]:
        return 0.75, "has the same initial"
    if min(len(first), len(second)) >= 3 and (first.startswith(second) or second.startswith(first)):
        return 0.8, "is a short form"
    alike = JaroWinkler.similarity(first, second)
    return (alike - 0.1, "is spelt alike") if alike >= 0.88 else (0.0, "")


def _births(first: str, second: str) -> Judgement:
    if not first or not second:
        return None, ""
    if first == second:
        return 1.0, "Same birth date"
    if len(first) < 10 or len(second) < 10:
        shorter, longer = sorted((first, second), key=len)
        return (0.7, "Birth date agrees as far as it is known") if longer.startswith(shorter) else (0.0, "")
    return next(_slips(first, second), (0.0, ""))


def _slips(first: str, second: str) -> Iterator[Judgement]:
    year, month, day = first.split("-")
    if second == f"{year}-{day}-{month}":
        yield 0.85, "Birth date with day and month exchanged"
    distance = DamerauLevenshtein.distance(first, second)
    if distance == 1 and sorted(first) == sorted(second):
        yield 0.8, "Birth date with two digits exchanged"
    if distance == 1:
        yield 0.7, "Birth date differs by one digit"
    if second.startswith(year) and (second[5:7] == month or second[8:] == day):
        yield 0.4, "Birth date partly the same"


def _phones(new: Person, other: Person) -> Judgement:
    if not new.phones or not other.phones:
        return None, ""
    if set(new.phones) & set(other.phones):
        return 1.0, "Same telephone number"
    slip = any(DamerauLevenshtein.distance(a, b) == 1 for a in new.phones for b in other.phones)
    return (0.5, "Telephone number differs by one digit") if slip else (0.0, "")


def _addresses(first: str, second: str) -> Judgement:
    if not first or not second:
        return None, ""
    alike = fuzz.token_sort_ratio(first, second) / 100
    if alike >= 0.95:
        return 1.0, "Same address"
    return (alike, "Nearly the same address") if alike >= 0.82 else (0.0, "")


def _sexes(first: str, second: str) -> Judgement:
    if not first or not second or "unknown" in (first, second):
        return None, ""
    return (1.0, "Same sex") if first == second else (0.0, "")
