"""FHIRPath text → tokens. https://hl7.org/fhirpath/N1/#lexical-elements"""

from __future__ import annotations

import re
from dataclasses import dataclass

from openward.fhir.fhirpath.errors import FhirPathSyntax

MAX_LENGTH = 50_000

_DATE = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_ZONE = r"(?:Z|[+-]\d{2}:\d{2})"
PATTERN = re.compile(
    rf"""
    (?P<space>\s+|//[^\r\n]*|/\*.*?\*/)
  | (?P<time>@T{_TIME})(?!Z|[+-]\d\d:)
  | (?P<datetime>@{_DATE}T(?:{_TIME}{_ZONE}?)?)
  | (?P<date>@{_DATE})
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<delimited>`(?:[^`\\]|\\.)*`)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<special>\$(?:this|index|total))
  | (?P<symbol>!=|!~|<=|>=|[.,()\[\]{{}}+\-*/&|<>=~%])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
ESCAPED = {"'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is the name of the group that matched; `text` is what a string or delimited name says once its escapes are read."""

    kind: str
    text: str
    position: int


def tokens(expression: str) -> list[Token]:
    """Every token, the last of kind `end`. Raises FhirPathSyntax."""
    if len(expression) > MAX_LENGTH:
        raise FhirPathSyntax(f"An expression has at most {MAX_LENGTH:,} characters.")
    found: list[Token] = []
    position = 0
    while position < len(expression):
        match = PATTERN.match(expression, position)
        if match is None or match.lastgroup is None:
            raise FhirPathSyntax(f"Unexpected character at position {position}: {expression[position : position + 20]!r}.")
        if match.lastgroup != "space":
            found.append(_token(match.lastgroup, match.group(), position))
        position = match.end()
    found.append(Token("end", "", position))
    return found


def _token(kind: str, text: str, position: int) -> Token:
    if kind in ("string", "delimited"):
        return Token(kind, unescape(text[1:-1]), position)
    if kind in ("date", "datetime", "time"):
        return Token(kind, text[1:], position)
    return Token(kind, text, position)


def unescape(text: str) -> str:
    r"""`\n`, `\u0041` … as the characters they stand for; another escaped character stands for itself, as regular expressions in R4 need."""
    return ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    said = match.group(1)
    if len(said) == 5:
        return chr(int(said[1:], 16))
    return ESCAPED.get(said, said)
