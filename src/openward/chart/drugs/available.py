"""The drug knowledge of this installation, read once a process, and what is said when it cannot be used.

The files are looked at again when one of them changed, so that a site may replace them without a restart.
"""

from __future__ import annotations

import threading
from pathlib import Path

from django.utils import timezone

from openward.chart.drugs import knowledge as files
from openward.chart.drugs.knowledge import Knowledge, KnowledgeUnavailable, read_knowledge

_lock = threading.Lock()
_read: dict[tuple[str, tuple[float, ...]], Knowledge | KnowledgeUnavailable] = {}


def current_knowledge() -> Knowledge:
    """Raises KnowledgeUnavailable with the reason: missing, damaged, or past its date."""
    return _as_read(files.CONTENT).usable_on(timezone.localdate())


def knowledge_or_none() -> Knowledge | None:
    """For what can do without: names and codes are still useful when the check's date has passed."""
    try:
        return _as_read(files.CONTENT)
    except KnowledgeUnavailable:
        return None


def trouble() -> str | None:
    """Why the check cannot run, for `/health`; None when it can."""
    try:
        current_knowledge()
    except KnowledgeUnavailable as reason:
        return f"Prescriptions are not checked for allergies, duplicates and interactions. {reason}"
    return None


def _as_read(folder: Path) -> Knowledge:
    stamp = (str(folder), tuple(sorted(path.stat().st_mtime for path in folder.glob("*.toml"))))
    with _lock:
        if stamp not in _read:
            _read.clear()
            _read[stamp] = _try(folder)
        found = _read[stamp]
    if isinstance(found, KnowledgeUnavailable):
        raise KnowledgeUnavailable(str(found))
    return found


def _try(folder: Path) -> Knowledge | KnowledgeUnavailable:
    try:
        return read_knowledge(folder)
    except KnowledgeUnavailable as reason:
        return reason
