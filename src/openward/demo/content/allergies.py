"""Allergies and intolerances: RxNorm ingredients for drugs, plain words for the rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allergen:
    """`code` is an RxNorm ingredient or None; `forbids` are beginnings of drug keys the generator then never prescribes."""

    code: str | None
    name: str
    category: str
    weight: float
    reactions: tuple[tuple[str, str], ...]
    kind: str = "allergy"
    criticality: str = "low"
    forbids: tuple[str, ...] = ()


RASH, HIVES, SWELLING = ("Rash", "mild"), ("Hives", "moderate"), ("Swelling of lips and face", "severe")

ALLERGENS = (
    Allergen("7980", "penicillin G", "medication", 3.2, (RASH, HIVES), criticality="high", forbids=("amoxicillin",)),
    Allergen("723", "amoxicillin", "medication", 1.2, (RASH, HIVES), forbids=("amoxicillin",)),
    Allergen("10180", "sulfamethoxazole", "medication", 1.6, (RASH, HIVES)),
    Allergen("2670", "codeine", "medication", 1.0, (("Nausea and vomiting", "moderate"),), "intolerance"),
    Allergen("5640", "ibuprofen", "medication", 0.8, (HIVES, ("Stomach pain", "mild")), forbids=("ibuprofen", "naproxen", "aspirin")),
    Allergen("29046", "lisinopril", "medication", 0.8, (("Cough", "mild"), SWELLING), "intolerance", forbids=("lisinopril",)),
    Allergen("4053", "erythromycin", "medication", 0.4, (("Nausea", "mild"),), "intolerance", forbids=("azithromycin",)),
    Allergen(None, "Peanut", "food", 0.7, (SWELLING, HIVES), criticality="high"),
    Allergen(None, "Shellfish", "food", 0.8, (HIVES, SWELLING), criticality="high"),
    Allergen(None, "Egg", "food", 0.3, (RASH,)),
    Allergen(None, "Latex", "environment", 0.5, (("Itching", "mild"), HIVES)),
    Allergen(None, "Bee venom", "environment", 0.4, (SWELLING,), criticality="high"),
    Allergen(None, "Cat dander", "environment", 0.6, (("Sneezing", "mild"),)),
)
