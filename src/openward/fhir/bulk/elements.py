"""`_elements` in an export: each resource cut to what was asked for and marked SUBSETTED."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from openward.fhir.bulk.source import NOWHERE, Chunk, Source
from openward.fhir.search.subset import shortened
from openward.fhir.versions import Version

AT_ONCE = 500
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def cut(source: Source, after: UUID, elements: Sequence[str], at_most: int) -> Chunk:
    """The next lines after a key, as Source.chunk gives them, each with those elements and the mandatory ones."""
    lines: list[bytes] = []
    size, last, rows = 0, after, 0
    while size < at_most and (bodies := source.bodies(last, AT_ONCE)):
        versions = [Version(source.type, "", NOWHERE, 0, NEVER, "U", None, text) for _, text in bodies if text is not None]
        rows += len(bodies)
        lines += [(version.text or "").encode() for version in shortened(versions, "false", elements)]
        size, last = sum(map(len, lines)), bodies[-1][0]
    return Chunk(b"\n".join(lines), rows, last, rows - len(lines))
