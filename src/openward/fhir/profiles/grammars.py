"""What codes of large systems look like. A code that its system cannot hold is in no value set, whether the system is loaded here or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from openward.fhir.ucum import is_unit

LOINC = re.compile(r"\d{1,7}-\d")
LOINC_PART = re.compile(r"L[A-Z]\d{1,8}-\d")
SNOMED_CT = re.compile(r"[1-9]\d{5,17}")
COMPOSED = re.compile(r"[1-9]\d{5,17}[\s:+|=].*", re.DOTALL)
RXNORM = re.compile(r"\d{1,8}")
CVX = re.compile(r"\d{1,3}")
ICD_10_CM = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
CDC_RACE = re.compile(r"\d{4}-\d")

VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
VERHOEFF_PERMUTATION = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")


def _is_loinc(code: str) -> bool:
    """The last digit checks the others, modulus 10; parts, lists and answers have theirs otherwise.

    https://loinc.org/kb/users-guide/calculating-mod-10-check-digits/
    """
    if not LOINC.fullmatch(code):
        return LOINC_PART.fullmatch(code) is not None
    digits = [int(digit) for digit in code if digit.isdigit()]
    *body, check = digits
    doubled = [digit if index % 2 else sum(divmod(2 * digit, 10)) for index, digit in enumerate(reversed(body))]
    return (10 - sum(doubled) % 10) % 10 == check


def _is_snomed(code: str) -> bool:
    """The last digit checks the others, by Verhoeff's scheme. https://confluence.ihtsdotools.org/display/DOCRELFMT/5.5+Check-digit"""
    if not SNOMED_CT.fullmatch(code):
        return COMPOSED.fullmatch(code) is not None
    check = 0
    for index, digit in enumerate(reversed(code)):
        check = int(VERHOEFF_PRODUCT[check][int(VERHOEFF_PERMUTATION[index % 8][int(digit)])])
    return check == 0


def _by(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda code: pattern.fullmatch(code) is not None


GRAMMARS: dict[str, Callable[[str], bool]] = {
    "http://loinc.org": _is_loinc,
    "http://snomed.info/sct": _is_snomed,
    "http://www.nlm.nih.gov/research/umls/rxnorm": _by(RXNORM),
    "http://hl7.org/fhir/sid/cvx": _by(CVX),
    "http://hl7.org/fhir/sid/icd-10-cm": _by(ICD_10_CM),
    "http://unitsofmeasure.org": is_unit,
    "urn:ietf:bcp:47": _by(LANGUAGE),
    "urn:oid:2.16.840.1.113883.6.238": _by(CDC_RACE),
}


@lru_cache(maxsize=8192)
def is_impossible(system: str | None, code: str) -> bool:
    """Whether the code system cannot hold such a code."""
    looks_right = GRAMMARS.get(system or "")
    return looks_right is not None and not looks_right(code)
