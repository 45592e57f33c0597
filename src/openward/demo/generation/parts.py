"""The small pieces resources are made of, in FHIR's words. https://hl7.org/fhir/R4/datatypes.html"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from html import escape
from typing import Any

Json = dict[str, Any]

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
SERVICE = "urn:openward:service"
FLOW_STATE = "urn:openward:flow-state"
FLOW_SINCE = "urn:openward:flow-since"
XHTML = "http://www.w3.org/1999/xhtml"


def coding(system: str, code: str, display: str | None = None) -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def concept(system: str, code: str, display: str, text: str | None = None) -> Json:
    return {"coding": [coding(system, code, display)], "text": text or display}


def hl7(name: str, code: str, display: str | None = None) -> Json:
    """A concept of one of HL7's own code systems."""
    return {"coding": [coding(f"{TERMINOLOGY}/{name}", code, display)]}


def reference(type: str, id: str, display: str | None = None) -> Json:
    return {"reference": f"{type}/{id}", **({"display": display} if display else {})}


def to(resource: Json, display: str | None = None) -> Json:
    """A reference to this resource."""
    return reference(resource["resourceType"], resource["id"], display)


def quantity(value: Decimal, unit: str, ucum: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": ucum} if ucum else {"value": value, "unit": unit}


def decimal(value: float, digits: int) -> Decimal:
    """The number with exactly so many digits, as a laboratory reports it."""
    return Decimal(f"{value:.{digits}f}")


def usd(value: Decimal) -> Json:
    return {"value": value, "currency": "USD"}


def identifier(system: str, value: str, kind: str | None = None) -> Json:
    type_ = {"type": hl7("v2-0203", kind)} if kind else {}
    return {**type_, "system": system, "value": value}


def instant(at: dt.datetime) -> str:
    """With the offset of the zone the time is told in."""
    return at.isoformat(timespec="seconds")


def day(of: dt.date) -> str:
    return of.isoformat()


def div(*paragraphs: str) -> Json:
    """A narrative of plain paragraphs."""
    return {"status": "generated", "div": f'<div xmlns="{XHTML}">' + "".join(f"<p>{escape(p)}</p>" for p in paragraphs) + "</div>"}


def tag(system: str, code: str) -> Json:
    return coding(f"urn:openward:{system}", code)
