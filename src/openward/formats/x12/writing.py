"""Write segments. Text is brought into X12's character set; what cannot be brought there is refused, never dropped silently."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from openward.formats.x12.errors import Unwritable
from openward.formats.x12.segments import Delimiters

# The extended character set of X12.6, less the delimiters this writer uses.
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz !\"&'()+,-./;?=%@[]_{}|<>#$")
_SPELLED = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
                          "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "’": "'", "‘": "'", "–": "-", "—": "-", "ʻ": "'", "ʼ": "'"})  # fmt: skip


def plain(fact: str, text: str, *, limit: int = 60) -> str:
    """`text` in X12's characters: accents off, delimiters and line breaks to spaces, capitals; cut to `limit`.

    Raises Unwritable, naming the fact, when it holds a letter that no rule here can spell.
    """
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text.translate(_SPELLED)) if not unicodedata.combining(mark))
    if lost := [mark for mark in bare if mark not in _ALLOWED and mark.isalnum()]:
        raise Unwritable(fact, f"“{text}” holds “{lost[0]}”, which X12 cannot carry; record a spelling in Latin letters")
    kept = "".join(mark if mark in _ALLOWED else " " for mark in bare)
    return " ".join(kept.split()).upper()[:limit].rstrip()


def needed(fact: str, text: str, *, limit: int = 60) -> str:
    if written := plain(fact, text, limit=limit):
        return written
    raise Unwritable(fact, "is missing")


def code(fact: str, text: str, *, limit: int, least: int = 1) -> str:
    """An identifier, kept as it is or refused: a cut or changed identifier names somebody else."""
    value = text.strip()
    if not least <= len(value) <= limit:
        raise Unwritable(fact, "is missing" if not value else f"“{value}” must have {least} to {limit} characters")
    if wrong := [mark for mark in value if mark not in _ALLOWED]:
        raise Unwritable(fact, f"“{value}” holds “{wrong[0]}”, which X12 cannot carry")
    return value


def amount(value: Decimal) -> str:
    """X12's shortest form: `100`, `40.5`, `0`; never an exponent."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


class SegmentWriter:
    """Collects segments; trailing empty elements and components are left out, as X12 wants."""

    def __init__(self, marks: Delimiters | None = None) -> None:
        self.marks = marks or Delimiters()
        self._segments: list[str] = []

    @property
    def count(self) -> int:
        return len(self._segments)

    def add(self, id: str, *elements: str | Sequence[str]) -> None:
        written = [each if isinstance(each, str) else self._composite(each) for each in elements]
        while written and not written[-1]:
            written.pop()
        self._segments.append(self.marks.element.join([id, *written]))

    def _composite(self, components: Sequence[str]) -> str:
        return self.marks.component.join(components).rstrip(self.marks.component)

    def to_bytes(self) -> bytes:
        """One segment to a line, which readers must accept and people can read."""
        return "".join(f"{segment}{self.marks.terminator}\n" for segment in self._segments).encode("ascii")
