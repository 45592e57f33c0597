"""The layouts of releases, one publisher a file. Each says which of the files at hand are its own and what their lines mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from openward.fhir.terminology.loading.release import Release
from openward.fhir.terminology.loading.sources import Source

Recognise = Callable[[Sequence[Source], "str | None"], Iterable[Release]]
"""The files at hand, and the version a person has named → the releases among them."""


def named(sources: Sequence[Source], pattern: str) -> list[Source]:
    """The files whose name fits, upper or lower case."""
    return [source for source in sources if re.fullmatch(pattern, source.name, re.IGNORECASE)]


def told(source: Source, pattern: str) -> str | None:
    """What the way to a file says, such as a version; the last that fits."""
    found = re.findall(pattern, source.trail, re.IGNORECASE)
    return found[-1] if found else None
