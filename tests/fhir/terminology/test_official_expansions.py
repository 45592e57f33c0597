"""Our expansions against the official ones of R4 (npm hl7.fhir.r4.expansions 4.0.1), every value set of them.

The official ones leave out abstract and deprecated codes, which R4 keeps in an expansion and marks; of ours, only such may be more.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from openward.fhir.errors import FhirError
from openward.fhir.store import Store
from openward.fhir.terminology import Terminology
from openward.fhir.terminology.compose import Composition
from openward.fhir.terminology.concepts import Concept, ExpansionTooCostly, UnknownSystem

EXCEPTIONS = {
    "http://hl7.org/fhir/ValueSet/detectedissue-category": "the official one does not follow the property `child`, by which its codes are below what it names",
    "http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType": "as above",
    "http://terminology.hl7.org/ValueSet/v3-ActCode": "the official one lacks the code STORE, which the code system has",
    "http://hl7.org/fhir/ValueSet/formatcodes": "the format codes belong to IHE and are not shipped",
    "http://hl7.org/fhir/ValueSet/consent-content-class": "as above",
    "http://dicom.nema.org/medical/dicom/current/output/chtml/part16/sect_CID_29.html": "another version is in the R4 package",
}
LICENSED = {"http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"}
COMPARED_AT_LEAST = 495


@cache
def official() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(gzip.decompress(Path(__file__).with_name("expansions.json.gz").read_bytes()))
    return table


def is_left_out_there(terminology: Terminology, one: Concept) -> bool:
    system = terminology.catalogue.system(one.system, one.version, "r4")
    deprecated = system is not None and any(found.code == "status" and found.value == "deprecated" for found in system.properties(one.code))
    return one.abstract or deprecated


def verdict(terminology: Terminology, canonical: str, expected: dict[str, list[str]]) -> str:
    """`same`, `cannot` with the reason, or what differs."""
    definition = terminology.catalogue.value_set(canonical, "r4")
    if definition is None:
        return "not here"
    try:
        ours = list(Composition(terminology.catalogue).concepts(definition))
    except (UnknownSystem, ExpansionTooCostly) as error:
        return f"cannot: {error}"
    theirs = {(system, code) for system, codes in expected.items() for code in codes}
    missing = theirs - {(one.system, one.code) for one in ours}
    more = [one.code for one in ours if (one.system, one.code) not in theirs and not is_left_out_there(terminology, one)]
    return "same" if not missing and not more else f"missing {sorted(missing)[:5]}, more {more[:5]}"


class TestEveryOfficialExpansion:
    def test_is_ours_too_or_an_exception_with_its_reason(self, store: Store) -> None:
        terminology = Terminology.of(store)
        same, wrong = 0, {}
        for canonical, one in official().items():
            said = "cut off there" if one["cut"] else verdict(terminology, canonical, one["codes"])
            same += said == "same"
            licensed = said.startswith("cannot") and any(system in said for system in LICENSED)
            grammar = "holds more codes than can be listed" in said
            if not (said in ("same", "cut off there") or licensed or grammar) and canonical.partition("|")[0] not in EXCEPTIONS:
                wrong[canonical] = said
        assert wrong == {}
        assert same >= COMPARED_AT_LEAST

    @pytest.mark.parametrize("url", sorted(EXCEPTIONS))
    def test_an_exception_still_is_one(self, store: Store, url: str) -> None:
        canonical = next(one for one in official() if one.startswith(url + "|"))
        assert verdict(Terminology.of(store), canonical, official()[canonical]["codes"]) != "same"


class TestEveryShippedValueSet:
    def test_says_what_it_holds_or_why_not_and_never_breaks(self, store: Store) -> None:
        from openward.fhir.terminology.shipping.archive import entries

        terminology = Terminology.of(store)
        said = [listed_or_status(terminology, url) for url in entries("sets")]
        assert set(said) == {"listed", "absent", 404, 422}
        assert said.count("listed") > 3_000


def listed_or_status(terminology: Terminology, url: str) -> str | int:
    try:
        return "listed" if terminology.codes(url, limit=20_000) is not None else "absent"
    except FhirError as error:
        return error.status
