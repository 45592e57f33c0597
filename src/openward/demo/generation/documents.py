"""Letters from elsewhere, scanned and filed: a small text document for some patients."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING

from openward.demo.generation.parts import LOINC, concept, instant, reference

if TYPE_CHECKING:
    from openward.demo.generation.chart import Chart

LETTERS = (
    ("11488-4", "Consultation note", "eye examination", "No diabetic retinopathy in either eye. Return in one year.", ("diabetes",)),
    (
        "11488-4",
        "Consultation note",
        "cardiology consultation",
        "Echocardiogram unchanged. Continue current treatment.",
        ("coronary", "heart-failure", "fibrillation"),
    ),
    (
        "18842-5",
        "Discharge summary",
        "hospital stay for pneumonia",
        "Two nights, treated with antibiotics, discharged home in good condition.",
        ("copd",),
    ),
    (
        "11488-4",
        "Consultation note",
        "physical therapy",
        "Six sessions completed with good progress. Home program given.",
        ("back-pain", "knee-arthritis"),
    ),
    ("34133-9", "Summary of episode note", "records from the previous practice", "Immunizations and problem list enclosed.", ()),
)


def write(chart: Chart) -> None:
    seen = [v for v in chart.visits if v.state == "finished"]
    if not seen or not chart.chance.happens(0.3):
        return
    ill = {c.problem.key for c in chart.health.courses}
    code, kind, title, words, needs = chart.chance.choice([letter for letter in LETTERS if not letter[4] or ill & set(letter[4])])
    visit = chart.chance.choice(seen)
    at = min(visit.end + dt.timedelta(days=chart.chance.randint(1, 20)), chart.clock - dt.timedelta(hours=2))
    text = f"DEMO DOCUMENT\n\nRe: {chart.person.name}, born {chart.person.born:%d-%b-%Y}\n\n{title.capitalize()}\n\n{words}\n"
    binary = chart.add("Binary", contentType="text/plain", data=base64.b64encode(text.encode()).decode(), securityContext=chart.patient)
    chart.add(
        "DocumentReference",
        status="current",
        docStatus="final",
        type=concept(LOINC, code, kind, title.capitalize()),
        category=[{"text": "Outside records"}],
        subject=chart.patient,
        date=instant(at),
        author=[chart.house.ref("practitioner", visit.clinician.key)],
        custodian=chart.house.ref("organization", "hospital"),
        description=title.capitalize(),
        content=[
            {
                "attachment": {
                    "contentType": "text/plain",
                    "url": reference("Binary", binary["id"])["reference"],
                    "title": title.capitalize(),
                    "size": len(text.encode()),
                    "creation": instant(at),
                }
            }
        ],
    )
