"""Two records compared: the weight of what they share and differ in, a probability, a grade and the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein

from openward.fhir.matching import names
from openward.fhir.matching.facts import Facts, Place
from openward.fhir.matching.names import Likeness
from openward.fhir.matching.weights import HOUSEHOLD, PRIOR, WEIGHTS

# http://hl7.org/fhir/R4/valueset-match-grade.html
Grade = Literal["certain", "probable", "possible", "certainly-not"]
FROM = {"certain": 0.999, "probable": 0.9, "possible": 0.5}
SAME_NUMBER = 0.95  # at least, whatever else differs: a number given twice is looked into
SURE = frozenset({"same", "words", "part", "nickname", "slip", "sound"})  # given names two sisters would not have
SAME_LINE, NEARLY = 0.92, 0.8

# The name of a level, "" when one side says nothing; and why, for the person at the desk.
Judged = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Match:
    """How likely a record on file is of the same person. `score` 0–1; `reasons` in words, the weightiest first."""

    id: str
    score: float
    grade: Grade
    reasons: tuple[str, ...]


def compare(new: Facts, other: Facts) -> Match:
    """`other` as a match of `new`; the answer carries the id of `other`."""
    name = names.judge(new.names, other.names)
    judged = {fact: judge(new, other) for fact, judge in JUDGES.items()}
    weights = {fact: WEIGHTS[fact][level] for fact, (level, _) in judged.items() if level}
    shared = sum(weights.pop(fact, 0.0) for fact in ("phone", "email", "address"))
    may_be_relatives = name.given == "differs" or judged["birth"][0] == "differs"
    weight = PRIOR + name.weight + sum(weights.values()) + (min(shared, HOUSEHOLD) if may_be_relatives else shared)
    score = 1 / (1 + 2.0**-weight)
    if judged["number"][0] == "same":
        score = max(score, SAME_NUMBER)
    reasons = [why for _, why in (judged["number"], ("", name.why), *(judged[fact] for fact in SPOKEN)) if why]
    levels = {fact: level for fact, (level, _) in judged.items()}
    return Match(other.id, round(score, 4), _grade(score, name, levels), tuple(reasons))


def _grade(score: float, name: Likeness, levels: Mapping[str, str]) -> Grade:
    """Certain only when the whole birth date or a number is the same and neither name nor sex speaks against it."""
    agrees = "same" in (levels["birth"], levels["number"]) and name.agrees and name.given in SURE and bool(name.family)
    if score >= FROM["certain"] and agrees and "differs" not in (levels["birth"], levels["sex"], levels["number"]):
        return "certain"
    if score >= FROM["probable"]:
        return "probable"
    return "possible" if score >= FROM["possible"] else "certainly-not"


def _births(new: Facts, other: Facts) -> Judged:
    first, second = new.birth, other.birth
    if not first or not second:
        return "", ""
    if first == second and len(first) == 10:
        return "same", "Same birth date"
    if len(first) < 10 or len(second) < 10:
        shorter, longer = sorted((first, second), key=len)
        return ("partly known", "Birth date agrees as far as it is known") if longer.startswith(shorter) else ("differs", "")
    return next(_slips(first, second), ("differs", ""))


def _slips(first: str, second: str) -> Iterator[Judged]:
    year, month, day = first.split("-")
    if second == f"{year}-{day}-{month}":
        yield "day and month", "Birth date with day and month exchanged"
    distance = DamerauLevenshtein.distance(first.replace("-", ""), second.replace("-", ""))
    if distance == 1 and sorted(first) == sorted(second):
        yield "digits exchanged", "Birth date with two digits exchanged"
    if distance == 1:
        yield "digit", "Birth date differs by one digit"
    if (second[:4] == year) + (second[5:7] == month) + (second[8:] == day) == 2:
        yield "partly", "Birth date partly the same"


def _sexes(new: Facts, other: Facts) -> Judged:
    if not new.sex or not other.sex:
        return "", ""
    return ("same", "Same sex") if new.sex == other.sex else ("differs", "")


def _phones(new: Facts, other: Facts) -> Judged:
    return _values(new.phones, other.phones, "Same telephone number", "Telephone number differs by one digit")


def _emails(new: Facts, other: Facts) -> Judged:
    return _values(new.emails, other.emails, "Same e-mail address", "E-mail address differs by one letter")


def _values(ours: frozenset[str], theirs: frozenset[str], same: str, slip: str) -> Judged:
    if not ours or not theirs:
        return "", ""
    if ours & theirs:
        return "same", same
    return ("slip", slip) if _is_slip(ours, theirs) else ("differs", "")


def _is_slip(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    return any(DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1 for a in ours for b in theirs)


def _places(new: Facts, other: Facts) -> Judged:
    if not new.places or not other.places:
        return "", ""
    levels = [_place(a, b) for a in new.places for b in other.places]
    return next(judged for wanted in WEIGHTS["address"] for judged in levels if judged[0] == wanted)


def _place(first: Place, second: Place) -> Judged:
    same_area = bool(first.postal and first.postal == second.postal) or bool(first.city and first.city == second.city)
    alike = fuzz.token_sort_ratio(first.line, second.line) / 100 if first.line and second.line else 0.0
    if alike >= SAME_LINE and (same_area or not (first.city and second.city)):
        return "same", "Same address"
    if alike >= NEARLY and same_area:
        return "alike", "Nearly the same address"
    return ("area", "") if same_area else ("differs", "")


def _numbers(new: Facts, other: Facts) -> Judged:
    if new.numbers & other.numbers:
        return "same", "Same identifying number"
    systems = {system for system, _ in new.personal} & {system for system, _ in other.personal}
    if not systems:
        return "", ""
    ours, theirs = ([value for system, value in side.personal if system in systems] for side in (new, other))
    return ("slip", "Identifying number differs by one digit") if _is_slip(ours, theirs) else ("differs", "")


JUDGES: dict[str, Callable[[Facts, Facts], Judged]] = {
    "number": _numbers,
    "birth": _births,
    "phone": _phones,
    "email": _emails,
    "address": _places,
    "sex": _sexes,
}
SPOKEN = ("birth", "phone", "email", "address", "sex")
