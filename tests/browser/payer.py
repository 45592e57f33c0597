"""The payer and the laboratory of the stories: they read what Openward sends and answer as outsiders do."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from openward.formats.x12.claims import Envelope, Party
from openward.formats.x12.read_837p import read_837p
from openward.formats.x12.remittance import Adjustment, ClaimPayment, Remittance
from openward.formats.x12.write_835 import write_835

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def remittance_for(claim_file: Path, *, payer: str, share: Decimal, trace: str) -> bytes:
    """An 835 that answers every claim of an 837P: a fifth is written off by contract, `share` is the patient's, the rest is paid."""
    [submission] = read_837p(claim_file.read_bytes())
    answers = []
    for claim in submission.claims:
        charge = claim.total
        contract = (charge / 5).quantize(Decimal("0.01"))
        reasons = (Adjustment("CO", "45", contract), Adjustment("PR", "3", share))
        answers.append(
            ClaimPayment(
                claim.control, "1", charge, charge - contract - share, patient_share=share, payer_control=f"P{claim.control}", adjustments=reasons
            )
        )
    advice = Remittance(
        amount=sum((answer.paid for answer in answers), Decimal(0)), method="ACH", date=dt.date.today(), trace=trace,
        payer_id="1999999999", payer_name=payer, payee_name=submission.sender.name, payee_id="1234567893", control="0001", claims=tuple(answers),
    )  # fmt: skip
    return write_835(
        advice,
        Envelope(Party(payer, "JUNIPER01"), Party(submission.sender.name, submission.sender.number), 1, dt.datetime.now(), "Payer", "2125550100"),
    )


def laboratory_result(order: dict[str, Any], value: str) -> dict[str, Any]:
    """The transaction a laboratory sends: a hemoglobin A1c of `value` percent for this order."""
    now = dt.datetime.now(dt.UTC).isoformat()
    code = {"coding": [{"system": LOINC, "code": "4548-4", "display": "Hemoglobin A1c"}]}
    common = {
        "status": "final",
        "basedOn": [{"reference": f"ServiceRequest/{order['id']}"}],
        "code": code,
        "subject": order["subject"],
        "effectiveDateTime": now,
        "issued": now,
    }
    percent = {"unit": "%", "system": UCUM, "code": "%"}
    observation = {
        "resourceType": "Observation", **common,
        "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
        "valueQuantity": {"value": float(value), **percent},
        "referenceRange": [{"low": {"value": 4.0, **percent}, "high": {"value": 5.6, **percent}}],
        "interpretation": [{"coding": [{"system": INTERPRETATION, "code": "H"}]}],
    }  # fmt: skip
    name = "urn:uuid:7b9f2c66-6a2e-4a45-8c5d-0f6a5c3b1d11"
    report = {"resourceType": "DiagnosticReport", **common, "result": [{"reference": name}]}
    entries = [
        {"fullUrl": name, "resource": observation, "request": {"method": "POST", "url": "Observation"}},
        {"resource": report, "request": {"method": "POST", "url": "DiagnosticReport"}},
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
