"""The index of one resource, between the extractor and the tables."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct, field

from openward.fhir.search.composite import Group
from openward.fhir.search.date import PAST
from openward.fhir.search.person import Person
from openward.fhir.search.token import Entry

Edge = tuple[UUID, int]
DateRow = tuple[int, str, str]
QuantityRow = tuple[int, float, float, frozenset[int]]
StringRow = tuple[int, str, str]


class IndexRow(Struct):
    """What one resource is found by.

    `patient`, `date_lo`, `date_hi`, `code`, `tok` and `has` are the columns of fhir.current; the rest are rows of the index tables. Dates are
    ISO 8601 with their offset, or `-infinity` and `infinity`. `generation`: of the site's own parameters that were known then.
    `tenant`: under whose keys what may not stand in an index is found.
    """

    type: int
    key: UUID
    patient: UUID | None = None
    date_lo: str = PAST
    date_hi: str = PAST
    code: int | None = None
    tokens: set[int] = field(default_factory=set)
    parameters: set[int] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)
    dates: set[DateRow] = field(default_factory=set)
    quantities: set[QuantityRow] = field(default_factory=set)
    strings: set[StringRow] = field(default_factory=set)
    groups: list[Group] = field(default_factory=list)
    dictionary: dict[int, Entry] = field(default_factory=dict)
    patients: dict[str, UUID] = field(default_factory=dict)
    person: Person | None = None
    generation: int = 0
    tenant: int = 0

    @property
    def tok(self) -> list[int]:
        return sorted(self.tokens)

    @property
    def has(self) -> list[int]:
        return sorted(self.parameters)
