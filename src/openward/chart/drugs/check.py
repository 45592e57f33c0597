"""The check before a prescription: allergies, duplicates, interactions. What it could not check is part of its answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from openward.chart.drugs.knowledge import Knowledge, Pair
from openward.chart.drugs.recognition import KnownAllergy, Medicine


@dataclass(frozen=True, slots=True)
class Warning_:
    """One thing found. `kind` is allergy, duplicate or interaction; `against` names the other side, `reference` is where that stands in the record."""

    kind: str
    severity: str
    against: str
    effect: str
    advice: str
    source: str
    reference: str | None = None

    @property
    def is_severe(self) -> bool:
        return self.severity == "severe"

    @property
    def key(self) -> str:
        """Stable between the check that is shown and the one made when the prescription is signed."""
        return f"{self.kind}:{self.against}:{self.effect}"


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Something the check could not look at, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the check found and what it could not check; `ran` is false when it could not run at all."""

    warnings: Sequence[Warning_] = ()
    not_checked: Sequence[NotChecked] = ()
    ran: bool = True

    @property
    def severe(self) -> list[Warning_]:
        return [warning for warning in self.warnings if warning.is_severe]

    @property
    def moderate(self) -> list[Warning_]:
        return [warning for warning in self.warnings if not warning.is_severe]

    @property
    def is_complete(self) -> bool:
        return self.ran and not self.not_checked

    @property
    def is_clear(self) -> bool:
        return self.is_complete and not self.warnings

    @property
    def needs_reason(self) -> bool:
        """Severe findings stop the prescription until someone says why it is right all the same."""
        return bool(self.severe)


@dataclass(frozen=True, slots=True)
class Situation:
    """The patient's side of the check. `allergies_asked` is false while nobody has recorded an allergy or that there is none."""

    active: Sequence[Medicine] = ()
    allergies: Sequence[KnownAllergy] = ()
    allergies_asked: bool = True
    patient: str = field(default="", repr=False)


def unavailable(reason: str) -> Outcome:
    """The check could not run: nothing was checked."""
    return Outcome(not_checked=[NotChecked("allergies, duplicates and interactions", reason)], ran=False)


def check(knowledge: Knowledge, new: Medicine, situation: Situation) -> Outcome:
    """Check one new medicine. Its own parts are not checked against each other: a fixed combination is meant."""
    not_checked = list(_not_checked(new, situation))
    if not new.ingredients:
        return Outcome(not_checked=not_checked, ran=False)
    found = [
        *(warning for allergy in situation.allergies for warning in against_allergy(knowledge, new, allergy)),
        *(warning for other in situation.active for warning in duplicates(knowledge, new, other)),
        *(warning for other in situation.active for warning in interactions(knowledge, new, other)),
    ]
    unique = {(warning.kind, warning.against, warning.effect): warning for warning in reversed(found)}
    return Outcome(sorted(unique.values(), key=_worst_first), not_checked)


def _worst_first(warning: Warning_) -> tuple[bool, int, str]:
    return (not warning.is_severe, ("allergy", "interaction", "duplicate").index(warning.kind), warning.against)


def _not_checked(new: Medicine, situation: Situation) -> Iterable[NotChecked]:
    for part in new.unknown:
        yield NotChecked(part, f"ingredient of “{part}” is not known")
    if not situation.allergies_asked:
        yield NotChecked("allergies", "nobody has asked about allergies yet")
    for allergy in situation.allergies:
        if not allergy.is_recognised:
            yield NotChecked(f"allergy to {allergy.text}", f"“{allergy.text}” is not a substance of the drug file")
    for other in situation.active:
        for part in other.unknown:
            yield NotChecked(other.text, f"ingredient of “{part}” is not known")


def against_allergy(knowledge: Knowledge, new: Medicine, allergy: KnownAllergy) -> Iterable[Warning_]:
    """The same ingredient, else the same group, else a group that may cross-react."""
    told = f" Recorded reaction: {allergy.reaction}." if allergy.reaction else ""
    if shared := [name for name in new.ingredients if name in allergy.ingredients]:
        severity = "moderate" if allergy.intolerance else "severe"
        word = "intolerance" if allergy.intolerance else "allergy"
        yield Warning_(
            "allergy",
            severity,
            allergy.text,
            f"Recorded {word} to {shared[0]}.{told}",
            "Choose another drug.",
            "this patient's record",
            allergy.reference,
        )
        return
    terms, own = knowledge.terms(new.ingredients), knowledge.terms(allergy.ingredients)
    groups = [group for group in knowledge.groups if group in allergy.groups or group.classes & own]
    same = [group for group in groups if group.classes & terms]
    for group in same:
        severity = "moderate" if allergy.intolerance else group.severity
        effect = f"Recorded allergy to {allergy.text}, of the same group ({group.name}).{told}"
        yield Warning_("allergy", severity, allergy.text, effect, "Choose a drug of another group.", group.source, allergy.reference)
    if same:
        return
    for group in groups:
        for cross in (one for one in group.cross if one.classes in terms):
            severity = "moderate" if allergy.intolerance else cross.severity
            effect = f"Recorded allergy to {allergy.text}. {cross.why}{told}"
            yield Warning_(
                "allergy",
                severity,
                allergy.text,
                effect,
                "Ask about the reaction; choose another group if it was severe.",
                group.source,
                allergy.reference,
            )


def duplicates(knowledge: Knowledge, new: Medicine, other: Medicine) -> Iterable[Warning_]:
    """Two active drugs of one ingredient, or of one class in which two are rarely meant."""
    if shared := [name for name in new.ingredients if name in other.ingredients]:
        yield Warning_(
            "duplicate",
            "moderate",
            other.text,
            f"Same ingredient: {shared[0]}.",
            "Stop or change the one already prescribed.",
            "RxNorm ingredient",
            other.reference,
        )
        return
    for name in sorted(knowledge.terms(new.ingredients) & knowledge.terms(other.ingredients) & knowledge.duplicate_classes):
        yield Warning_(
            "duplicate",
            "moderate",
            other.text,
            f"Same class: {name}.",
            "Check that both are meant.",
            "Openward's own list of drug classes",
            other.reference,
        )


def interactions(knowledge: Knowledge, new: Medicine, other: Medicine) -> Iterable[Warning_]:
    """Every pair of the file with one side in the new medicine and the other in the one already taken."""
    for pair in knowledge.pairs:
        if _between(knowledge, pair, new, other):
            yield Warning_("interaction", pair.severity, other.text, pair.effect, pair.advice, pair.source, other.reference)


def _between(knowledge: Knowledge, pair: Pair, new: Medicine, other: Medicine) -> bool:
    """The two sides must be different ingredients: a drug does not interact with itself, that is a duplicate."""
    return any(
        mine != theirs and ({pair.a} <= a and {pair.b} <= b or {pair.b} <= a and {pair.a} <= b)
        for mine in new.ingredients
        for theirs in other.ingredients
        for a, b in [(knowledge.terms([mine]), knowledge.terms([theirs]))]
    )
