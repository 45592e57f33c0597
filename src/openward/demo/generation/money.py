"""What a signed visit is charged for. Claims, ledger and remittances follow by the billing room's own actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openward.demo.content.services import FEE
from openward.demo.generation.parts import coding, instant, reference, usd
from openward.demo.generation.visits import Visit

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

BILLED_DAYS = 365


def write(chart: Chart, visit: Visit) -> None:
    """Charges of the last year's signed visits, one line per code."""
    signed = chart.named[f"note/{visit.encounter}"]["signed"]
    if not signed or (chart.today - visit.day).days > BILLED_DAYS:
        return
    encounter = chart.named[f"encounter/{visit.encounter}"]
    for code in dict.fromkeys(charges(chart, visit)):
        fee = FEE[code]
        chart.add(
            "ChargeItem",
            status="billable",
            code={"coding": [coding(fee.system, fee.code, fee.name)], "text": fee.name},
            subject=chart.patient,
            context=reference("Encounter", visit.encounter),
            occurrenceDateTime=instant(visit.start),
            performer=[{"actor": chart.house.ref("practitioner", visit.clinician.key)}],
            performingOrganization=chart.house.ref("organization", "hospital"),
            quantity={"value": 1},
            priceOverride=usd(fee.price),
            enteredDate=instant(min(visit.end, chart.clock)),
            reason=[{"text": each["condition"]["display"]} for each in encounter.get("diagnosis", ())[:1]],
        )


def charges(chart: Chart, visit: Visit) -> Iterator[str]:
    """The fee-schedule codes of what was done."""
    senior = chart.person.age_on(visit.day) >= 65
    yield "G0439" if senior and visit.service.key == "annual-physical" else visit.service.charge
    if f"phq/{visit.encounter}" in chart.named and visit.service.key == "annual-physical":
        yield "G0444"
    if visit.panels:
        yield "OW-LAB1"
    if "psa" in visit.panels:
        yield "G0103"
    for name in chart.named.get(f"vaccines/{visit.encounter}", {}).get("names", ()):
        yield _administration(name, senior=senior)
    if visit.service.key == "cardiology":
        yield "OW-ECG1"


def _administration(vaccine: str, *, senior: bool) -> str:
    if senior and vaccine.startswith("Influenza"):
        return "G0008"
    return "G0009" if senior and vaccine.startswith("Pneumococcal") else "OW-VAC1"
