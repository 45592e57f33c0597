"""What a medication or an allergy is, from its code or its words. What is not recognised is said, never skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from openward.chart.drugs.knowledge import AllergyGroup, Knowledge, words

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medication as the check sees it. `unknown` are the parts of its name no ingredient was found in; `reference` is where it stands in the record."""

    text: str
    ingredients: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class KnownAllergy:
    """An allergy as the check sees it: ingredients or groups it speaks against. `concerns_drugs` is false for foods and the like."""

    text: str
    ingredients: tuple[str, ...] = ()
    groups: tuple[AllergyGroup, ...] = ()
    concerns_drugs: bool = True
    intolerance: bool = False
    reaction: str = ""
    reference: str | None = None

    @property
    def is_recognised(self) -> bool:
        return not self.concerns_drugs or bool(self.ingredients or self.groups)


def recognise(knowledge: Knowledge, text: str, codes: Iterable[str] = (), *, reference: str | None = None) -> Medicine:
    """A medicine by its RxNorm ingredient code, else by the ingredient names in its words; RxNorm parts combinations by ` / `."""
    for code in codes:
        if (drug := knowledge.by_code.get(code)) is not None:
            return Medicine(text or drug.name, drug.ingredients, reference=reference)
    found: list[str] = []
    unknown: list[str] = []
    for part in re.split(r"\s/\s", text):
        here = ingredients_in(knowledge, part)
        found += here
        if not here:
            unknown.append(part.strip())
    return Medicine(text, tuple(dict.fromkeys(found)), tuple(unknown), reference)


def ingredients_in(knowledge: Knowledge, text: str) -> list[str]:
    """Every ingredient named in the text, the longest names first: `insulin glargine` is not `insulin`."""
    spoken, found, at = words(text), list[str](), 0
    while at < len(spoken):
        size = next((n for n in range(knowledge.longest_name, 0, -1) if spoken[at : at + n] in knowledge.names), 0)
        if size:
            found += knowledge.names[spoken[at : at + size]].ingredients
        at += size or 1
    return list(dict.fromkeys(found))


def recognise_allergy(
    knowledge: Knowledge,
    text: str,
    codes: Iterable[str] = (),
    *,
    categories: Iterable[str] = (),
    intolerance: bool = False,
    reaction: str = "",
    reference: str | None = None,
) -> KnownAllergy:
    """An allergy by code or words. A food or environment allergy concerns no drug unless its words name one."""
    plain = " ".join(words(text))
    drugs = [knowledge.by_code[code].ingredients for code in codes if code in knowledge.by_code]
    ingredients = list(dict.fromkeys(name for found in drugs for name in found)) or ingredients_in(knowledge, text)
    groups = tuple(group for group in knowledge.groups if plain in group.words)
    other = {name for names in knowledge.other_substances.values() for name in names}
    kinds = set(categories)
    elsewhere = (bool(kinds) and kinds <= {"food", "environment"}) or plain in other
    concerns = bool(ingredients or groups) or not elsewhere
    return KnownAllergy(text, tuple(ingredients), groups, concerns, intolerance, reaction, reference)
