"""What billing writes about the people of the record: charges, claims, answers of payers, statements, payments.

The labels are said here a second time, in plain Python: those of every diagnosis a paper is for, by its code or by what it names.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.access.people import ICD, labelled

Resource = dict[str, Any]
# By the code of the diagnosis: 42 CFR Part 2, mental health, what the young may keep to themselves, and what anybody may know.
CODES: Mapping[str, str | None] = {"I10": None, "F11.20": "ETH", "F32.A": "PSY", "Z30.011": "SEX", "A54.9": "STD"}
PAYER, PROVIDER = {"reference": "Organization/clinic"}, {"reference": "Organization/clinic"}
PROFESSIONAL = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]}
DELETED = ("claim-1-0", "answer-1-0", "charge-3-1", "statement-2")


def bills(number: int, id: str, problems: Sequence[Resource], rng: random.Random) -> Iterator[Resource]:
    """Of one patient, who has these problems: for each of some diagnoses a charge, a claim and an answer, and one for a problem by its name."""
    patient = {"reference": f"Patient/{id}"}
    yield {
        "resourceType": "Coverage", "id": f"coverage-{number}", "status": "active", "beneficiary": patient, "payor": [PAYER], "subscriberId": f"S{number}"
    }  # fmt: skip
    codes = rng.sample(sorted(CODES), 3)
    for turn, code in enumerate(codes):
        yield from _billed(f"{number}-{turn}", patient, {"diagnosisCodeableConcept": coded(code)}, CODES[code], [coded(code)], rng)
    if problems:
        named = rng.choice(problems)
        label = next((one["code"] for one in named.get("meta", {}).get("security", ())), None)
        yield from _billed(f"{number}-named", patient, {"diagnosisReference": {"reference": f"Condition/{named['id']}"}}, label, [], rng)
    told = {CODES[code] for code in codes} - {None, "ETH", "STD"}
    yield _labelled(
        {
            "resourceType": "Invoice", "id": f"statement-{number}", "status": "issued", "subject": patient, "recipient": patient, "date": f"2026-04-{10 + number}",
            "totalNet": usd(40 + number), "lineItem": [{"chargeItemCodeableConcept": {"text": "Your share of the visit"}}],
        },
        *sorted(filter(None, told)),
    )  # fmt: skip
    yield {
        "resourceType": "PaymentNotice", "id": f"paid-{number}", "status": "active", "created": f"2026-04-{10 + number}", "amount": usd(number + 5),
        "request": {"reference": f"Invoice/statement-{number}"}, "payment": {"display": "card"}, "recipient": PROVIDER,
    }  # fmt: skip
    yield {
        "resourceType": "PaymentReconciliation", "id": f"advice-{number}", "status": "active", "created": "2026-04-01", "paymentDate": "2026-04-01",
        "paymentAmount": usd(60), "detail": [{"type": {"text": "payment"}, "request": {"reference": f"Claim/claim-{number}-0"}, "amount": usd(60)}],
    }  # fmt: skip


def _billed(
    name: str, patient: Mapping[str, str], diagnosis: Mapping[str, Any], label: str | None, reasons: Sequence[Any], rng: random.Random
) -> Iterator[Resource]:
    """`label`: of the diagnosis. The charge knows it by its reason only; the answer has no diagnosis, it is of the claim."""
    labels = [label] if label else []
    charge: Resource = {
        "resourceType": "ChargeItem",
        "id": f"charge-{name}",
        "status": "billable",
        "subject": patient,
        "code": {"text": "Office visit"},
    }
    yield _labelled({**charge, "reason": list(reasons)}, *labels) if reasons else charge
    money = rng.randint(50, 200)
    common: Resource = {
        "status": "active", "type": PROFESSIONAL, "use": "claim", "patient": patient, "created": f"2026-03-{rng.randint(10, 28)}", "provider": PROVIDER,
        "insurance": [{"focal": True, "coverage": {"reference": f"Coverage/coverage-{name.partition('-')[0]}"}}],
    }  # fmt: skip
    insurance = [{"sequence": 1, **common["insurance"][0]}]
    claim = {
        **common, "resourceType": "Claim", "id": f"claim-{name}", "insurance": insurance, "priority": {"text": "normal"}, "insurer": PAYER,
        "identifier": [{"system": "urn:x", "value": f"N{name}"}], "diagnosis": [{"sequence": 1, **diagnosis}], "total": usd(money),
    }  # fmt: skip
    yield _labelled(claim, *labels)
    answered = {
        **common, "resourceType": "ExplanationOfBenefit", "id": f"answer-{name}", "insurer": PAYER, "claim": {"reference": f"Claim/claim-{name}"}, "outcome": "complete",
        "disposition": f"Paid in part {rng.randint(0, 3)}", "payment": {"amount": usd(money - 10)},
    }  # fmt: skip
    yield _labelled(answered, *labels)
    heard = {key: common[key] for key in ("status", "type", "use", "patient", "created")}
    response = {
        "resourceType": "ClaimResponse",
        "id": f"heard-{name}",
        "insurer": PAYER,
        "outcome": "complete",
        "request": {"reference": f"Claim/claim-{name}"},
    }
    yield _labelled({**heard, **response}, *labels)


def _labelled(resource: Resource, *labels: str) -> Resource:
    return {**resource, **labelled(*labels)} if labels else resource


def coded(code: str) -> Resource:
    return {"coding": [{"system": ICD, "code": code}]}


def usd(amount: int) -> Resource:
    return {"value": amount, "currency": "USD"}
