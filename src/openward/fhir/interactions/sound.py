"""What can be said of a resource before any database is asked: whether it is valid, what search finds it by, what it refers to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openward.fhir.references import Slot, literals, outward
from openward.fhir.search.index import IndexRow, extract
from openward.fhir.validation import check


@dataclass(slots=True)
class Sound:
    """A valid resource with its id, its index, and its literal references."""

    content: dict[str, Any]
    row: IndexRow
    references: list[str]


def sound(type: str, id: str, resource: Mapping[str, Any], found: Sequence[Slot] | None = None, *, tenant: int) -> Sound:
    """Examine `resource` as `type/id`; `found` are its slots, if they have been looked for. Raises Invalid with every fault."""
    content = {**resource, "id": id}
    check(content)
    return Sound(content, extract(content, type, tenant=tenant), literals(outward(content) if found is None else found))
