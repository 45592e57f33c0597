"""The parts of a parsed expression."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind`: string, integer, decimal, boolean, date, datetime, time or quantity; `unit` only with a quantity."""

    kind: str
    value: str | int | bool | Decimal
    unit: str | None = None
    is_calendar: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """`{}`"""


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index`, `$total`."""

    name: str


@dataclass(frozen=True, slots=True)
class External:
    """`%name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A name: a child element, or at the head of a path a type."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    index: Expression


@dataclass(frozen=True, slots=True)
class Path:
    """`head` and the steps that follow it, each taking what the one before gave."""

    head: Expression
    steps: tuple[Member | Call | Index | Special, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """Unary `+` or `-`."""

    sign: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """One level of left-associative operators: `first` and then each operator with its operand."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is type` or `operand as type`."""

    operator: str
    operand: Expression
    type: str


Expression = Literal | Empty | Special | External | Member | Call | Index | Path | Sign | Operation | TypeTest
