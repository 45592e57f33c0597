"""The scrub list as a table: what is changed on a clean claim, and the rule that must notice. Nothing else may be noticed with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from openward.billing.npi import is_npi
from openward.billing.queries.claim_file import ClaimFile
from openward.billing.scrub import RULES, Case, scrub
from openward.fhir.resources import Claim, Coverage, Organization, Patient, Practitioner

Change = Callable[[dict[str, Any]], None]
NPI, TAX = "http://hl7.org/fhir/sid/us-npi", "urn:oid:2.16.840.1.113883.4.4"
PLACE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
HOME = {"line": ["12 Elm Street"], "city": "Springfield", "state": "IL", "postalCode": "62701"}


def facts() -> dict[str, Any]:
    """A claim with nothing missing."""
    return {
        "patient": {"id": "p", "name": [{"family": "Okafor", "given": ["Ada"]}], "birthDate": "1980-02-03", "gender": "female", "address": [HOME]},
        "coverage": {"id": "c", "status": "active", "subscriberId": "MEM1", "relationship": {"coding": [{"code": "self"}]}},
        "payer": {"id": "o", "name": "Plan", "identifier": [{"system": "urn:openward:payer", "value": "OWPAY1"}]},
        "billing": {
            "id": "b",
            "name": "Clinic",
            "telecom": [{"system": "phone", "value": "(555) 010-2000"}],
            "address": [HOME],
            "identifier": [{"system": NPI, "value": "1234567893"}, {"system": TAX, "value": "123456789"}],
        },
        "clinician": {"id": "d", "name": [{"family": "Osei"}], "identifier": [{"system": NPI, "value": "1679576722"}]},
        "claim": {
            "id": "k",
            "identifier": [{"system": "urn:openward:claim", "value": "OW0000001"}],
            "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "I10"}]}}],
            "item": [
                {
                    "sequence": 1,
                    "productOrService": {"coding": [{"code": "OW-VISIT-20"}]},
                    "diagnosisSequence": [1],
                    "quantity": {"value": 1},
                    "net": {"value": 125, "currency": "USD"},
                    "servicedDate": "2026-11-03",
                    "locationCodeableConcept": {"coding": [{"system": PLACE, "code": "11"}]},
                }
            ],
        },
    }


def found(change: Change | None = None, others: tuple[str, ...] = ()) -> list[str]:
    return [finding.rule for finding in scrub(case(change, others))]


def case(change: Change | None = None, others: tuple[str, ...] = ()) -> Case:
    data = facts()
    if change:
        change(data)
    file = ClaimFile(
        claim=Claim.over({"resourceType": "Claim", **data["claim"]}),
        patient=Patient.over({"resourceType": "Patient", **data["patient"]}) if data["patient"] else None,
        coverage=Coverage.over({"resourceType": "Coverage", **data["coverage"]}) if data["coverage"] else None,
        payer=Organization.over({"resourceType": "Organization", **data["payer"]}) if data["payer"] else None,
        billing=Organization.over({"resourceType": "Organization", **data["billing"]}) if data["billing"] else None,
        clinician=Practitioner.over({"resourceType": "Practitioner", **data["clinician"]}) if data["clinician"] else None,
        subscriber=None,
        visit=None,
    )
    return Case(file, dt.date(2026, 11, 10), others)


def put(place: str, **values: Any) -> Change:
    """Set elements of one of the resources; None takes them out."""

    def change(data: dict[str, Any]) -> None:
        target = data["claim"]["item"][0] if place == "item" else data["claim"]["diagnosis"][0] if place == "diagnosis" else data[place]
        for name, value in values.items():
            target.pop(name, None)
            if value is not None:
                target[name] = value

    return change


def gone(place: str) -> Change:
    return lambda data: data.__setitem__(place, None)


def code(value: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"code": value, **({"system": system} if system else {})}]}


TABLE: list[tuple[str, Change, list[str]]] = [
    ("no patient", gone("patient"), ["patient"]),
    ("no birth date", put("patient", birthDate=None), ["birth-date"]),
    ("a birth year only", put("patient", birthDate="1980"), ["birth-date"]),
    ("no sex", put("patient", gender=None), ["sex"]),
    ("no family name", put("patient", name=[{"given": ["Ada"]}]), ["name"]),
    ("a name X12 cannot carry", put("patient", name=[{"family": "王"}]), ["name"]),
    ("accents are carried", put("patient", name=[{"family": "Núñez"}]), []),
    ("no address", put("patient", address=None), ["address"]),
    ("an old address only", put("patient", address=[{**HOME, "use": "old"}]), ["address"]),
    ("no state", put("patient", address=[{**HOME, "state": ""}]), ["address"]),
    ("half a ZIP code", put("patient", address=[{**HOME, "postalCode": "627"}]), ["address"]),
    ("ZIP+4", put("patient", address=[{**HOME, "postalCode": "62701-0001"}]), []),
    ("no coverage", gone("coverage"), ["coverage"]),
    ("no member number", put("coverage", subscriberId=None), ["subscriber-id"]),
    ("a blank member number", put("coverage", subscriberId="  "), ["subscriber-id"]),
    ("cancelled coverage", put("coverage", status="cancelled"), ["coverage-active"]),
    ("coverage that ended before", put("coverage", period={"end": "2026-11-02"}), ["coverage-active"]),
    ("coverage that ends on the day", put("coverage", period={"end": "2026-11-03"}), []),
    ("coverage that begins after", put("coverage", period={"start": "2026-11-04"}), ["coverage-active"]),
    ("a child without the holder", put("coverage", relationship=code("child")), ["subscriber"]),
    ("no payer", gone("payer"), ["payer-id"]),
    ("a payer without id", put("payer", identifier=None), ["payer-id"]),
    ("no practice", gone("billing"), ["billing-provider"]),
    ("no practice NPI", put("billing", identifier=[{"system": TAX, "value": "123456789"}]), ["billing-npi"]),
    (
        "a practice NPI with a wrong check digit",
        put("billing", identifier=[{"system": NPI, "value": "1234567890"}, {"system": TAX, "value": "123456789"}]),
        ["billing-npi"],
    ),
    ("no tax number", put("billing", identifier=[{"system": NPI, "value": "1234567893"}]), ["tax-id"]),
    ("a practice without address", put("billing", address=None), ["billing-address"]),
    ("no clinician", gone("clinician"), ["clinician-npi"]),
    ("a clinician with a wrong NPI", put("clinician", identifier=[{"system": NPI, "value": "1679576723"}]), ["clinician-npi"]),
    ("no diagnosis", put("claim", diagnosis=None), ["diagnosis", "pointer"]),
    ("a code that is none", put("diagnosis", diagnosisCodeableConcept=code("ZZZ")), ["diagnosis-code"]),
    ("a code that is not a leaf", put("diagnosis", diagnosisCodeableConcept=code("E11")), ["diagnosis-code"]),
    ("no service code", put("item", productOrService={"text": "visit"}), ["code"]),
    ("no pointer", put("item", diagnosisSequence=None), ["pointer"]),
    ("a pointer to nothing", put("item", diagnosisSequence=[2]), ["pointer"]),
    ("no units", put("item", quantity=None), ["units"]),
    ("zero units", put("item", quantity={"value": 0}), ["units"]),
    ("no charge", put("item", net=None), ["charge"]),
    ("a negative charge", put("item", net={"value": -1}), ["charge"]),
    ("no day", put("item", servicedDate=None), ["service-date"]),
    ("tomorrow", put("item", servicedDate="2026-11-11"), ["service-date"]),
    ("today", put("item", servicedDate="2026-11-10"), []),
    ("no place", put("item", locationCodeableConcept=None), ["place"]),
    ("an unknown place", put("item", locationCodeableConcept=code("77", PLACE)), ["place"]),
    ("no lines", put("claim", item=None), ["lines"]),
    ("a replacement of nothing", put("claim", extension=[{"url": "urn:openward:claim-frequency", "valueCode": "7"}]), ["frequency"]),
    ("a post office box as the practice's address", put("billing", address=[{**HOME, "line": ["P.O. Box 12"]}]), ["billing-address"]),
    ("a street that begins like one", put("billing", address=[{**HOME, "line": ["12 Poboxen Way"]}]), []),
    ("a practice without a telephone", put("billing", telecom=None), ["file"]),
    ("a given name X12 cannot carry", put("patient", name=[{"family": "Okafor", "given": ["Ольга"]}]), ["file"]),
    ("a street X12 cannot carry", put("patient", address=[{**HOME, "line": ["улица 1"]}]), ["file"]),
    ("a member number with a delimiter in it", put("coverage", subscriberId="MEM*1"), ["file"]),
    ("a payer without a name", put("payer", name=None), ["file"]),
    ("a clinician without a name", put("clinician", name=None), ["file"]),
    ("a modifier that is none", put("item", modifier=[code("25X")]), ["file"]),
    ("an unknown frequency", put("claim", extension=[{"url": "urn:openward:claim-frequency", "valueCode": "9"}]), ["frequency"]),
]


class TestTheTable:
    def test_nothing_is_wrong_with_a_whole_claim(self) -> None:
        assert found() == []

    @pytest.mark.parametrize(("change", "rules"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
    def test_what_is_wrong_is_noticed_and_nothing_else(self, change: Change, rules: list[str]) -> None:
        assert found(change) == rules

    @pytest.mark.parametrize(
        ("change", "mend"),
        [
            (put("billing", telecom=None), ("organization", "b")),
            (put("patient", address=[{**HOME, "line": ["улица 1"]}]), ("patient", "p")),
            (put("coverage", subscriberId="MEM*1"), ("coverage", "p")),
            (put("clinician", name=None), ("clinician", "d")),
            (put("item", modifier=[code("25X")]), ("claim", "k")),
        ],
        ids=["telephone", "street", "member number", "clinician", "modifier"],
    )
    def test_what_the_file_refuses_is_mended_where_it_stands(self, change: Change, mend: tuple[str, str]) -> None:
        assert [finding.mend for finding in scrub(case(change))] == [mend]

    def test_a_second_claim_of_the_visit_is_a_duplicate(self) -> None:
        assert found(others=("OW0000002",)) == ["duplicate"]

    def test_a_replacement_with_the_payers_number_is_fine(self) -> None:
        def replacement(data: dict[str, Any]) -> None:
            data["claim"]["extension"] = [{"url": "urn:openward:claim-frequency", "valueCode": "7"}]
            data["claim"]["related"] = [{"relationship": code("prior"), "reference": {"value": "PCN1"}}]

        assert found(replacement) == []

    def test_every_finding_says_what_why_and_where(self) -> None:
        for _name, change, _rules in TABLE:
            for finding in scrub(case(change)):
                assert finding.what
                assert finding.why.endswith(".")
                assert finding.mend[0] in ("patient", "coverage", "claim", "organization", "clinician")

    def test_every_rule_says_what_it_checks(self) -> None:
        assert all(rule.__doc__ for rule in RULES)


class TestNpi:
    @pytest.mark.parametrize("number", ["1234567893", "1679576722", "2000000010"])
    def test_a_right_check_digit(self, number: str) -> None:
        digits = number[:9]
        assert any(is_npi(digits + str(last)) for last in range(10))
        assert sum(is_npi(digits + str(last)) for last in range(10)) == 1

    @pytest.mark.parametrize("text", ["", "123456789", "12345678933", "123456789X", "١٢٣٤٥٦٧٨٩٣"])
    def test_what_is_no_npi(self, text: str) -> None:
        assert not is_npi(text)
