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


@dataclass(frozen=True)
class Registered:
    name: str
    title: str
    vital: bool
    check: Check


@dataclass(frozen=True)
class Finding:
    """How one thing is. `trouble` is None when well; a `vital` one in trouble means the server cannot serve."""

    name: str
    title: str
    vital: bool
    trouble: str | None

    @property
    def is_well(self) -> bool:
        return self.trouble is None


CHECKS: dict[str, Registered] = {}


def health_check(name: str, *, title: str, vital: bool = False) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS[name] = Registered(name, title, vital, check)
        return check

    return register


def findings() -> list[Finding]:
    """Every check, run now. A check that itself fails is a trouble too."""
    return [Finding(entry.name, entry.title, entry.vital, _run(entry)) for entry in CHECKS.values()]


def _run(entry: Registered) -> str | None:
    try:
        return entry.check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises, the page that shows troubles must not fall over it
        log.warning("health check %s failed: %s", entry.name, type(error).__name__)
        return f"The check itself failed ({type(error).__name__})."
