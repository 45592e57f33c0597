"""Tokens → syntax, by operator precedence. https://hl7.org/fhirpath/N1/#precedence"""

from __future__ import annotations

from decimal import Decimal

from openward.fhir.fhirpath.errors import FhirPathSyntax
from openward.fhir.fhirpath.lexer import Token, tokens
from openward.fhir.fhirpath.syntax import (
    Call,
    Empty,
    Expression,
    External,
    Index,
    Literal,
    Member,
    Operation,
    Path,
    Sign,
    Special,
    TypeTest,
)

MAX_DEPTH = 60
"""How deep parentheses and arguments may nest."""

LEVELS = {
    "implies": 1,
    "or": 2, "xor": 2,
    "and": 3,
    "in": 4, "contains": 4,
    "=": 5, "!=": 5, "~": 5, "!~": 5,
    "<": 6, ">": 6, "<=": 6, ">=": 6,
    "|": 7,
    "is": 8, "as": 8,
    "+": 9, "-": 9, "&": 9,
    "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
UNARY = 11
CALENDAR = {
    unit: unit.removesuffix("s")
    for singular in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for unit in (singular, singular + "s")
}


def parse(expression: str) -> Expression:
    """The syntax of a whole expression. Raises FhirPathSyntax."""
    parser = _Parser(tokens(expression))
    tree = parser.expression(0)
    parser.expect("end", "")
    return tree


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.position = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def next(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def is_at(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.text in symbols

    def takes(self, symbol: str) -> bool:
        if self.is_at(symbol):
            self.position += 1
            return True
        return False

    def expect(self, kind: str, text: str) -> None:
        token = self.token
        if token.kind != kind or (text and token.text != text):
            wanted = repr(text) if text else "the end"
            raise FhirPathSyntax(f"Expected {wanted} at position {token.position}, found {token.text or 'the end'!r}.")
        if kind != "end":
            self.position += 1

    def expression(self, level: int) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FhirPathSyntax(f"The expression is nested more than {MAX_DEPTH} levels deep.")
        left = self.operand()
        while (operator := self.operator(level)) is not None:
            left = self.typed(left, operator) if operator in ("is", "as") else self.chained(left, operator)
        self.depth -= 1
        return left

    def operator(self, level: int) -> str | None:
        token = self.token
        found = LEVELS.get(token.text) if token.kind in ("symbol", "name") else None
        return token.text if found is not None and found > level else None

    def typed(self, left: Expression, operator: str) -> Expression:
        self.next()
        return TypeTest(operator, left, self.type_name())

    def chained(self, left: Expression, operator: str) -> Expression:
        """A run of operators of one level, so that a long list of `or` is wide, not deep."""
        level = LEVELS[operator]
        rest: list[tuple[str, Expression]] = []
        while (found := self.operator(level - 1)) is not None and LEVELS[found] == level:
            self.next()
            rest.append((found, self.expression(level)))
        return Operation(left, tuple(rest))

    def type_name(self) -> str:
        name = self.identifier()
        if self.is_at(".") and self.tokens[self.position + 1].kind in ("name", "delimited"):
            following = self.tokens[self.position + 2]
            if not (following.kind == "symbol" and following.text == "("):
                self.next()
                return f"{name}.{self.identifier()}"
        return name

    def identifier(self) -> str:
        token = self.next()
        if token.kind not in ("name", "delimited"):
            raise FhirPathSyntax(f"Expected a name at position {token.position}, found {token.text or 'the end'!r}.")
        return token.text

    def operand(self) -> Expression:
        if self.is_at("+", "-"):
            sign = self.next().text
            return Sign(sign, self.expression(UNARY))
        head = self.term()
        steps: list[Member | Call | Index | Special] = []
        while self.is_at(".", "["):
            steps.append(self.step())
        return Path(head, tuple(steps)) if steps else head

    def step(self) -> Member | Call | Index | Special:
        if self.takes("["):
            index = self.expression(0)
            self.expect("symbol", "]")
            return Index(index)
        self.expect("symbol", ".")
        if self.token.kind == "special":
            return Special(self.next().text)
        return self.member()

    def member(self) -> Member | Call:
        name = self.identifier()
        return Call(name, self.arguments()) if self.is_at("(") else Member(name)

    def arguments(self) -> tuple[Expression, ...]:
        self.expect("symbol", "(")
        found: list[Expression] = []
        if not self.is_at(")"):
            found.append(self.expression(0))
            while self.takes(","):
                found.append(self.expression(0))
        self.expect("symbol", ")")
        return tuple(found)

    def term(self) -> Expression:
        token = self.token
        if token.kind == "name" and token.text in ("true", "false"):
            self.next()
            return Literal("boolean", token.text == "true")
        if token.kind in ("name", "delimited"):
            return self.member()
        if token.kind == "number":
            return self.number()
        if token.kind in ("string", "date", "datetime", "time"):
            self.next()
            return Literal(token.kind, token.text)
        if token.kind == "special":
            return Special(self.next().text)
        return self.bracketed()

    def bracketed(self) -> Expression:
        if self.takes("("):
            inner = self.expression(0)
            self.expect("symbol", ")")
            return inner
        if self.takes("{"):
            self.expect("symbol", "}")
            return Empty()
        if self.takes("%"):
            return self.external()
        raise FhirPathSyntax(f"Unexpected {self.token.text or 'end'!r} at position {self.token.position}.")

    def external(self) -> Expression:
        token = self.next()
        if token.kind not in ("name", "delimited", "string"):
            raise FhirPathSyntax(f"Expected a name after % at position {token.position}.")
        return External(token.text)

    def number(self) -> Expression:
        text = self.next().text
        value: Decimal | int = Decimal(text) if "." in text else int(text)
        if self.token.kind == "string":
            return self.quantity(value, self.next().text)
        if self.token.kind == "name" and self.token.text in CALENDAR:
            return Literal("quantity", Decimal(value), CALENDAR[self.next().text], is_calendar=True)
        return Literal("decimal" if "." in text else "integer", value)

    def quantity(self, value: Decimal | int, unit: str) -> Literal:
        return Literal("quantity", Decimal(value), CALENDAR.get(unit, unit), is_calendar=unit in CALENDAR)
