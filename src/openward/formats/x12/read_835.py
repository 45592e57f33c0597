"""Read the health care claim payment advice, X12 835 (005010X221)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from openward.formats.x12.errors import X12Error
from openward.formats.x12.interchange import TransactionSet, read_interchanges
from openward.formats.x12.remittance import Adjustment, ClaimPayment, ProviderAdjustment, Remittance, ServicePayment
from openward.formats.x12.segments import Segment

_GROUPS = frozenset({"CO", "PR", "OA", "PI", "CR"})


def read_835s(data: bytes) -> tuple[Remittance, ...]:
    """Every remittance of a file, in order. X12Error when the file is not whole or holds none."""
    found = []
    for interchange in read_interchanges(data):
        for group in interchange.groups:
            for transaction in group.transactions:
                if transaction.code != "835":
                    raise X12Error(f"a transaction set {transaction.code} was found where only 835 may be")
                found.append(_remittance(transaction))
    if not found:
        raise X12Error("the file holds no remittance (835)")
    return tuple(found)


def read_835(data: bytes) -> Remittance:
    """The one remittance of a file. Look at `problems` before believing it: an unbalanced advice is read, not refused."""
    found = read_835s(data)
    if len(found) != 1:
        raise X12Error(f"the file holds {len(found)} remittances, and one was expected")
    return found[0]


def _remittance(transaction: TransactionSet) -> Remittance:
    header, claims, trailer = _sections(transaction.segments)
    payment, trace = _first(header, "BPR", transaction), _first(header, "TRN", transaction)
    payer, payee = _party(header, "PR", transaction), _party(header, "PE", transaction)
    return Remittance(
        amount=-payment.money(2) if payment[3] == "D" else payment.money(2),
        method=payment[4],
        date=_paid_on(header, payment),
        trace=trace.need(2),
        payer_id=trace[3] or payment[10] or trace.need(3),
        payer_name=payer[0][2],
        payer_identifiers=_identifiers(payer),
        payee_name=payee[0][2],
        payee_id=payee[0][4],
        payee_identifiers=_identifiers(payee),
        control=transaction.control,
        claims=tuple(_claim(loop) for loop in _loops(claims, "CLP")),
        provider_adjustments=tuple(each for segment in trailer for each in _provider_adjustments(segment)),
    )


def _sections(segments: Sequence[Segment]) -> tuple[list[Segment], list[Segment], list[Segment]]:
    """Header (before the first LX or CLP), claims, and the PLB segments that end the advice."""
    header: list[Segment] = []
    claims: list[Segment] = []
    trailer: list[Segment] = []
    for segment in segments:
        if segment.id == "PLB":
            trailer.append(segment)
        elif trailer:
            raise segment.error("nothing but PLB may follow PLB")
        elif claims or segment.id in ("LX", "CLP"):
            claims.append(segment)
        else:
            header.append(segment)
    return header, claims, trailer


def _paid_on(header: Sequence[Segment], payment: Segment) -> dt.date:
    """The day of the payment; where the payer wrote no real day, the day it made the advice (DTM 405)."""
    made = [segment.date(2) for segment in header if segment.id == "DTM" and segment[1] == "405"]
    for day in [payment.date(16), *made]:
        if day:
            return day
    raise payment.error("element BPR16 is not a date, and there is no production date (DTM 405)")


def _first(segments: Sequence[Segment], id: str, transaction: TransactionSet) -> Segment:
    for segment in segments:
        if segment.id == id:
            return segment
    where = segments[0].number if segments else None
    raise X12Error(f"remittance {transaction.control} has no {id} segment", segment=where)


def _party(header: Sequence[Segment], role: str, transaction: TransactionSet) -> list[Segment]:
    """The N1 loop of payer (PR) or payee (PE)."""
    for loop in _loops(header, "N1"):
        if loop[0][1] == role:
            return loop
    raise X12Error(f"remittance {transaction.control} has no N1 {role} segment", segment=header[0].number if header else None)


def _identifiers(party: Sequence[Segment]) -> dict[str, str]:
    found = {segment[1]: segment[2] for segment in party if segment.id == "REF"}
    return found | ({party[0][3]: party[0][4]} if party[0][4] else {})


def _loops(segments: Sequence[Segment], starter: str) -> Iterator[list[Segment]]:
    """Split into the runs that start with `starter`; what stands before the first (LX, TS2, TS3) belongs to none."""
    loop: list[Segment] = []
    for segment in segments:
        if segment.id == starter:
            if loop:
                yield loop
            loop = [segment]
        elif segment.id == "LX":
            if loop:
                yield loop
            loop = []
        elif loop:
            loop.append(segment)
    if loop:
        yield loop


def _claim(loop: Sequence[Segment]) -> ClaimPayment:
    start = next((place for place, segment in enumerate(loop) if segment.id == "SVC"), len(loop))
    own, head = loop[:start], loop[0]
    claim = ClaimPayment(
        claim=head.need(1),
        status=head.need(2),
        charge=head.money(3),
        paid=head.money(4),
        patient_share=head.money_or_none(5),
        filing=head[6],
        payer_control=head[7],
        adjustments=_adjustments(own),
        remarks=_claim_remarks(own),
        services=tuple(_service(each) for each in _loops(loop[start:], "SVC")),
    )
    return replace(claim, **_people(own), **_dates(own))


def _people(segments: Sequence[Segment]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for segment in segments:
        if segment.id == "NM1" and segment[1] == "QC":
            found |= {"patient_family": segment[3], "patient_given": segment[4], "patient_id": segment[9]}
        elif segment.id == "NM1" and segment[1] == "82" and segment[8] == "XX":
            found["rendering_npi"] = segment[9]
    return found


def _dates(segments: Sequence[Segment]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for segment in segments:
        if segment.id == "DTM" and segment[1] in ("232", "233"):
            found["start" if segment[1] == "232" else "end"] = segment.date(2)
    return found


def _claim_remarks(segments: Sequence[Segment]) -> tuple[str, ...]:
    codes = [code for segment in segments if segment.id == "MOA" for code in segment.elements[2:7]]
    codes += [segment[place] for segment in segments if segment.id == "MIA" for place in (5, 20, 21, 22, 23)]
    return tuple(code for code in codes if code)


def _adjustments(segments: Sequence[Segment]) -> tuple[Adjustment, ...]:
    return tuple(each for segment in segments if segment.id == "CAS" for each in _cas(segment))


def _cas(segment: Segment) -> Iterator[Adjustment]:
    """CAS carries one group and up to six of reason, amount, quantity."""
    group = segment.need(1)
    if group not in _GROUPS:
        raise segment.error(f"{group} is not an adjustment group")
    segment.need(2)
    for place in range(2, len(segment.elements) + 1, 3):
        if reason := segment[place]:
            quantity = segment.amount(place + 2) if segment[place + 2] else None
            yield Adjustment(group, reason, segment.money(place + 1), quantity)
        elif segment[place + 1]:
            raise segment.error(f"the amount in element {place + 1} has no reason")


def _service(loop: Sequence[Segment]) -> ServicePayment:
    head = loop[0]
    qualifier, code, modifiers = _procedure(head)
    return ServicePayment(
        code=code,
        modifiers=modifiers,
        qualifier=qualifier,
        charge=head.money(2),
        paid=head.money(3),
        units=head.amount(5) if head[5] else Decimal(1),
        date=next((segment.date(2) for segment in loop if segment.id == "DTM" and segment[1] in ("472", "150")), None),
        control=next((segment[2] for segment in loop if segment.id == "REF" and segment[1] == "6R"), ""),
        allowed=next((segment.money(2) for segment in loop if segment.id == "AMT" and segment[1] == "B6"), None),
        adjustments=_adjustments(loop),
        remarks=tuple(segment[2] for segment in loop if segment.id == "LQ" and segment[1] == "HE"),
    )


def _procedure(head: Segment) -> tuple[str, str, tuple[str, ...]]:
    """SVC01: qualifier, code, modifiers. A sender that joins them by a mark it did not declare gets its text back as the code."""
    parts = head.components(1)
    if not parts:
        raise head.error("element SVC01 is missing")
    if len(parts) == 1:
        return "", parts[0], ()
    return parts[0], parts[1], tuple(part for part in parts[2:6] if part)


def _provider_adjustments(segment: Segment) -> Iterator[ProviderAdjustment]:
    """PLB carries a provider, a fiscal date and up to six of reason (with a reference) and amount."""
    provider, period = segment.need(1), segment.date(2)
    segment.need(3)
    for place in range(3, len(segment.elements) + 1, 2):
        if parts := segment.components(place):
            yield ProviderAdjustment(provider, period, parts[0], parts[1] if len(parts) > 1 else "", segment.money(place + 1))
