"""What of one type an actor sees, for where they stand: once as SQL on `fhir.current c`, once of a resource at hand. Both say the same.

Of a deleted resource only its patient is known here, not its labels (`c.date_lo` is null, as of no other row): while labels decide, it is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from openward.access.labels import LABELS
from openward.access.standing import Said, Standing
from openward.fhir.protocols import Where

# What a role of limited reach sees all of: it belongs to no patient.
OF_NO_PATIENT = frozenset({"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Schedule", "Slot",
                           "ValueSet", "CodeSystem", "ConceptMap", "Questionnaire", "Medication"})  # fmt: skip

TIED = """exists (select from access_tie t where t.tenant = c.tenant and t.holder = any({holders}) and t.patient = c.patient
  and (t.until is null or t.until > now()))"""


class Names:
    """The parameters of one condition, under names of the policy's: lists as PostgreSQL writes them, once for all the statements they are sent with."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def place(self, value: Sequence[Any], cast: str) -> str:
        name = f"policy_{len(self.params)}"
        self.params[name] = f"{{{','.join(map(str, value))}}}"
        return f"%({name})s::{cast}[]"

    def tokens(self, labels: frozenset[str]) -> str:
        return self.place(sorted(LABELS[label].token for label in labels if label in LABELS), "bigint")

    def keys(self, keys: frozenset[UUID] | Sequence[UUID]) -> str:
        return self.place(sorted(keys), "uuid")


@dataclass(frozen=True, slots=True)
class Sight:
    """One actor's sight of one type."""

    type: str
    standing: Standing

    def where(self) -> Where:
        """Worked out once for a standing, which is kept for seconds: a client program reads the same types again and again."""
        known = self.standing.sights.get(self.type)
        if known is None:
            known = self.standing.sights[self.type] = self._where()
        return known

    def _where(self) -> Where:
        names = Names()
        by_label = list(self._labels(names))
        parts = [*by_label, *self._within_reach(names), *self._marks(names), *self._consents(names)]
        if not parts:
            return Where()
        sql = " and ".join(parts)
        if self.standing.glass:
            sql = f"(({sql}) or c.patient = any({names.keys(self.standing.glass)}))"
        return Where(sql, names.params, hides_labelled_alone=parts == by_label)

    def admits(self, labels: frozenset[str], patient: UUID | None, *, by_label: bool = True) -> bool:
        """The same of a resource with these labels in this patient's compartment. Without `by_label` its own labels do not count."""
        here = self.standing
        if patient is not None and patient in here.glass:
            return True
        if self._is_limited and (patient is None or not here.tied(here.holders, patient)):
            return False
        own = labels & here.hidden(self.type) if by_label else frozenset()
        marked = frozenset(label for label, patients in here.marked.items() if patient in patients)
        if any(not self._excepted(label, patient) for label in own | marked):
            return False
        return not any(patient == whose and denies(said, labels) for whose, said in self._said())

    @property
    def _is_limited(self) -> bool:
        return self.standing.reach != "everyone" and self.type not in OF_NO_PATIENT

    def _within_reach(self, names: Names) -> Iterator[str]:
        if self._is_limited:
            yield self._tied(self.standing.holders, names)

    def _tied(self, holders: Sequence[UUID], names: Names) -> str:
        return TIED.format(holders=names.keys(holders)) if holders else "false"

    def _labels(self, names: Names) -> Iterator[str]:
        hidden = self.standing.hidden(self.type)
        excepted = {label for label in hidden if label in self.standing.in_care or self._opened(label)}
        if hidden:
            yield "c.date_lo is not null"
        if hidden - excepted:
            yield f"not c.tok && {names.tokens(hidden - excepted)}"
        for label in sorted(excepted):
            yield f"(not c.tok && {names.tokens(frozenset({label}))} or {self._exception(label, names)})"

    def _marks(self, names: Names) -> Iterator[str]:
        for label, patients in sorted(self.standing.marked.items()):
            if patients and self.type not in OF_NO_PATIENT:
                yield f"(c.patient is null or not c.patient = any({names.keys(patients)}) or {self._exception(label, names)})"

    def _exception(self, label: str, names: Names) -> str:
        """Whose records show this label after all: those in the actor's care, where that suffices, and those who permit it."""
        found = []
        if label in self.standing.in_care and self.standing.me:
            found.append(self._tied((self.standing.me,), names))
        if opened := self._opened(label):
            found.append(f"c.patient = any({names.keys(opened)})")
        return f"({' or '.join(found)})" if found else "false"

    def _excepted(self, label: str, patient: UUID | None) -> bool:
        here = self.standing
        if patient is None:
            return False
        in_care = label in here.in_care and here.me is not None and here.tied((here.me,), patient)
        return in_care or patient in self._opened(label)

    def _said(self) -> Iterator[tuple[UUID, tuple[Said, ...]]]:
        """The provisions that speak of this type."""
        for patient, provisions in self.standing.consents:
            said = tuple(one for one in provisions if not one.types or self.type in one.types)
            if said:
                yield patient, said

    def _opened(self, label: str) -> frozenset[UUID]:
        """The patients who permit the actor what has this label."""
        opened = set()
        for patient, said in self._said():
            first = next((one for one in said if not one.labels or label in one.labels), None)
            if first is not None and first.permits and first.labels:
                opened.add(patient)
        return frozenset(opened)

    def _consents(self, names: Names) -> Iterator[str]:
        groups: dict[tuple[tuple[bool, frozenset[str]], ...], set[UUID]] = {}
        for patient, said in self._said():
            if any(not one.permits for one in said):
                groups.setdefault(tuple((one.permits, one.labels) for one in said), set()).add(patient)
        for rules, patients in groups.items():
            yield f"(c.patient is null or not (c.patient = any({names.keys(frozenset(patients))}) and {_denied(rules, names)}))"


def denies(said: Sequence[Said], labels: frozenset[str]) -> bool:
    """Whether one consent refuses what has these labels: its deepest provision that speaks of them decides."""
    first = next((one for one in said if not one.labels or labels & one.labels), None)
    return first is not None and not first.permits


def _denied(said: Sequence[tuple[bool, frozenset[str]]], names: Names) -> str:
    if not said[0][1]:
        return "false" if said[0][0] else "true"
    cases = ["when c.date_lo is null then true"]
    for permits, labels in said:
        condition = f"c.tok && {names.tokens(labels)}" if labels else "true"
        cases.append(f"when {condition} then {'false' if permits else 'true'}")
    return f"(case {' '.join(cases)} else false end)"


def both(first: Where, second: Where) -> Where:
    """What holds for both; the parameters of `first` must have names of their own."""
    if first.everything:
        return second
    if second.everything:
        return first
    params: Mapping[str, Any] = {**first.params, **second.params}
    return Where(f"({first.sql}) and ({second.sql})", params)
