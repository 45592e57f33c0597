"""A token is found by a 64-bit hash of it; two texts may have the same. So what a page holds is looked at once more, by its text.

The stored text of a resource that has a code holds the code, letter by letter: one search in a string, where reading the resource would cost
a hundred times that. https://www.rfc-editor.org/rfc/rfc8259#section-7
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from openward.fhir.definitions import SearchParameter
from openward.fhir.search.escape import parted
from openward.fhir.search.query import Condition, Filter
from openward.fhir.search.sent import Rows

# The data types whose token is found under the very text that stands in the resource.
LITERAL = frozenset({"code", "Coding", "CodeableConcept", "Identifier", "uri", "url", "canonical"})


Texts = Sequence[Sequence[bytes]]


def texts(conditions: Sequence[Condition]) -> Texts:
    """What a match holds in its stored text: of each of these at least one."""
    return [wanted for condition in conditions if isinstance(condition, Filter) and (wanted := _wanted(condition))]


def holding(rows: Rows, wanted: Mapping[str, Texts]) -> Rows:
    """Those of which nothing says that they were found by a hash alone. `wanted`: what matches of each type hold."""
    bodies, kept = rows.bodies, list(range(len(rows)))
    types = rows.types() if len(wanted) > 1 else ()
    for type, conditions in wanted.items():
        for one in conditions:
            lacking = [row for row in kept if one[0] not in bodies[row]]
            for text in one[1:]:
                lacking = [row for row in lacking if text not in bodies[row]]
            lacking = [row for row in lacking if row not in rows.locked and not (types and types[row] != type)]
            if lacking:
                kept = sorted(set(kept).difference(lacking))
    return rows.some(kept)


@lru_cache(maxsize=4096)
def _wanted(condition: Filter) -> Sequence[bytes]:
    """Texts of which a match holds at least one; none where that cannot be said."""
    if condition.modifier is not None or not _is_literal(condition.parameter):
        return []
    return [_as_stored(_code(value) if condition.parameter.type == "token" else value.partition("|")[0]) for value in condition.values]


@lru_cache(maxsize=4096)
def _is_literal(parameter: SearchParameter) -> bool:
    kinds = {path.datatype for path in parameter.paths}
    return parameter.type in ("token", "uri") and bool(kinds) and kinds <= LITERAL and parameter.code != "_id"


def _code(value: str) -> str:
    system, _, code = parted(value)
    return code or system


def _as_stored(text: str) -> bytes:
    return msgspec.json.encode(text)[1:-1]
