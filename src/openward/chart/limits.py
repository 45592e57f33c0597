"""What a value is held against to say whether it is low or high. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """A range; a limit that is not known is not held against anything."""

    low: Decimal | None = None
    high: Decimal | None = None
    critical_low: Decimal | None = None
    critical_high: Decimal | None = None

    def mark(self, value: Decimal) -> str:
        """`N`, `L`, `H`, `LL` or `HH`: the codes of v3-ObservationInterpretation. A critical limit is reached, any other is passed."""
        if self.critical_low is not None and value <= self.critical_low:
            return "LL"
        if self.critical_high is not None and value >= self.critical_high:
            return "HH"
        if self.low is not None and value < self.low:
            return "L"
        if self.high is not None and value > self.high:
            return "H"
        return "N"
