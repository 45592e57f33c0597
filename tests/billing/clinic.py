"""A small clinic to bill for. Everybody here is invented."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from openward.access.actor import Actor
from openward.billing import actions, facts
from openward.billing.fees import FeeLine
from openward.fhir.resources import Claim, Encounter, Resource
from openward.fhir.store import Store
from openward.formats.x12.claims import Envelope, Party
from openward.formats.x12.remittance import Adjustment, ClaimPayment, Remittance, ServicePayment
from openward.formats.x12.write_835 import write_835
from openward.record import open_store, unit_of_work
from tests import cast

D = Decimal
DAY = dt.date(2026, 11, 3)
FEES = (
    FeeLine("OW-VISIT-20", facts.OWN_CODES, "Office visit, 20 minutes", D("125.00"), ("visit:follow-up",)),
    FeeLine("OW-LAB-1", facts.OWN_CODES, "Specimen collection and handling", D("18.00"), ("order:laboratory",)),
    FeeLine("G0008", facts.HCPCS, "Administration of influenza virus vaccine", D("30.00"), ("immunization:140",)),
)
ENVELOPE = Envelope(
    Party("FICTIONAL HEALTH PLAN", "OWPAY1"), Party("HARBOUR CLINIC", "123456789"), 7, dt.datetime(2026, 11, 10, 9, 5), "PAYER DESK", "5550102000"
)


@dataclass
class Clinic:
    """`store` sees everything; `biller` is who bills."""

    store: Store
    biller: Actor
    ids: dict[str, str]

    @classmethod
    def open(cls) -> Clinic:
        clinic = cls(open_store(cast.system("set up a clinic")), cast.staff("biller"), {})
        clinic._house()
        actions.set_fees(lines=FEES, by=clinic.biller)
        return clinic

    def make(self, name: str, resource: dict[str, Any]) -> Resource:
        with unit_of_work(by=cast.system("set up a clinic")) as work:
            made = work.store.create(resource)
        self.ids[name] = str(made.id)
        return made

    def change(self, type: str, id: str, **elements: Any) -> Resource:
        with unit_of_work(by=cast.system("change")) as work:
            data = work.store.read(type, id).data | elements
            return work.store.update({key: value for key, value in data.items() if value is not None})

    def _house(self) -> None:
        place = {"line": ["1 Dock Rd"], "city": "Springfield", "state": "IL", "postalCode": "62701"}
        npi, tax = "http://hl7.org/fhir/sid/us-npi", "urn:oid:2.16.840.1.113883.4.4"
        self.make("practice", {
            "resourceType": "Organization", "active": True, "name": "Harbour Clinic", "address": [place], "telecom": [{"system": "phone", "value": "(555) 010-2000"}],
            "identifier": [{"system": npi, "value": "1234567893"}, {"system": tax, "value": "12-3456789"}],
        })  # fmt: skip
        self.make("payer", {
            "resourceType": "Organization", "active": True, "name": "Fictional Health Plan", "identifier": [{"system": "urn:openward:payer", "value": "OWPAY1"}],
        })  # fmt: skip
        self.make(
            "clinician",
            {
                "resourceType": "Practitioner",
                "name": [{"family": "Osei", "given": ["Kwame"]}],
                "identifier": [{"system": npi, "value": "1679576722"}],
            },
        )
        zone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": "America/New_York"}
        self.make("place", {"resourceType": "Location", "name": "Harbour Clinic", "extension": [zone]})
        self.make("patient", patient("Okafor", "Ada"))
        self.make("coverage", self.coverage("patient"))

    def coverage(self, patient: str, **more: Any) -> dict[str, Any]:
        beneficiary = {"reference": f"Patient/{self.ids[patient]}"}
        return {
            "resourceType": "Coverage", "status": "active", "beneficiary": beneficiary, "subscriber": beneficiary, "subscriberId": "MEM12345", "order": 1,
            "relationship": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "code": "self"}]},
            "payor": [{"reference": f"Organization/{self.ids['payer']}"}], **more,
        }  # fmt: skip

    def visit(self, name: str = "visit", patient: str = "patient", *, codes: tuple[str, ...] = ("I10", "E11.9"), lab: bool = True) -> Encounter:
        """A finished visit of the day with its diagnoses and, unless told otherwise, a laboratory order."""
        subject = {"reference": f"Patient/{self.ids[patient]}"}
        made = self.make(name, {
            "resourceType": "Encounter", "status": "finished", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "serviceType": {"coding": [{"system": "urn:openward:service", "code": "follow-up"}]}, "subject": subject,
            "participant": [{"individual": {"reference": f"Practitioner/{self.ids['clinician']}"}}],
            "period": {"start": "2026-11-03T14:00:00Z", "end": "2026-11-03T14:20:00Z"}, "location": [{"location": {"reference": f"Location/{self.ids['place']}"}}],
            "serviceProvider": {"reference": f"Organization/{self.ids['practice']}"},
        })  # fmt: skip
        here = {"subject": subject, "encounter": {"reference": f"Encounter/{made.id}"}}
        for code in codes:
            category = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-category", "code": "encounter-diagnosis"}]}]
            self.make(
                f"{name}-{code}",
                {"resourceType": "Condition", "category": category, "code": {"coding": [{"system": facts.ICD10, "code": code}]}, **here},
            )
        if lab:
            category = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}]
            order = {
                "status": "active",
                "intent": "order",
                "category": category,
                "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
            }
            self.make(f"{name}-lab", {"resourceType": "ServiceRequest", **order, **here})
        return made  # type: ignore[return-value]

    def claim(self, name: str = "visit", patient: str = "patient", **visit: Any) -> Claim:
        """A visit with its charges on a claim."""
        made = self.visit(name, patient, **visit)
        actions.propose_charges(visit=str(made.id), by=self.biller)
        return actions.build_claim(visit=str(made.id), by=self.biller)

    def sent(self, name: str = "visit", patient: str = "patient") -> Claim:
        """A claim of $143.00 that was sent: $125.00 for the visit, $18.00 for the specimen."""
        claim = self.claim(name, patient)
        actions.submit(claims=[str(claim.id)], by=self.biller)
        return self.read(claim)

    def read(self, claim: Claim) -> Claim:
        return self.store.read(Claim, str(claim.id))

    def state(self, claim: Claim) -> str | None:
        return facts.state_of(self.read(claim))


def patient(family: str, given: str, **more: Any) -> dict[str, Any]:
    home = {"line": ["12 Elm Street"], "city": "Springfield", "state": "IL", "postalCode": "62701"}
    return {
        "resourceType": "Patient", "name": [{"family": family, "given": [given]}], "birthDate": "1980-02-03", "gender": "female", "address": [home],
        "telecom": [{"system": "phone", "value": "+12125550123"}, {"system": "email", "value": "ada@example.com"}], **more,
    }  # fmt: skip


PAID_IN_PART = (Adjustment("CO", "45", D("43.00")), Adjustment("PR", "1", D("15.00")), Adjustment("PR", "3", D("25.00")))
DENIED = (Adjustment("CO", "16", D("143.00")),)


def answer(about: Claim, *adjustments: Adjustment, status: str = "1", **facts_of_it: Any) -> ClaimPayment:
    """The payer's answer to a claim of $143.00 as a whole; what is not adjusted is paid."""
    charge = facts.total_of(about)
    share = sum((each.amount for each in adjustments if each.group == "PR"), D("0.00"))
    paid = charge - sum((each.amount for each in adjustments), D("0.00"))
    made = ClaimPayment(
        claim=facts.number_of(about),
        status=status,
        charge=charge,
        paid=paid,
        patient_share=share,
        payer_control="PCN1",
        patient_family="OKAFOR",
        adjustments=adjustments,
    )
    return replace(made, **facts_of_it)


def line_answers(claim: Claim, *adjustments: tuple[Adjustment, ...]) -> ClaimPayment:
    """The payer's answer line by line."""
    lines = []
    for item, reasons in zip(claim.item, adjustments, strict=True):
        charge = facts.value(item.net)
        paid = charge - sum((each.amount for each in reasons), D("0.00"))
        lines.append(
            ServicePayment(facts.code_of(item.productOrService), (), charge, paid, date=DAY, control=str(item.sequence), adjustments=reasons)
        )
    paid_in_all = sum((line.paid for line in lines), D("0.00"))
    return ClaimPayment(
        facts.number_of(claim), "1", facts.total_of(claim), paid_in_all, payer_control="PCN1", patient_family="OKAFOR", services=tuple(lines)
    )


def taken_back(payment: ClaimPayment) -> ClaimPayment:
    """The reversal of an answer."""
    turned = tuple(replace(each, amount=-each.amount) for each in payment.adjustments)
    share = -payment.patient_share if payment.patient_share is not None else None
    return replace(payment, status="22", charge=-payment.charge, paid=-payment.paid, patient_share=share, adjustments=turned)


def advice(*claims: ClaimPayment, trace: str = "TRACE1", **more: Any) -> Remittance:
    made = Remittance(
        amount=sum((claim.paid for claim in claims), D("0.00")),
        method="ACH",
        date=dt.date(2026, 11, 10),
        trace=trace,
        payer_id="1999999999",
        payer_name="FICTIONAL HEALTH PLAN",
        payee_name="HARBOUR CLINIC",
        payee_id="1234567893",
        control="0007",
        claims=claims,
    )
    return replace(made, **more)


def file_of(*claims: ClaimPayment, trace: str = "TRACE1", **more: Any) -> bytes:
    return write_835(advice(*claims, trace=trace, **more), ENVELOPE)
