"""What a profile finds wrong, on its way up to the resource."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from openward.fhir.errors import Issue

ERROR, WARNING, INFORMATION = "error", "warning", "information"


class Finding(NamedTuple):
    """`where` is relative (`.name[0].family`); `key` that of a constraint; `profile` the canonical of the profile that asks for it."""

    where: str
    code: str
    message: str
    severity: str = ERROR
    key: str = ""
    profile: str = ""

    def issue(self, root: str) -> Issue:
        where = root + self.where
        source = self.profile.rsplit("/", 1)[-1] + (f"#{self.key}" if self.key else "")
        said = f"{where}: {self.message}" + (f" ({self.profile}{'#' + self.key if self.key else ''})" if source else "")
        return Issue(self.code, said, where, self.severity)


Findings = list[Finding]


def under(prefix: str, findings: Iterable[Finding]) -> Findings:
    return [found._replace(where=prefix + found.where) for found in findings]


def by_profile(profile: str, findings: Iterable[Finding]) -> Findings:
    """Say whose rule it is where that is not said yet."""
    return [found if found.profile else found._replace(profile=profile) for found in findings]


def place(name: str, index: int | None) -> str:
    return f".{name}" if index is None else f".{name}[{index}]"


def is_error(found: Any) -> bool:
    return bool(found.severity == ERROR)
