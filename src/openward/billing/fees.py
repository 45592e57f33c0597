"""The fee schedule as a file: code, description, price, and optionally what is charged automatically.

CPT codes and their descriptions are the AMA's; a site that has licensed them loads them from its own file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from openward.billing.facts import CPT, HCPCS, OWN_CODES

MOST = Decimal("999999.99")
COLUMNS = ("code", "description", "price")
TRIGGER = re.compile(r"(visit|order|immunization|procedure):([A-Za-z0-9.-]+|\*)\Z")
_HCPCS = re.compile(r"[A-V]\d{4}\Z")
_CPT = re.compile(r"\d{4}[0-9FTU]\Z")
_OWN = re.compile(r"OW-[A-Z0-9-]{1,16}\Z")


@dataclass(frozen=True, slots=True)
class FeeLine:
    """`charged_for` names what makes the charge when a visit is signed, such as `visit:follow-up`, `order:laboratory`, `immunization:140`."""

    code: str
    system: str
    description: str
    price: Decimal
    charged_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """`row` counts the lines of the file from 1, the heading included."""

    row: int
    reason: str


class UnreadableFees(ValueError):
    """The file was refused whole; `rows` says which rows and why."""

    def __init__(self, rows: list[BadRow]) -> None:
        self.rows = rows
        super().__init__("; ".join(f"{bad.row}: {bad.reason}" for bad in rows[:5]))


def read_fees(data: bytes) -> list[FeeLine]:
    """Read a CSV with a heading `code,description,price[,charged_for]`. All or nothing: raises UnreadableFees with every bad row."""
    rows = csv.reader(io.StringIO(_text(data)))
    heading = [name.strip().lower() for name in next(rows, [])]
    if missing := [name for name in COLUMNS if name not in heading]:
        raise UnreadableFees([BadRow(1, _("The first row must name the columns; missing: {names}").format(names=", ".join(missing)))])
    lines: dict[str, FeeLine] = {}
    bad: list[BadRow] = []
    for number, cells in enumerate(rows, 2):
        if any(cell.strip() for cell in cells):
            _take(number, dict(zip(heading, cells, strict=False)), lines, bad)
    if not lines and not bad:
        bad.append(BadRow(2, _("There are no rows")))
    if bad:
        raise UnreadableFees(bad)
    return list(lines.values())


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFees([BadRow(1, _("The file is not text in UTF-8"))]) from None


def _take(number: int, cells: Mapping[str, str], lines: dict[str, FeeLine], bad: list[BadRow]) -> None:
    try:
        line = _line(cells)
    except ValueError as error:
        bad.append(BadRow(number, str(error)))
        return
    if line.code in lines:
        bad.append(BadRow(number, _("{code} stands here twice").format(code=line.code)))
    lines[line.code] = line


def _line(cells: Mapping[str, str]) -> FeeLine:
    code = (cells.get("code") or "").strip().upper()
    description = " ".join((cells.get("description") or "").split())
    if not description:
        raise ValueError(_("the description is missing"))
    return FeeLine(code, system_of(code), description[:200], price_of(cells.get("price") or ""), triggers_of(cells.get("charged_for") or ""))


def system_of(code: str) -> str:
    """The code system by the code's shape. Raises ValueError for a code of none."""
    for shape, system in ((_OWN, OWN_CODES), (_HCPCS, HCPCS), (_CPT, CPT)):
        if shape.match(code):
            return system
    if not code:
        raise ValueError(_("the code is missing"))
    raise ValueError(_("“{code}” is neither a HCPCS nor a CPT code, nor one of the practice's own (OW-…)").format(code=code[:20]))


def price_of(text: str) -> Decimal:
    """Dollars and cents as people write them (`$1,250.00`). Raises ValueError."""
    try:
        price = Decimal(text.strip().removeprefix("$").replace(",", ""))
    except InvalidOperation:
        raise ValueError(_("“{text}” is not a price").format(text=text.strip()[:20])) from None
    if not price.is_finite() or not 0 <= price <= MOST or price != price.quantize(Decimal("0.01")):
        raise ValueError(_("the price must be dollars and cents from 0 to {most}").format(most=MOST))
    return price.quantize(Decimal("0.01"))


def triggers_of(text: str) -> tuple[str, ...]:
    """What makes the charge, separated by blanks or semicolons. Raises ValueError."""
    return tuple(_triggers(text))


def _triggers(text: str) -> Iterator[str]:
    for each in text.replace(";", " ").split():
        if not TRIGGER.match(each):
            raise ValueError(_("“{text}” does not say what is charged automatically").format(text=each[:30]))
        yield each
