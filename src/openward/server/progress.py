"""A progress bar for a terminal; a line every few seconds where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType

WIDTH = 32


class ProgressBar:
    """`update(done, total, note)` as often as one likes; it draws at most ten times a second."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.drawn = 0.0
        self.live = sys.stderr.isatty()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            sys.stderr.write("\n")

    def update(self, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if done < total and now - self.drawn < (0.1 if self.live else 5.0):
            return
        self.drawn = now
        share = done / total if total else 1.0
        bar = "█" * round(share * WIDTH)
        line = f"{self.title:12} {bar:<{WIDTH}} {share:4.0%}  {done:,} of {total:,}  {now - self.started:,.0f} s  {note}"
        sys.stderr.write(f"\r{line[:118]:<118}" if self.live else line + "\n")
        sys.stderr.flush()
