"""Write a remittance advice, X12 835 (005010X221A1): what the built-in test payer answers with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from openward.formats.x12.claims import Envelope
from openward.formats.x12.remittance import Adjustment, ClaimPayment, ProviderAdjustment, Remittance, ServicePayment
from openward.formats.x12.writing import SegmentWriter, amount, code, needed, plain

VERSION = "005010X221A1"


def write_835(advice: Remittance, envelope: Envelope) -> bytes:
    """One interchange with one remittance. Balanced or not: that is for the reader to judge."""
    out = SegmentWriter()
    number, set_control = f"{envelope.control:09}", f"{envelope.control:04}"
    at, sender, receiver = envelope.at, code("sender id", envelope.sender.number, limit=15), code("receiver id", envelope.receiver.number, limit=15)
    ends = [envelope.sender_qualifier, f"{sender:15}", envelope.receiver_qualifier, f"{receiver:15}"]
    out.add("ISA", "00", " " * 10, "00", " " * 10, *ends, f"{at:%y%m%d}", f"{at:%H%M}", "^", "00501", number, "0", envelope.usage, ":")
    out.add("GS", "HP", sender, receiver, f"{at:%Y%m%d}", f"{at:%H%M}", str(envelope.control), "X", VERSION)
    before = out.count
    out.add("ST", "835", set_control)
    _header(out, advice, envelope)
    for claim in advice.claims:
        _claim(out, claim)
    _provider_adjustments(out, advice.provider_adjustments)
    out.add("SE", str(out.count - before + 1), set_control)
    out.add("GE", "1", str(envelope.control))
    out.add("IEA", "1", number)
    return out.to_bytes()


def _header(out: SegmentWriter, advice: Remittance, envelope: Envelope) -> None:
    flag = "C" if advice.amount >= 0 else "D"
    out.add("BPR", "I", amount(abs(advice.amount)), flag, advice.method, *[""] * 11, f"{advice.date:%Y%m%d}")
    out.add("TRN", "1", code("trace number", advice.trace, limit=50), code("payer id", advice.payer_id, limit=10))
    out.add("DTM", "405", f"{envelope.at:%Y%m%d}")
    out.add("N1", "PR", needed("payer", advice.payer_name))
    _payer_address(out)
    _references(out, advice.payer_identifiers, skip="")
    out.add("PER", "BL", needed("contact", envelope.contact), "TE", envelope.contact_phone)
    out.add("N1", "PE", needed("payee", advice.payee_name), "XX", advice.payee_id)
    _references(out, advice.payee_identifiers, skip="XX")
    if advice.claims:
        out.add("LX", "1")


def _payer_address(out: SegmentWriter) -> None:
    out.add("N3", "1 TEST PAYER WAY")
    out.add("N4", "SPRINGFIELD", "IL", "62701")


def _references(out: SegmentWriter, identifiers: Mapping[str, str], *, skip: str) -> None:
    for qualifier, value in identifiers.items():
        if qualifier != skip:
            out.add("REF", qualifier, value)


def _claim(out: SegmentWriter, claim: ClaimPayment) -> None:
    share = "" if claim.patient_share is None else amount(claim.patient_share)
    out.add("CLP", claim.claim, claim.status, amount(claim.charge), amount(claim.paid), share, claim.filing or "12", claim.payer_control)
    _cas(out, claim.adjustments)
    names = plain("patient", claim.patient_family), plain("patient", claim.patient_given, limit=35)
    out.add("NM1", "QC", "1", *names, "", "", "", "MI" if claim.patient_id else "", claim.patient_id)
    if claim.rendering_npi:
        out.add("NM1", "82", "1", "", "", "", "", "", "XX", claim.rendering_npi)
    if claim.remarks:
        out.add("MOA", "", "", *claim.remarks[:5])
    _date(out, "232", claim.start)
    _date(out, "233", claim.end)
    for service in claim.services:
        _service(out, service)


def _date(out: SegmentWriter, qualifier: str, day: dt.date | None) -> None:
    if day:
        out.add("DTM", qualifier, f"{day:%Y%m%d}")


def _service(out: SegmentWriter, service: ServicePayment) -> None:
    out.add("SVC", (service.qualifier, service.code, *service.modifiers), amount(service.charge), amount(service.paid), "", amount(service.units))
    _date(out, "472", service.date)
    _cas(out, service.adjustments)
    if service.control:
        out.add("REF", "6R", service.control)
    if service.allowed is not None:
        out.add("AMT", "B6", amount(service.allowed))
    for remark in service.remarks:
        out.add("LQ", "HE", remark)


def _cas(out: SegmentWriter, adjustments: Sequence[Adjustment]) -> None:
    """Runs of one group share a segment, six reasons at most."""
    for group, run in groupby(adjustments, key=lambda each: each.group):
        reasons = list(run)
        for start in range(0, len(reasons), 6):
            elements = [part for each in reasons[start : start + 6] for part in (each.reason, amount(each.amount), _quantity(each.quantity))]
            out.add("CAS", group, *elements)


def _quantity(value: Decimal | None) -> str:
    return "" if value is None else amount(value)


def _provider_adjustments(out: SegmentWriter, adjustments: Sequence[ProviderAdjustment]) -> None:
    for each in adjustments:
        period = f"{each.fiscal_period:%Y%m%d}" if each.fiscal_period else ""
        out.add("PLB", each.provider, period, (each.reason, each.reference), amount(each.amount))
