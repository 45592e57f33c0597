"""What profiles are known here, which one a canonical address means, and their compiled checks.

https://hl7.org/fhir/R4/references.html#canonical
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from openward.fhir.definitions import codes_by_system
from openward.fhir.profiles.compiled import compile_profile
from openward.fhir.profiles.expansions import member
from openward.fhir.profiles.facts import Profile
from openward.fhir.profiles.findings import Findings
from openward.fhir.profiles.grammars import is_impossible
from openward.fhir.profiles.packages import CORE, FILES, US_CORE, Guide, built_in
from openward.fhir.profiles.run import Run

DEFAULT_US_CORE = "6.1.0"


class Catalogue:
    """Several guides. An address without a version means, in this order: the profile of the guide that asks, of the guide that is preferred
    (`hl7.fhir.us.core#6.1.0` unless told otherwise), of the guide installed last."""

    def __init__(self, installed: Iterable[Guide] = (), prefer: Sequence[str] = ()) -> None:
        self._installed = {guide.name: guide for guide in installed}
        others = dict.fromkeys((*reversed(self._installed), CORE, *reversed(US_CORE.values())))
        preferred = [name for name in prefer if name in others] or [US_CORE[DEFAULT_US_CORE]]
        self._order = [*preferred, *(name for name in others if name not in preferred)]
        self._found: dict[tuple[str, str], Profile | None] = {}
        self._checks: dict[str, Callable[[Any, str, Run], Findings]] = {}

    def guide(self, name: str) -> Guide:
        """Of a guide that is built in and installed as well the built-in tables hold: they know value sets from other packages too."""
        return built_in(name) if name in FILES else self._installed[name]

    def find(self, canonical: str, guide: str = "") -> Profile | None:
        """The profile an address means to someone in `guide`; None when it is not known here in that version."""
        key = canonical, guide
        if key not in self._found:
            url, _, version = canonical.partition("|")
            candidates = (profile for profile in map(self._reader(url), self._asked(guide)) if profile is not None)
            self._found[key] = next((profile for profile in candidates if not version or profile.version == version), None)
        return self._found[key]

    def _reader(self, url: str) -> Callable[[str], Profile | None]:
        return lambda name: self.guide(name).profile(url)

    def _asked(self, guide: str) -> list[str]:
        return [guide, *(name for name in self._order if name != guide)] if guide in self._installed or guide in FILES else self._order

    def is_clear(self, url: str) -> bool:
        """Whether an address without a version can mean only one guide: none other of the same name is known here."""
        profile = self.find(url)
        if profile is None:
            return False
        package = profile.guide.split("#")[0]
        return sum(name.split("#")[0] == package for name in self._order) == 1

    def check(self, profile: Profile) -> Callable[[Any, str, Run], Findings]:
        made = self._checks.get(profile.canonical + profile.guide)
        if made is None:
            made = self._checks[profile.canonical + profile.guide] = compile_profile(profile, self)
        return made

    def member(self, value_set: str, system: str | None, code: str, guide: str = "") -> bool | None:
        """Whether the set holds the code, by what the guides and the base definitions say; None when they cannot tell."""
        codes = self.codes(value_set, guide)
        found = None if codes is None else member(codes, system, code)
        return False if found is None and is_impossible(system, code) else found

    def codes(self, value_set: str, guide: str = "") -> Mapping[str, Any] | None:
        """The codes of a set, to someone in `guide`; None when nothing is known of it."""
        for name in (guide, CORE, *self._installed):
            codes = self.guide(name).value_sets.get(value_set) if name in self._installed or name in FILES else None
            if codes is not None:
                return codes
        return codes_by_system(value_set)


@cache
def built_in_catalogue() -> Catalogue:
    """What every Openward knows: the R4 core profiles and extensions, US Core 6.1.0, 7.0.0 and 8.0.0."""
    return Catalogue()
