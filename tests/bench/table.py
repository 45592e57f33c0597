"""The table a measurement ends in, and the facts without which its numbers mean nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums", "wal_compression", "shared_buffers")
HEADS = ("operation", "ours", "floor", "ratio", "bar", "")


@dataclass(frozen=True)
class Row:
    """One operation. `ours` and `floor` are as people read them; `is_met` is None where there is no bar."""

    operation: str
    ours: str
    floor: str = "–"
    ratio: str = "–"
    bar: str = "–"
    is_met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        verdict = {None: "", True: "met", False: "MISSED"}[self.is_met]
        return self.operation, self.ours, self.floor, self.ratio, self.bar, verdict


@dataclass(frozen=True)
class Spread:
    """What several rounds gave: the median, and from where to where."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        return median(self.values)

    def text(self, form: str = "{:,.0f}") -> str:
        return f"{form.format(self.middle)} ({form.format(min(self.values))}–{form.format(max(self.values))})"


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def render(rows: Sequence[Row]) -> str:
    cells = [HEADS, *(row.cells for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADS))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-|-".join("-" * width for width in widths), *lines[1:]])


def machine(connection: psycopg.Connection[object]) -> list[str]:
    """Processor, memory, versions, and how durable a commit was while all this was measured."""
    settings = dict(connection.execute("select name, setting || coalesce(unit, '') from pg_settings where name = any(%s)", (list(DURABILITY),)))  # type: ignore[call-overload]
    version = connection.info.server_version
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"machine     {_processor()}, {os.cpu_count()} processors, {memory:.0f} GiB",
        f"software    Python {platform.python_version()}, PostgreSQL {version // 10000}.{version % 10000}, {platform.system()} {platform.release()}",
        "durability  " + ", ".join(f"{name}={settings[name]}" for name in DURABILITY if name in settings),
        f"load        {os.getloadavg()[0]:.1f} runnable when it began",
    ]


def _processor() -> str:
    try:
        names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
