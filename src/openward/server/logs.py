"""One line per event: time, level, logger, words. Nothing of a request but its id, method, route and status is ever logged."""

from __future__ import annotations

import logging
import time
import traceback
from types import TracebackType
from typing import cast

# C0, DEL, C1 and the separators of lines and paragraphs, each as Python writes it.
CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


class LineFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """One line whatever is in it: what a client sent cannot look like an event of its own."""
        return super().formatMessage(record).translate(CONTROLS)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name is logging's
        """Where it happened and which class: the message of an exception may quote a patient's data, so it stays out."""
        kind, _, trace = cast("tuple[type[BaseException], BaseException, TracebackType]", ei)
        frames = traceback.extract_tb(trace)
        places = " < ".join(f"{frame.name} ({frame.filename.rpartition('/openward/')[2]}:{frame.lineno})" for frame in reversed(frames[-12:]))
        return f"{kind.__name__} in {places}"
