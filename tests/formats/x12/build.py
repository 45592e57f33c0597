"""Claims and remittances to test with. Everybody here is invented."""

from __future__ import annotations

import datetime as dt
import io
import logging
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyx12.params
import pyx12.x12n_document

from openward.formats.x12.claims import Address, Envelope, Party, Person, ProfessionalClaim, ServiceLine
from openward.formats.x12.remittance import Adjustment, ClaimPayment, Remittance, ServicePayment

DAY = dt.date(2026, 11, 3)
HOME = Address(("12 ELM STREET",), "SPRINGFIELD", "IL", "62701")
CLINIC = Party(
    "HARBOUR CLINIC",
    "1234567893",
    address=Address(("1 DOCK RD", "SUITE 4"), "SPRINGFIELD", "IL", "627010001"),
    tax_id="123456789",
    taxonomy="207Q00000X",
)
PAYER = Party("FICTIONAL HEALTH PLAN", "OWPAY1")
ADA = Person("OKAFOR", "ADA", "N", dt.date(1980, 2, 3), "F", HOME)
BEN = Person("OKAFOR", "BEN", "", dt.date(2015, 7, 9), "M", HOME)
OSEI = Party("OSEI", "1679576722", given="KWAME", taxonomy="207Q00000X", is_person=True)
LINES = (
    ServiceLine("G0402", Decimal("120.00"), DAY, (1,), modifiers=("25",), control="1"),
    ServiceLine("J3420", Decimal("15.50"), DAY, (1, 2), units=Decimal(2), control="2"),
)
ENVELOPE = Envelope(
    Party("HARBOUR CLINIC", "OWCLINIC1"), Party("FOLDER CLEARINGHOUSE", "OWCLEAR"), 7, dt.datetime(2026, 11, 4, 9, 5), "BILLING OFFICE", "5550102000"
)


def claim(number: int = 1, **facts: Any) -> ProfessionalClaim:
    base = ProfessionalClaim(
        control=f"OW{number:07}",
        billing=CLINIC,
        subscriber=ADA,
        member_id="MEM12345",
        payer=PAYER,
        diagnoses=("I10", "E119"),
        lines=LINES,
        rendering=OSEI,
    )
    return replace(base, **facts)


def service(**facts: Any) -> ServicePayment:
    base = ServicePayment(
        code="G0402",
        modifiers=(),
        charge=Decimal("120.00"),
        paid=Decimal("70.00"),
        date=DAY,
        control="1",
        allowed=Decimal("90.00"),
        adjustments=(Adjustment("CO", "45", Decimal("30.00")), Adjustment("PR", "3", Decimal("20.00"))),
    )
    return replace(base, **facts)


def claim_payment(**facts: Any) -> ClaimPayment:
    base = ClaimPayment(
        claim="OW0000001",
        status="1",
        charge=Decimal("120.00"),
        paid=Decimal("70.00"),
        patient_share=Decimal("20.00"),
        filing="12",
        payer_control="PCN1",
        patient_family="OKAFOR",
        patient_given="ADA",
        patient_id="MEM12345",
        services=(service(),),
    )
    return replace(base, **facts)


def remittance(**facts: Any) -> Remittance:
    base = Remittance(
        amount=Decimal("70.00"),
        method="ACH",
        date=DAY,
        trace="TRACE1",
        payer_id="1999999999",
        payer_name="FICTIONAL HEALTH PLAN",
        payee_name="HARBOUR CLINIC",
        payee_id="1234567893",
        payee_identifiers={"XX": "1234567893"},
        control="0007",
        claims=(claim_payment(),),
    )
    return replace(base, **facts)


def faults_found_outside(data: bytes) -> list[str]:
    """What pyx12, which nobody here wrote, finds wrong with a file."""
    log, handler = logging.getLogger("pyx12.error_handler"), _Collector()
    log.addHandler(handler)
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "claims.837")
            file.write_bytes(data)
            ok = pyx12.x12n_document.x12n_document(pyx12.params.params(), str(file), io.StringIO(), None)
    finally:
        log.removeHandler(handler)
    return handler.lines or ([] if ok else ["refused without a reason"])


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
