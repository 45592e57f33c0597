"""Canonical addresses and which version of a code system is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openward.fhir.errors import FhirError

PART = re.compile(r"\d+|[a-z]+", re.IGNORECASE)


class WrongVersion(FhirError):
    """The value set means version {stated} of {system}; the request allows only {wanted}."""

    status = 422
    code = "business-rule"


def split(canonical: str) -> tuple[str, str | None]:
    """Address and version of `url|version`; a fragment is no part of it."""
    url, _, version = canonical.partition("|")
    return url, version.partition("#")[0] or None


def versioned(url: str, version: str | None) -> str:
    """`url|version` to be said to a person, each cut short."""
    return f"{url[:200]}|{version[:100]}" if version else url[:200]


def order(version: str | None) -> list[tuple[int, int, str]]:
    """A key that sorts versions as people mean them: 2.9 before 2.10, a date before a later one, none before any."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part.lower()) for part in PART.findall(version or "")]


def fits(version: str | None, wanted: str) -> bool:
    """Whether this version is the wanted one; `4.0` also means 4.0.1."""
    return version is not None and (version == wanted or version.startswith(wanted + "."))


@dataclass(frozen=True)
class Versions:
    """What a request says of versions: by system, where the value set says none, what it must be, and what it shall be instead."""

    default: Mapping[str, str] = field(default_factory=dict)
    checked: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, default: Iterable[str] = (), checked: Iterable[str] = (), forced: Iterable[str] = ()) -> Versions:
        """From canonicals such as `http://loinc.org|2.56`; those without a version say nothing."""
        return cls(*({url: version for url, version in map(split, listed) if version} for listed in (default, checked, forced)))

    def meant(self, system: str, stated: str | None) -> str | None:
        """The version to use. Raises WrongVersion."""
        if system in self.forced:
            return self.forced[system]
        wanted = self.checked.get(system)
        if wanted and stated and not fits(stated, wanted):
            raise WrongVersion(stated=stated, system=system, wanted=wanted)
        return stated or wanted or self.default.get(system)
