"""What can be booked, and what it costs.

HCPCS Level II codes are public facts of CMS; `OW-` codes are this demo's own. The prices are invented. CPT is not shipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

HCPCS = "https://bluebutton.cms.gov/resources/codesystem/hcpcs"
OWN = "urn:openward:service-code"


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of visit; `minutes` is its length, `charge` the fee-schedule code of the visit itself."""

    key: str
    name: str
    minutes: int
    charge: str


SERVICES = (
    Service("new-patient", "New patient visit", 40, "OW-V40"),
    Service("follow-up", "Follow-up visit", 20, "OW-V20"),
    Service("annual-physical", "Annual physical", 40, "OW-P40"),
    Service("well-child", "Well-child visit", 30, "OW-W30"),
    Service("sick-visit", "Sick visit", 20, "OW-V20"),
    Service("womens-health", "Women's health visit", 30, "OW-V30"),
    Service("cardiology", "Cardiology consultation", 40, "OW-S40"),
    Service("endocrinology", "Endocrinology follow-up", 30, "OW-S30"),
    Service("behavioral-health", "Behavioral health visit", 40, "OW-B40"),
)

SERVICE = {s.key: s for s in SERVICES}


@dataclass(frozen=True, slots=True)
class Fee:
    """One line of the fee schedule."""

    code: str
    system: str
    name: str
    price: Decimal


FEES = (
    Fee("OW-V20", OWN, "Office visit, 20 minutes", Decimal("125.00")),
    Fee("OW-V30", OWN, "Office visit, 30 minutes", Decimal("180.00")),
    Fee("OW-V40", OWN, "Office visit, new patient, 40 minutes", Decimal("240.00")),
    Fee("OW-P40", OWN, "Preventive visit, adult", Decimal("260.00")),
    Fee("OW-W30", OWN, "Preventive visit, child", Decimal("195.00")),
    Fee("OW-S30", OWN, "Specialist visit, 30 minutes", Decimal("230.00")),
    Fee("OW-S40", OWN, "Specialist consultation, 40 minutes", Decimal("310.00")),
    Fee("OW-B40", OWN, "Behavioral health visit, 40 minutes", Decimal("210.00")),
    Fee("OW-LAB1", OWN, "Specimen collection and handling", Decimal("18.00")),
    Fee("OW-VAC1", OWN, "Vaccine administration", Decimal("32.00")),
    Fee("OW-ECG1", OWN, "Electrocardiogram with interpretation", Decimal("85.00")),
    Fee("G0008", HCPCS, "Administration of influenza virus vaccine", Decimal("30.00")),
    Fee("G0009", HCPCS, "Administration of pneumococcal vaccine", Decimal("30.00")),
    Fee("G0438", HCPCS, "Annual wellness visit, initial", Decimal("290.00")),
    Fee("G0439", HCPCS, "Annual wellness visit, subsequent", Decimal("230.00")),
    Fee("G0444", HCPCS, "Annual depression screening, 15 minutes", Decimal("28.00")),
    Fee("G0103", HCPCS, "Prostate cancer screening; prostate specific antigen test", Decimal("42.00")),
    Fee("G0328", HCPCS, "Colorectal cancer screening; fecal occult blood test, immunoassay", Decimal("38.00")),
    Fee("J3420", HCPCS, "Injection, vitamin B-12 cyanocobalamin, up to 1000 mcg", Decimal("15.00")),
    Fee("J1885", HCPCS, "Injection, ketorolac tromethamine, per 15 mg", Decimal("12.00")),
    Fee("J7613", HCPCS, "Albuterol, inhalation solution, unit dose, 1 mg", Decimal("9.00")),
)

FEE = {fee.code: fee for fee in FEES}


@dataclass(frozen=True, slots=True)
class Payer:
    """An invented insurer; `allows` is the share of the fee it allows, `patient_pays` the patient's share of that."""

    key: str
    name: str
    payer_id: str
    ages: tuple[int, int]
    weight: float
    allows: Decimal
    patient_pays: Decimal
    copay: Decimal


PAYERS = (
    Payer("juniper", "Juniper Mutual Health (demo)", "OWP01", (0, 65), 0.34, Decimal("0.82"), Decimal("0.20"), Decimal("25.00")),
    Payer("bluefern", "Blue Fern Insurance (demo)", "OWP02", (0, 65), 0.28, Decimal("0.78"), Decimal("0.15"), Decimal("30.00")),
    Payer("lumen", "Lumen Care Plan (demo)", "OWP03", (0, 65), 0.16, Decimal("0.70"), Decimal("0.30"), Decimal("40.00")),
    Payer("statecare", "StateCare Assistance (demo)", "OWP04", (0, 65), 0.22, Decimal("0.55"), Decimal("0.00"), Decimal("0.00")),
    Payer("silverline", "Silverline Senior Health (demo)", "OWP05", (65, 130), 0.75, Decimal("0.72"), Decimal("0.20"), Decimal("0.00")),
    Payer("everoak", "Everoak Advantage (demo)", "OWP06", (65, 130), 0.25, Decimal("0.76"), Decimal("0.10"), Decimal("15.00")),
)

PAYER = {payer.key: payer for payer in PAYERS}
