"""What the processors did meanwhile: how much of them was used, and how much other machines on the same host took away.

On a rented machine a rate says as much about the neighbours as about the server. What was stolen is counted by the kernel and is not in the processor
time that was used, so two servers that both keep the processors busy can still be compared by what an answer of theirs costs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DISTURBED = 0.05  # of the processors stolen: more than that, and rates are not compared
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """Seconds of all processors together: `busy` with this machine's work, and `stolen` by the host. Both 0 where the kernel does not tell."""

    busy: float = 0.0
    stolen: float = 0.0

    def __sub__(self, before: Used) -> Used:
        return Used(self.busy - before.busy, self.stolen - before.stolen)

    def __add__(self, other: Used) -> Used:
        return Used(self.busy + other.busy, self.stolen + other.stolen)

    @property
    def share_stolen(self) -> float:
        """Of the time that was wanted."""
        return self.stolen / (self.busy + self.stolen or 1)


def used() -> Used:
    """Since the machine began. Source: proc(5), /proc/stat, whose first eight numbers are user, nice, system, idle, iowait, irq, softirq, steal."""
    try:
        numbers = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return Used()
    user, nice, system, _idle, _waiting, irq, softirq, steal = (int(number) / TICKS for number in numbers)
    return Used(user + nice + system + irq + softirq, steal)
