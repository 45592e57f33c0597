"""Finding the records a patient is compared with, and comparing them.

Candidates come from the finder's index: whoever shares a sound of a name, the birth date, a telephone, a number or an e-mail address.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.matching.compare import FROM, Match, compare
from openward.fhir.matching.facts import facts
from openward.fhir.matching.names import nicknames
from openward.fhir.protocols import Where
from openward.fhir.sealing.rules import blinded, is_social
from openward.fhir.search.people import PatientFinder, Sought
from openward.fhir.search.person import BIRTH, IDENTIFIER, NAME, SOUND, TELEPHONE, Person, compact, person
from openward.fhir.search.phonetics import sounds
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.sql import Bindings
from openward.fhir.search.token import token_hash
from openward.fhir.versions import Version

PATIENT = type_number("Patient")
MOST_BY_EMAIL = 50
A_FEW = 20  # numbers, and telephones
MOST_SOUGHT = 60  # things looked for at once: nobody has so many, and each costs


class Matcher:
    """Compares with the patients of one tenant among those `where` (on `fhir.current c`) lets the actor see."""

    def __init__(self, connection: Connection[Any], tenant: int, where: Where) -> None:
        self.finder = PatientFinder(connection, tenant, where)
        self.cursor = Cursor(connection, row_factory=tuple_row)
        self.tenant = tenant
        self.where = where

    def matches(self, patient: Any, *, limit: int = 10, least: float = FROM["possible"]) -> list[Match]:
        """Patients on record who may be the same person as `patient` (a Patient, stored or not), with why, the likeliest first."""
        return [match for match, _ in self.compared(patient, limit=limit, least=least)]

    def compared(self, patient: Any, *, limit: int = 10, least: float = FROM["possible"]) -> list[tuple[Match, Version]]:
        """The same, each with the record itself. A patient is no match of itself."""
        data: Mapping[str, Any] = getattr(patient, "data", patient)
        new = facts(data)
        found = [(compare(new, facts(version.content)), version) for version in self._candidates(data, new.emails) if version.id != new.id]
        likely = [pair for pair in found if pair[0].score >= least]
        return sorted(likely, key=lambda pair: (-pair[0].score, pair[0].id))[:limit]

    def _candidates(self, patient: Mapping[str, Any], emails: Collection[str]) -> list[Version]:
        keys = [one.key for one in self.finder.candidates(_sought(patient, self.tenant))]
        bind = Bindings(self.tenant)
        wanted = f"c.rkey = any({bind.place(keys, '::uuid[]')})"
        if emails:
            tokens = bind.numbers([token_hash("email", None, email) for email in sorted(emails)])
            mailed = f"select m.rkey from fhir.current m where m.tenant = %(tenant)s and m.rtype = {PATIENT} and m.tok && {tokens}"  # noqa: S608
            wanted = f"c.rkey = any(array({mailed} limit {MOST_BY_EMAIL}) || {bind.place(keys, '::uuid[]')})"
        sql = (
            f"select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)"  # noqa: S608
            f" where c.tenant = %(tenant)s and c.rtype = {PATIENT} and {wanted} and {bind.policy(self.where)}"
        )
        found = [version_in_part(row) for row in self.cursor.execute(sql.encode(), bind.values)]
        return [version for version in found if not is_replaced(version.content)]


def _sought(patient: Mapping[str, Any], tenant: int) -> Sequence[Sought]:
    """Numbers that stand in no index are looked for under every key they may have been put there by."""
    hidden = [whole for entry in patient.get("identifier", ()) if is_social(entry) for whole in blinded(compact(entry.get("value", "")), tenant)[1:]]
    found = [*(Sought(wholes=((IDENTIFIER, whole, 2.0),)) for whole in hidden), *alike(person({**patient, "id": "unborn"}, tenant))]
    return found[:MOST_SOUGHT]


def is_replaced(patient: Mapping[str, Any]) -> bool:
    """Whether another record stands for this patient now: the two were merged."""
    return any(link.get("type") == "replaced-by" for link in patient.get("link", ()))


def alike(new: Person) -> Sequence[Sought]:
    """Whom to compare a new person with: birth date, numbers, telephones, and sounds and nicknames of each word of their names."""
    birth = [Sought(starts=tuple((BIRTH, date.replace("-", ""), weight) for date, weight in _dates(new.birth)))] if new.birth else []
    numbers = [Sought(wholes=((IDENTIFIER, identifier, 2.0),)) for identifier in new.identifiers]
    phones = [Sought(wholes=((TELEPHONE, phone, 1.0),)) for phone in new.phones]
    return [*birth, *numbers[:A_FEW], *phones[:A_FEW], *map(_of_word, sorted(new.words))]


def _of_word(word: str) -> Sought:
    wholes = ((NAME, word, 1.0), *((SOUND, sound, 0.8) for sound in sounds(word)), *((NAME, name, 0.7) for name in sorted(nicknames(word))[:12]))
    return Sought(wholes=wholes, starts=((NAME, word[:4], 0.3),))


def _dates(birth: str) -> list[tuple[str, float]]:
    """The date, and as it may have been written with day and month exchanged."""
    year, _, rest = birth.partition("-")
    month, _, day = rest.partition("-")
    return [(birth, 1.0)] + ([(f"{year}-{day}-{month}", 0.6)] if day and day <= "12" and day != month else [])
