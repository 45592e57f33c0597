"""The rows of a page as PostgreSQL sent them, in its binary form: what is only passed on is never made into Python's objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

from openward.fhir.definitions import type_name
from openward.fhir.json import dumps
from openward.fhir.sealing.bodies import MARK_BYTE, bytes_in_clear, in_words
from openward.fhir.sealing.port import Locked
from openward.fhir.search import rows
from openward.fhir.search.rows import BODY, ID, PATIENT, RTYPE, number, version_sent
from openward.fhir.versions import Version, parsed

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

# As `rows.COLUMNS`, but with every id as its text.
NAMED = "coalesce(b.id, b.rkey::text) as id"
COLUMNS = rows.COLUMNS.replace("b.id", NAMED)
WIDTH = 8
BARE = f"{NAMED}, b.body"  # for who passes on what is stored and asks nothing else of it
BARE_WIDTH = 2


class Rows(Sequence[Version]):
    """Rows of a SELECT that begins with `COLUMNS`, as versions, each made when it is asked for; `bare`: with `BARE`, of which no version can be made.

    `bodies`: the resources as they were written. `locked`: by number, why something of a row cannot be opened; it is said in the place of its
    body, for one lost key hides nothing else.
    """

    def __init__(self, result: PGresult, chosen: Sequence[int] | None = None, type: str | None = None, *, bare: bool = False) -> None:
        """`chosen`: the numbers of its rows in the result, all where it is not given. `type`: that of all of them, where that is known."""
        self._result = result
        self._value: Callable[[int, int], Any] = result.get_value
        self._chosen = range(result.ntuples) if chosen is None else chosen
        self._type = type
        self._bare = bare
        self._made: dict[int, Version] = {}
        self.bodies = self._column(1 if bare else BODY)
        self.locked: dict[int, Locked] = {}
        if self.bodies and min(self.bodies)[:1] == MARK_BYTE:  # which comes before the brace of what is in clear
            self._open()

    def _open(self) -> None:
        for row, body in enumerate(self.bodies):
            try:
                self.bodies[row] = bytes_in_clear(body)
            except Locked as locked:
                self.locked[row], self.bodies[row] = locked, dumps(locked.outcome())

    def _column(self, number: int) -> list[bytes]:
        value = self._value
        return [value(row, number) for row in self._chosen]

    def __len__(self) -> int:
        return len(self.bodies)

    @overload
    def __getitem__(self, place: int) -> Version: ...
    @overload
    def __getitem__(self, place: slice) -> list[Version]: ...
    def __getitem__(self, place: Any) -> Any:
        """With whatever of it opens."""
        if isinstance(place, slice):
            return [self._version(number) for number in range(*place.indices(len(self)))]
        return self._version(range(len(self))[place])

    def _version(self, row: int) -> Version:
        if self._bare:
            raise LookupError("of these rows only what they say was asked for")
        made = self._made.get(row)
        if made is None:
            made = self._made[row] = version_sent(self._value, self._chosen[row])
        return made

    def some(self, chosen: Sequence[int]) -> Rows:
        """Those of these numbers."""
        return self if len(chosen) == len(self) else Rows(self._result, [self._chosen[row] for row in chosen], self._type, bare=self._bare)

    def types(self) -> list[str]:
        return [self._type] * len(self) if self._type else [_type(sent) for sent in self._column(RTYPE)]

    def ids(self) -> list[str]:
        return [id.decode() for id in self._column(0 if self._bare else ID)]

    def patients(self) -> list[UUID]:
        """Whose they are, each once."""
        return [UUID(bytes=patient) for patient in dict.fromkeys(self._column(PATIENT)) if patient]


def position(result: PGresult, row: int, *, bare: bool = False) -> list[str]:
    """The columns that follow, texts: where the row stands in the order of the page."""
    return [(result.get_value(row, column) or b"").decode() for column in range(BARE_WIDTH if bare else WIDTH, result.nfields)]


def contents(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """The resources, parsed, for people to read: words stand where something does not open. Of rows as they were sent no versions are made."""
    if isinstance(versions, Rows):
        return [in_words(versions[row].content) if row in versions.locked else parsed(body) for row, body in enumerate(versions.bodies)]
    return [version.content for version in versions]


@cache
def _type(sent: bytes) -> str:
    return type_name(number(sent))
