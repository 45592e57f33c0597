"""The rows of a part, from the position an earlier run came to."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from openward.fhir.terminology.loading.release import Part, Row
from openward.fhir.terminology.loading.sources import UnreadableRelease

SIGNS = {"tab": "\t", "pipe": "|"}
MOST_JOINED = 1_000
csv.field_size_limit(1 << 20)


def rows(part: Part, position: int) -> Iterator[tuple[int, list[Row]]]:
    """Each record's rows, with the position after it. Raises UnreadableRelease for a file that is not in its layout."""
    order = _columns(part)
    for place, fields in _records(part, position):
        if part.columns and place <= order.after:
            continue
        try:
            chosen = [fields[column] for column in order.places] if part.columns else fields
            yield place, list(part.parse(chosen))
        except (IndexError, ValueError) as error:
            raise UnreadableRelease(name=part.name, reason=f"the record that ends at byte {place:,} has {len(fields)} fields") from error


class _Order:
    """Where the wanted columns stand, and the position after the header."""

    def __init__(self, places: Sequence[int], after: int) -> None:
        self.places = places
        self.after = after


def _columns(part: Part) -> _Order:
    if not part.columns:
        return _Order((), 0)
    after, header = next(_records(part, 0), (0, []))
    at = {name.strip().lower(): place for place, name in enumerate(header)}
    missing = [name for name in part.columns if name.lower() not in at]
    if missing:
        raise UnreadableRelease(name=part.name, reason=f"it has no column {', '.join(missing)}")
    return _Order([at[name.lower()] for name in part.columns], after)


def _records(part: Part, position: int) -> Iterator[tuple[int, list[str]]]:
    for place, line in _whole(part, position):
        if not line:
            continue
        if part.split == "line":
            yield place, [line]
        elif part.split == "csv":
            yield place, next(csv.reader([line]))
        else:
            yield place, line.split(SIGNS[part.split])


def _whole(part: Part, position: int) -> Iterator[tuple[int, str]]:
    """A line; in CSV a quoted field may go on in the next."""
    held: list[str] = []
    place = position
    for place, line in part.source.lines(position):
        held.append(line)
        if part.split == "csv" and sum(one.count('"') for one in held) % 2:
            if len(held) > MOST_JOINED:
                raise UnreadableRelease(name=part.name, reason="a quote is never closed")
            continue
        yield place, "\n".join(held)
        held = []
    if held:
        yield place, "\n".join(held)
