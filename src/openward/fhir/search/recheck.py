"""A token is found by a 64-bit hash of it; two texts may have the same. So what a page holds is looked at once more, by its text.

The stored text of a resource that has a code holds the code, letter by letter: one search in a string, where reading the resource would cost
a hundred times that. https://www.rfc-editor.org/rfc/rfc8259#section-7
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from openward.fhir.search.query import Condition, Filter
from openward.fhir.versions import Version

# The data types whose token is found under the very text that stands in the resource.
LITERAL = frozenset({"code", "Coding", "CodeableConcept", "Identifier", "uri", "url", "canonical"})


def holds(version: Version, conditions: Sequence[Condition]) -> bool:
    """Whether nothing says that the resource was found by a hash alone."""
    text = version.text or ""
    return all(any(value in text for value in wanted) for wanted in map(_wanted, conditions) if wanted)


def _wanted(condition: Condition) -> list[str]:
    """Texts of which a match holds at least one; none where that cannot be said."""
    if not isinstance(condition, Filter) or condition.modifier is not None or condition.parameter.type not in ("token", "uri"):
        return []
    kinds = {path.datatype for path in condition.parameter.paths}
    if not kinds or kinds - LITERAL or condition.parameter.code == "_id":
        return []
    return [_as_stored(_code(value) if condition.parameter.type == "token" else value) for value in condition.values]


def _code(value: str) -> str:
    system, _, code = value.rpartition("|")
    return code or system


def _as_stored(text: str) -> str:
    return msgspec.json.encode(text)[1:-1].decode()
