"""What is healthy and what is not. Rooms register what they depend on; `/health`, the administrator's page and the service desk read it.

@health_check("drug-checks", title="Drug checks")
def drug_checks() -> str | None:
    "None when well; else one sentence saying what does not work and what that means. Never patient data."
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger("openward.health")

Check = Callable[[], str | None]
Note = Callable[[], str]


@dataclass(frozen=True)
class Registered:
    name: str
    title: str
    vital: bool
    check: Check
    note: Note | None = None


@dataclass(frozen=True)
class Finding:
    """How one thing is. `trouble` is None when well; a `vital` one in trouble means the server cannot serve. `note` is worth knowing when it is well."""

    name: str
    title: str
    vital: bool
    trouble: str | None
    note: str = ""

    @property
    def is_well(self) -> bool:
        return self.trouble is None


CHECKS: dict[str, Registered] = {}


def health_check(name: str, *, title: str, vital: bool = False, note: Note | None = None) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS[name] = Registered(name, title, vital, check, note)
        return check

    return register


def findings() -> list[Finding]:
    """Every check, run now. A check that itself fails is a trouble too."""
    return [_finding(entry) for entry in CHECKS.values()]


def _finding(entry: Registered) -> Finding:
    trouble, note = _run(entry.name, entry.check), None
    if trouble is None and entry.note is not None:
        note = _run(entry.name, entry.note)
    return Finding(entry.name, entry.title, entry.vital, trouble, note or "")


def _run(name: str, check: Check | Note) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises, the page that shows troubles must not fall over it
        log.warning("health check %s failed: %s", name, type(error).__name__)
        return f"The check itself failed ({type(error).__name__})."
