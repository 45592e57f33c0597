"""Segments and delimiters: the lexical layer of X12.

The interchange header (ISA) is the only fixed-width segment; it declares the four delimiters of the file.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from openward.formats.x12.errors import X12Error

ISA_LENGTH = 106
_ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}\Z")
_AMOUNT = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)\Z")


@dataclass(frozen=True, slots=True)
class Delimiters:
    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    terminator: str = "~"

    @property
    def all(self) -> str:
        return self.element + self.component + self.repetition + self.terminator


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. Elements are counted from 1, as X12 does: `CLP02` is `segment[2]`; an absent one reads as ""."""

    id: str
    elements: tuple[str, ...]
    number: int = 0
    offset: int = 0
    component: str = ":"

    def __getitem__(self, position: int) -> str:
        return self.elements[position - 1] if position <= len(self.elements) else ""

    def components(self, position: int) -> tuple[str, ...]:
        """The parts of a composite. Some senders join them by `>` whatever their ISA declares; no composite read here holds that mark."""
        text = self[position]
        mark = self.component if self.component in text or ">" not in text else ">"
        return tuple(text.split(mark)) if text else ()

    def error(self, reason: str) -> X12Error:
        return X12Error(f"{self.id}: {reason}", segment=self.number, offset=self.offset)

    def need(self, position: int) -> str:
        if value := self[position]:
            return value
        raise self.error(f"element {self.id}{position:02} is missing")

    def amount(self, position: int) -> Decimal:
        """Money or a quantity; X12 writes no thousands separators, exponents or plus signs."""
        text = self.need(position)
        if not _AMOUNT.match(text):
            raise self.error(f"element {self.id}{position:02} is not an amount")
        return Decimal(text)

    def money(self, position: int) -> Decimal:
        """An amount of US dollars, in whole cents."""
        amount = self.amount(position)
        if abs(amount) >= Decimal("10000000000") or amount != amount.quantize(Decimal("0.01")):
            raise self.error(f"element {self.id}{position:02} is not an amount of dollars and cents")
        return amount.quantize(Decimal("0.01"))

    def money_or_none(self, position: int) -> Decimal | None:
        return self.money(position) if self[position] else None

    def date(self, position: int) -> dt.date | None:
        """The day, or None where the sender wrote none or one that no calendar has (real senders do)."""
        try:
            return dt.datetime.strptime(self[position], "%Y%m%d").date()
        except ValueError:
            return None


def delimiters_of(text: str, start: int = 0, number: int = 1) -> Delimiters:
    """Read the delimiters from the ISA segment at `start`."""
    head = text[start : start + ISA_LENGTH]
    if not head.startswith("ISA"):
        raise X12Error("an interchange starts with ISA", segment=number, offset=start)
    if len(head) < ISA_LENGTH:
        raise X12Error("the file ends inside its ISA header", segment=number, offset=len(text))
    found = Delimiters(element=head[3], component=head[104], repetition=head[82], terminator=head[105])
    if len(set(found.all)) != 4 or any(mark.isalnum() or mark == " " for mark in found.all):
        raise X12Error("the ISA header does not declare four different delimiters", segment=number, offset=start)
    widths = tuple(len(part) for part in head[4:105].split(found.element))
    if widths != _ISA_WIDTHS:
        raise X12Error("the ISA header does not have its fixed widths", segment=number, offset=start)
    return found


def segments_of(data: bytes) -> Iterator[Segment]:
    """Every segment of a file in order. Each ISA may declare new delimiters; line breaks may follow a terminator."""
    text = data.decode("latin-1")  # one character per byte, so that offsets are bytes; the values are decoded one by one
    position, number = _skip_breaks(text, 0), 0
    if position >= len(text):
        raise X12Error("the file is empty", offset=0)
    marks = delimiters_of(text, position)
    while position < len(text):
        number += 1
        if text.startswith("ISA", position):
            marks = delimiters_of(text, position, number)
        end = text.find(marks.terminator, position)
        if end < 0:
            raise X12Error("the file ends inside a segment", segment=number, offset=len(text))
        yield _segment(text[position:end], marks, number, position)
        position = _skip_breaks(text, end + 1)


def _skip_breaks(text: str, position: int) -> int:
    while position < len(text) and text[position] in "\r\n \t\x1a":
        position += 1
    return position


def _segment(raw: str, marks: Delimiters, number: int, offset: int) -> Segment:
    if wrong := _CONTROL.search(raw):
        raise X12Error("a control character stands inside a segment", segment=number, offset=offset + wrong.start())
    id, *elements = _decoded(raw).split(marks.element)
    if not _SEGMENT_ID.match(id):
        raise X12Error("a segment does not start with a segment name", segment=number, offset=offset)
    return Segment(id, tuple(elements), number, offset, marks.component)


def _decoded(raw: str) -> str:
    """Senders write ASCII, UTF-8 or Latin-1 without saying which."""
    if raw.isascii():
        return raw
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return raw
