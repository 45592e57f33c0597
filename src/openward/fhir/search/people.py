"""The front desk's finder: a patient by part of a name (also misspelt), birth date, number or telephone, as it is typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from openward.fhir.definitions import type_number
from openward.fhir.protocols import Where
from openward.fhir.sealing.rules import BLIND, asked_for
from openward.fhir.search.birth_date import dates_in
from openward.fhir.search.kept import hidden
from openward.fhir.search.person import BACKWARDS, BIRTH, IDENTIFIER, NAME, SOUND, TELEPHONE, Person, compact, words
from openward.fhir.search.phonetics import sounds
from openward.fhir.search.sql import Bindings, any_of
from openward.fhir.search.string import LAST, normal

PATIENT = type_number("Patient")
PER_KEY = 3000  # index entries read for one key at most
CANDIDATES = 150  # people looked at, at most
RANKED = 60  # while somebody types
ENOUGH = 3  # good matches with which misspellings are not looked for
GOOD_ENOUGH = 0.62

COLUMNS = "p.rkey, p.id, p.names, p.birth, p.sex, p.phones, p.identifiers, p.address"


@dataclass(frozen=True, slots=True)
class Found:
    """One patient the finder offers: `id` as in `Patient/id`, `score` 0–1, `matched` the kinds of facts that did (name, sound, birth date …)."""

    id: str
    score: float
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, sorted out. `births` are the dates it may mean, the likeliest first; `tenant`: whose people."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    births: tuple[str, ...] = ()
    tenant: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.names or self.numbers or self.births)


class PatientFinder:
    """Finds patients of one tenant among those `where` (on `fhir.current c`) lets the actor see."""

    def __init__(self, connection: Connection[Any], tenant: int, where: Where) -> None:
        self.cursor = Cursor(connection, row_factory=tuple_row)
        self.tenant = tenant
        self.where = where

    def find(self, text: str, *, birth_date: str | None = None, limit: int = 20) -> list[Found]:
        """The likeliest patients first. `birth_date` in any common form (US order when only numbers); one may also stand in `text`."""
        wanted = understood(text, birth_date, tenant=self.tenant)
        if wanted.is_empty:
            return []
        plain, bent = keys(wanted)
        found = self._ranked(wanted, plain)
        if len(found) < ENOUGH:  # typed right, a name needs no guessing; as a rule this is the only statement
            found = self._ranked(wanted, bent)
        return found[:limit]

    def _ranked(self, wanted: Wanted, sought: Sequence[Sought]) -> list[Found]:
        ranked = [(*rank(wanted, person), person.id) for person in self.candidates(sought, least=len(sought), most=RANKED)]
        kept = [Found(id, round(score, 3), matched) for score, matched, id in ranked if score >= GOOD_ENOUGH]
        return sorted(kept, key=lambda found: (-found.score, found.id))

    def candidates(self, wanted: Sequence[Sought], *, least: int = 1, most: int = CANDIDATES) -> list[Person]:
        """The `most` people most of what is sought points at, and at least `least` of it."""
        if not wanted:
            return []
        bind = Bindings(self.tenant)
        hits = " union all ".join(_hits(number, sought, bind) for number, sought in enumerate(wanted))
        best = f"select rkey, asked, max(weight) as weight from ({hits}) h group by rkey, asked"  # noqa: S608
        statement = (
            f"select {COLUMNS} from (select a.rkey from ({best}) a {self._visible(bind)} group by a.rkey having count(*) >= {least}"  # noqa: S608
            f" order by sum(a.weight) desc, a.rkey limit {most}) k"
            " join fhir.person p on p.tenant = %(tenant)s and p.rkey = k.rkey"
        )
        # What one policy asks besides may need a plan of its own; without it one plan is good for all names.
        statement = hidden(statement) if self.where.everything else statement
        return [_person(row) for row in self.cursor.execute(statement.encode(), bind.values, prepare=True)]

    def _visible(self, bind: Bindings) -> str:
        if self.where.everything:
            return ""
        return f"join fhir.current c on c.tenant = %(tenant)s and c.rtype = {PATIENT} and c.rkey = a.rkey where {bind.policy(self.where)}"


@dataclass(frozen=True, slots=True)
class Sought:
    """One thing asked for: keys of any of these kinds that start with (or, when whole, are) these texts, with a weight each."""

    starts: tuple[tuple[str, str, float], ...] = field(default=())
    wholes: tuple[tuple[str, str, float], ...] = field(default=())


def _hits(number: int, sought: Sought, bind: Bindings) -> str:
    parts = [_entries(number, kind, _by_share(text, weight), _between(text, bind), bind) for kind, text, weight in sought.starts]
    parts += [_entries(number, kind, f"{weight}::float8", f"x.key = {bind.place(text, '::text')}", bind) for kind, text, weight in sought.wholes]
    return " union all ".join(parts)


def _by_share(start: str, weight: float) -> str:
    """The more of the key was typed, the sooner it is ranked."""
    return f"{weight}::float8 + {0.1 * len(start)}::float8 / length(x.key)"


def _between(start: str, bind: Bindings) -> str:
    return f"x.key >= {bind.place(start, '::text')} and x.key < {bind.place(start + LAST, '::text')}"


def _entries(number: int, kind: str, weight: str, condition: str, bind: Bindings) -> str:
    return (
        f"(select x.rkey, {number} as asked, {weight} as weight from fhir.person_key x where x.tenant = %(tenant)s"  # noqa: S608
        f""" and x.kind = '{kind}'::"char" and {any_of([condition])} limit {PER_KEY})"""
    )


def _person(row: Sequence[Any]) -> Person:
    rkey, id, names, birth, sex, phones, identifiers, address = row
    return Person(rkey, id, tuple(names), birth, sex, tuple(phones), tuple(identifiers), address)


def understood(text: str, birth_date: str | None = None, *, tenant: int) -> Wanted:
    """`okafor ada 3 nov 1980`, `OW-000123`, `555 0142` taken apart."""
    births, rest = dates_in(text)
    if birth_date:
        births = [*dates_in(birth_date)[0], *births]
    numbers, rest = _numbers(rest)
    return Wanted(tuple(words(normal(rest)))[:6], numbers, tuple(dict.fromkeys(births)), tenant)


def _numbers(text: str) -> tuple[tuple[str, ...], str]:
    """Words with a digit in them are numbers; groups of digits side by side (a telephone) are taken as one."""
    parts = text.replace(",", " ").split()
    found = [part for part in parts if re.search(r"\d", part)]
    rest = " ".join(part for part in parts if part not in found)
    if len(found) > 1 and all(re.fullmatch(r"[\d\-./()+]+", part) for part in found):
        found = ["".join(found)]
    return tuple(number for part in found[:3] if (number := compact(part))), rest


def keys(wanted: Wanted) -> tuple[list[Sought], list[Sought]]:
    """What to look for as typed, and with misspellings."""
    rest = [_of_number(number, wanted.tenant) for number in wanted.numbers]
    if wanted.births:
        rest.append(Sought(starts=tuple((BIRTH, birth.replace("-", ""), 1.0) for birth in wanted.births)))
    return [*map(_as_typed, wanted.names), *rest], [*map(_as_meant, wanted.names), *rest]


def _as_typed(word: str) -> Sought:
    return Sought(starts=((NAME, word, 1.0),), wholes=((NAME, word, 1.2),))


def _as_meant(word: str) -> Sought:
    """By how it sounds; by how it starts and ends when the rest is wrong; with its start swapped."""
    starts = [(NAME, word, 1.0)]
    if len(word) >= 3:
        starts += [(SOUND, sound, 0.7) for sound in sounds(word) if len(sound) >= 2]
    if len(word) >= 4:
        starts += [(NAME, word[1] + word[0] + word[2], 0.4), (NAME, word[:3], 0.4)]
    if len(word) >= 5:
        starts.append((BACKWARDS, word[::-1][:4], 0.4))
    return Sought(starts=tuple(starts), wholes=((NAME, word, 1.2), *((SOUND, sound, 0.8) for sound in sounds(word))))


def _of_number(number: str, tenant: int) -> Sought:
    """A record number with or without its letters and zeros, or the digits of a telephone (a leading 1 is the country's)."""
    starts = [(IDENTIFIER, number, 1.0)]
    if number.isdigit():
        digits = number[1:] if len(number) == 11 and number[0] == "1" else number
        starts += [(IDENTIFIER, number.lstrip("0"), 1.0)] if number.lstrip("0") else []
        starts += [(TELEPHONE, digits, 1.0)]
    hidden = asked_for(None, number, tenant)[1:]  # a social security number is found by all of it or not at all
    return Sought(starts=tuple(dict.fromkeys(starts)), wholes=tuple((IDENTIFIER, whole, 1.2) for whole in hidden))


def rank(wanted: Wanted, found: Person) -> tuple[float, tuple[str, ...]]:
    """How well everything that was typed is met, 0–1, and by what."""
    parts = [_word_score(word, found) for word in wanted.names]
    parts += [_number_score(number, found, wanted.tenant) for number in wanted.numbers]
    if wanted.births:
        parts.append(_birth_score(wanted.births, found))
    scores = [score for score, _ in parts]
    worst, mean = min(scores), sum(scores) / len(scores)
    return (mean if worst >= 0.55 else mean * 0.5), tuple(dict.fromkeys(kind for _, kind in parts if kind))


def _word_score(word: str, found: Person) -> tuple[float, str]:
    return max([_likeness(word, other) for other in found.words], default=(0.0, ""))


def _likeness(word: str, other: str) -> tuple[float, str]:
    if word == other:
        return 1.0, "name"
    if other.startswith(word):
        return 0.9 + 0.1 * len(word) / len(other) - 0.01, "name"
    if len(word) < 3:
        return 0.0, ""
    start = other[: len(word) + 1]
    near = max(DamerauLevenshtein.normalized_similarity(word, other), DamerauLevenshtein.normalized_similarity(word, start) - 0.05)
    if set(sounds(word)) & set(sounds(other)):
        return max(0.78, 0.7 + 0.2 * near), "sound"
    return (0.9 * max(near, JaroWinkler.similarity(word, other) - 0.12), "spelling") if near >= 0.5 else (0.0, "")


def _number_score(number: str, found: Person, tenant: int) -> tuple[float, str]:
    bare = number.lstrip("0") or number
    if not found.identifiers and not found.phones:
        return 0.0, ""
    if not set(asked_for(None, number, tenant)[1:]).isdisjoint(found.identifiers):
        return 1.0, "number"
    for identifier in found.identifiers:
        if identifier.startswith(BLIND):
            continue
        if number == identifier or bare == re.sub(r"^\D+", "", identifier).lstrip("0"):
            return 1.0, "number"
        if identifier.startswith(number) or re.sub(r"^\D+", "", identifier).lstrip("0").startswith(bare):
            return 0.85, "number"
    digits = number[1:] if len(number) == 11 and number[0] == "1" else number
    for phone in found.phones:
        if any(part.startswith(digits) for part in (phone, phone[-7:], phone[-4:])):
            return 0.75 + 0.25 * min(1.0, len(digits) / 10), "telephone"
    return 0.0, ""


def _birth_score(births: Sequence[str], found: Person) -> tuple[float, str]:
    """The first reading of an ambiguous date counts a little more than the others; a year or a month alone a little less than a day."""
    for number, birth in enumerate(births):
        if found.birth and (found.birth == birth or found.birth.startswith(f"{birth}-")):
            return 1.0 - 0.05 * min(number, 3) - 0.02 * (10 - len(birth)), "birth date"
    return 0.0, ""
