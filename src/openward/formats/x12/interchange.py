"""Envelopes: interchange (ISA-IEA), functional group (GS-GE), transaction set (ST-SE), with their counts verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openward.formats.x12.errors import X12Error
from openward.formats.x12.segments import Segment, segments_of


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """`segments` are those between ST and SE; `version` is the guide named in GS08 (or ST03), as `005010X221A1`."""

    code: str
    control: str
    version: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Group:
    code: str
    control: str
    version: str
    transactions: tuple[TransactionSet, ...]


@dataclass(frozen=True, slots=True)
class Interchange:
    """`usage` is P for production or T for test; sender and receiver are as written, without their padding."""

    sender: str
    receiver: str
    control: str
    usage: str
    groups: tuple[Group, ...]

    def transactions(self, code: str) -> Iterator[TransactionSet]:
        return (each for group in self.groups for each in group.transactions if each.code == code)


def read_interchanges(data: bytes) -> tuple[Interchange, ...]:
    """All interchanges of a file, or X12Error with the place: nothing is returned from a file that is not whole."""
    cursor = _Cursor(tuple(segments_of(data)), len(data))
    found = []
    while not cursor.at_end:
        found.append(_interchange(cursor))
    return tuple(found)


class _Cursor:
    def __init__(self, segments: tuple[Segment, ...], size: int) -> None:
        self._segments = segments
        self._size = size
        self._next = 0

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._segments)

    def peek(self, wanted: str) -> Segment:
        if self.at_end:
            raise X12Error(f"the file ends before its {wanted} segment", segment=len(self._segments) + 1, offset=self._size)
        return self._segments[self._next]

    def take(self, wanted: str) -> Segment:
        segment = self.peek(wanted)
        if segment.id != wanted:
            raise segment.error(f"{wanted} was expected here")
        self._next += 1
        return segment

    def skip(self, id: str, wanted: str) -> None:
        while self.peek(wanted).id == id:
            self._next += 1

    def until(self, last: str) -> tuple[Segment, ...]:
        """The segments before the next `last`; an envelope segment on the way is a fault."""
        start = self._next
        while self.peek(last).id not in _ENVELOPE:
            self._next += 1
        return self._segments[start : self._next]


_ENVELOPE = frozenset({"ISA", "IEA", "GS", "GE", "ST", "SE"})


def _interchange(cursor: _Cursor) -> Interchange:
    header = cursor.take("ISA")
    if header[12] != "00501":
        raise header.error(f"version {header[12]} is not read here, only 00501")
    cursor.skip("TA1", "IEA")
    groups = []
    while cursor.peek("IEA").id == "GS":
        groups.append(_group(cursor))
    _close(cursor.take("IEA"), len(groups), header[13], "groups")
    return Interchange(header[6].strip(), header[8].strip(), header[13], header[15], tuple(groups))


def _group(cursor: _Cursor) -> Group:
    header = cursor.take("GS")
    transactions = []
    while cursor.peek("GE").id == "ST":
        transactions.append(_transaction(cursor, header[8]))
    _close(cursor.take("GE"), len(transactions), header[6], "transaction sets")
    return Group(header[1], header[6], header[8], tuple(transactions))


def _transaction(cursor: _Cursor, version: str) -> TransactionSet:
    header = cursor.take("ST")
    body = cursor.until("SE")
    _close(cursor.take("SE"), len(body) + 2, header[2], "segments")
    return TransactionSet(header.need(1), header.need(2), header[3] or version, body)


def _close(trailer: Segment, count: int, control: str, noun: str) -> None:
    if not trailer[1].isdigit() or int(trailer[1]) != count:
        raise trailer.error(f"counts {trailer[1] or 'no'} {noun}, but {count} are here")
    if trailer[2] != control:
        raise trailer.error("its control number is not that of its header")
