"""Room on the disk. Looking at a record is itself written down, so a disk that is quite full would stop readers too: writers stop before."""

from __future__ import annotations

import os
import time

from django.conf import settings

from openward.fhir.failures import Full

LOOK_AGAIN_SECONDS = 1.0


class _Disk:
    """What was found a moment ago."""

    free = 0
    until = 0.0


def ensure_room() -> None:
    """Raises Full while less than `OPENWARD_RESERVE_MB` is free in the data folder."""
    now = time.monotonic()
    if now >= _Disk.until:
        _Disk.free, _Disk.until = free_bytes(), now + LOOK_AGAIN_SECONDS
    if _Disk.free < settings.OPENWARD_RESERVE_BYTES:
        raise Full()


def free_bytes() -> int:
    """What this process may still write in the data folder."""
    found = os.statvfs(settings.OPENWARD_DATA)
    return found.f_bavail * found.f_frsize
