"""UCUM expressions → what they measure and how large they are. https://ucum.org/ucum"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

MAX_LENGTH = 200
MAX_EXPONENT = 99
MAX_DEPTH = 20

Dimension = tuple[int, ...]
TOKEN = re.compile(r"[./()]|\{[^{}]*\}|(?:\[[^\]]*\]|[^./(){}\[\]])+")
EXPONENT = re.compile(r"(.*[^0-9+\-])([+-]?[0-9]{1,2})")


class UnitUnknown(ValueError):
    """{code} is not a UCUM unit."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code[:80]!r} is not a UCUM unit")


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` base units in each dimension (`base_units()` gives their order); exact.

    `special` names the function of a unit that is not a mere multiple, such as `Cel`; its `factor` is that of the function's argument,
    and `scale` is what a prefix before it multiplies the number shown by (`dB`).
    `arbitrary` names units such as `[iU]` that only compare with themselves.
    """

    factor: Fraction
    dimension: Dimension
    special: str | None = None
    arbitrary: tuple[tuple[str, int], ...] = ()
    scale: Fraction = Fraction(1)

    def times(self, other: Unit, sign: int = 1) -> Unit:
        dimension = tuple(a + sign * b for a, b in zip(self.dimension, other.dimension, strict=True))
        arbitrary = dict(self.arbitrary)
        for code, power in other.arbitrary:
            arbitrary[code] = arbitrary.get(code, 0) + sign * power
        kept = tuple(sorted((code, power) for code, power in arbitrary.items() if power))
        return Unit(self.factor * other.factor**sign, dimension, None, kept)

    def to_the(self, power: int) -> Unit:
        arbitrary = tuple((code, own * power) for code, own in self.arbitrary)
        return Unit(self.factor**power, tuple(own * power for own in self.dimension), None, arbitrary)


@cache
def table() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(Path(__file__).with_name("units.json").read_text("utf-8"))
    return facts


@cache
def base_units() -> tuple[str, ...]:
    return tuple(table()["base"])


@cache
def one() -> Unit:
    return Unit(Fraction(1), (0,) * len(base_units()))


def is_unit(code: str) -> bool:
    """Whether it can be read as a unit."""
    try:
        unit(code)
    except UnitUnknown:
        return False
    return True


@lru_cache(4096)
def unit(code: str) -> Unit:
    """The unit a UCUM expression (case sensitive) stands for. Raises UnitUnknown."""
    if not code or len(code) > MAX_LENGTH:
        raise UnitUnknown(code)
    found = TOKEN.findall(code)
    if "".join(found) != code:
        raise UnitUnknown(code)
    parser = _Parser(code, found)
    read = parser.term(0)
    if parser.position != len(found):
        raise UnitUnknown(code)
    return read


class _Parser:
    def __init__(self, code: str, tokens: list[str]) -> None:
        self.code = code
        self.tokens = tokens
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise UnitUnknown(self.code)
        self.position += 1
        return token

    def term(self, depth: int) -> Unit:
        if depth > MAX_DEPTH:
            raise UnitUnknown(self.code)
        if self.peek() == "/":
            self.take()
            read = one().times(self.component(depth), -1)
        else:
            read = self.component(depth)
        while self.peek() in (".", "/"):
            sign = 1 if self.take() == "." else -1
            read = self.plain(read).times(self.plain(self.component(depth)), sign)
        return read

    def plain(self, read: Unit) -> Unit:
        if read.special:
            raise UnitUnknown(self.code)
        return read

    def component(self, depth: int) -> Unit:
        said = self.take()
        if said == "(":
            read = self.term(depth + 1)
            if self.take() != ")":
                raise UnitUnknown(self.code)
            return read
        if said.startswith("{"):
            return one()
        if said in (".", "/", ")"):
            raise UnitUnknown(self.code)
        if self.peek().startswith("{"):
            self.take()
        return self.annotatable(said)

    def annotatable(self, token: str) -> Unit:
        if token.isascii() and token.isdigit() and int(token) > 0:
            return Unit(Fraction(int(token)), one().dimension)
        found = _symbol(token)
        if found is not None:
            return found
        match = EXPONENT.fullmatch(token)
        base = _symbol(match[1]) if match else None
        if match is None or base is None or base.special:
            raise UnitUnknown(self.code)
        return base.to_the(int(match[2]))


@lru_cache(4096)
def _symbol(code: str) -> Unit | None:
    """A unit as it stands, or a metric one behind a prefix."""
    whole = _atom(code)
    if whole is not None:
        return whole
    for length in (2, 1):
        factor = table()["prefixes"].get(code[:length])
        rest = code[length:]
        if factor is not None and (rest in base_units() or table()["units"].get(rest, (0,))[0]):
            read = _atom(rest)
            if read is not None:
                if read.special:
                    return replace(read, scale=Fraction(factor))
                return replace(read, factor=read.factor * Fraction(factor))
    return None


@cache
def _atom(code: str) -> Unit | None:
    if code in base_units():
        return Unit(Fraction(1), tuple(int(code == base) for base in base_units()))
    row = table()["units"].get(code)
    if row is None:
        return None
    _, is_arbitrary, factor, defined, *function = row
    read = unit(defined)
    arbitrary = ((code, 1),) if is_arbitrary else read.arbitrary
    return Unit(read.factor * Fraction(factor), read.dimension, function[0] if function else None, arbitrary)
