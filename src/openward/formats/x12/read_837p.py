"""Read professional claims, X12 837P (005010X222), as far as Openward writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from openward.formats.x12.claims import Address, Party, Person, ProfessionalClaim, ServiceLine, Submission
from openward.formats.x12.errors import X12Error
from openward.formats.x12.interchange import TransactionSet, read_interchanges
from openward.formats.x12.segments import Segment

_NOBODY = Party("", "")


def read_837p(data: bytes) -> tuple[Submission, ...]:
    """Every set of claims of a file, in order. Facts that Openward does not write (attachments, drugs, tooth numbers …) are passed over."""
    found = [
        _submission(transaction)
        for interchange in read_interchanges(data)
        for group in interchange.groups
        for transaction in group.transactions
        if _is_professional(transaction)
    ]
    if not found:
        raise X12Error("the file holds no professional claims (837P)")
    return tuple(found)


def _is_professional(transaction: TransactionSet) -> bool:
    return transaction.code == "837" and transaction.version.startswith("005010X222")


@dataclass
class _Level:
    """What an HL level says, inherited by the levels under it."""

    facts: dict[str, Any] = field(default_factory=dict)

    def under(self) -> _Level:
        return _Level(dict(self.facts))


def _submission(transaction: TransactionSet) -> Submission:
    header, *levels = _split(transaction.segments, "HL")
    parties = {segment[1]: _party_of([segment]) for segment in header if segment.id == "NM1"}
    known: dict[str, _Level] = {}
    claims: list[ProfessionalClaim] = []
    for loop in levels:
        own, *claim_loops = _split(loop, "CLM")
        parent = known.get(own[0][2]) if own[0][2] else _Level()
        if parent is None:
            raise own[0].error("its parent level does not exist")
        level = known[own[0].need(1)] = _level(parent.under(), own)
        claims.extend(_claim(each, level) for each in claim_loops)
    return Submission(parties.get("41", _NOBODY), parties.get("40", _NOBODY), transaction.control, transaction.version, tuple(claims))


def _split(segments: Sequence[Segment], starter: str) -> list[list[Segment]]:
    """What stands before the first `starter`, then one run for each."""
    runs: list[list[Segment]] = [[]]
    for segment in segments:
        if segment.id == starter:
            runs.append([])
        runs[-1].append(segment)
    return runs


def _level(level: _Level, segments: Sequence[Segment]) -> _Level:
    for segment in segments:
        if segment.id == "SBR":
            level.facts |= {"sequence": segment[1], "group_number": segment[3], "group_name": segment[4], "filing": segment[9]}
        elif segment.id == "PAT":
            level.facts["relationship"] = segment[1]
    for loop in _split(segments, "NM1")[1:]:
        _name(level, loop)
    if level.facts.get("billing") and segments[0][3] == "20":
        taxonomy = next((segment[3] for segment in segments if segment.id == "PRV" and segment[1] == "BI"), "")
        level.facts["billing"] = replace(level.facts["billing"], taxonomy=taxonomy)
    return level


def _name(level: _Level, loop: Sequence[Segment]) -> None:
    match loop[0][1]:
        case "85":
            level.facts["billing"] = _party_of(loop)
        case "IL":
            level.facts |= {"subscriber": _person_of(loop), "member_id": loop[0][9]}
        case "QC":
            level.facts["patient"] = _person_of(loop)
        case "PR":
            level.facts["payer"] = _party_of(loop)


def _party_of(loop: Sequence[Segment]) -> Party:
    head = loop[0]
    tax_id = next((segment[2] for segment in loop if segment.id == "REF" and segment[1] in ("EI", "SY")), "")
    taxonomy = next((segment[3] for segment in loop if segment.id == "PRV"), "")
    return Party(head[3], head[9], head[4], _address_of(loop), tax_id, taxonomy, head[2] == "1")


def _person_of(loop: Sequence[Segment]) -> Person:
    head = loop[0]
    born = next((segment for segment in loop if segment.id == "DMG"), None)
    return Person(head[3], head[4], head[5], born.date(2) if born else None, born[3] if born else "", _address_of(loop))


def _address_of(loop: Sequence[Segment]) -> Address | None:
    street = next((segment for segment in loop if segment.id == "N3"), None)
    place = next((segment for segment in loop if segment.id == "N4"), None)
    if street is None or place is None:
        return None
    return Address(street.elements[:2], place[1], place[2], place[3])


def _claim(loop: Sequence[Segment], level: _Level) -> ProfessionalClaim:
    own, *lines = _split(loop, "LX")
    head = own[0]
    place, _, frequency = (*head.components(5), "", "", "")[:3]
    claim = ProfessionalClaim(
        control=head.need(1),
        place=place,
        frequency=frequency,
        diagnoses=tuple(_diagnoses(own)),
        lines=tuple(_line(each) for each in lines),
        payer_control=_reference(own, "F8"),
        authorization=_reference(own, "G1"),
        rendering=_claim_party(own, "82"),
        facility=_claim_party(own, "77"),
        **_inherited(head, level),
    )
    if claim.total != head.money(2):
        raise head.error(f"the claim's total is {head[2]}, but its lines come to {claim.total}")
    return claim


def _inherited(head: Segment, level: _Level) -> dict[str, Any]:
    for fact in ("billing", "subscriber", "payer", "member_id"):
        if fact not in level.facts:
            raise head.error(f"no {fact.replace('_', ' ')} is named above this claim")
    return level.facts


def _reference(segments: Sequence[Segment], qualifier: str) -> str:
    return next((segment[2] for segment in segments if segment.id == "REF" and segment[1] == qualifier), "")


def _claim_party(segments: Sequence[Segment], role: str) -> Party | None:
    return next((_party_of(loop) for loop in _split(segments, "NM1")[1:] if loop[0][1] == role), None)


def _diagnoses(segments: Sequence[Segment]) -> Iterator[str]:
    for segment in segments:
        if segment.id == "HI" and segment.components(1)[:1] in (("ABK",), ("BK",)):
            yield from (segment.components(place)[1] for place in range(1, len(segment.elements) + 1) if len(segment.components(place)) > 1)


def _line(loop: Sequence[Segment]) -> ServiceLine:
    service = next((segment for segment in loop if segment.id == "SV1"), None)
    if service is None:
        raise loop[0].error("the line has no service (SV1)")
    _, code, *modifiers = (*service.components(1), "", "")[: max(2, len(service.components(1)))]
    return ServiceLine(
        code=code,
        modifiers=tuple(each for each in modifiers[:4] if each),
        charge=service.money(2),
        units=service.amount(4) if service[4] else Decimal(1),
        place=service[5],
        pointers=tuple(int(each) for each in service.components(7) if each.isdigit()),
        date=_served_on(loop),
        control=_reference(loop, "6R"),
    )


def _served_on(loop: Sequence[Segment]) -> dt.date:
    """DTP 472: a day, or a range whose first day counts."""
    for segment in loop:
        if segment.id == "DTP" and segment[1] == "472":
            day = Segment("DTP", (segment[3][:8],)).date(1)
            if day:
                return day
            raise segment.error("element DTP03 is not a date")
    raise loop[0].error("the line has no day of service (DTP 472)")
