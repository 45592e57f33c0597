"""Fixed values and patterns. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Matches = Callable[[Any], bool]


def equals(fixed: Any) -> Matches:
    """Exactly this value: nothing lacking, nothing besides."""
    return _is_text(fixed) if isinstance(fixed, str) else lambda value: _same(fixed, value)


def fits(pattern: Any) -> Matches:
    """At least what the pattern says: every part of it is found, every item of a list in some item of the value's."""
    if isinstance(pattern, dict):
        parts = [(name, fits(part)) for name, part in pattern.items()]
        return lambda value: value.__class__ is dict and all(name in value and matches(value[name]) for name, matches in parts)
    if isinstance(pattern, list):
        items = [fits(item) for item in pattern]
        return lambda value: value.__class__ is list and all(any(map(matches, value)) for matches in items)
    return equals(pattern)


def _is_text(text: str) -> Matches:
    return lambda value: bool(value == text)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_same(part, other[name]) for name, part in one.items())
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other and isinstance(one, bool) == isinstance(other, bool))


def inside(value: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """What stands at the end of `names` in a JSON value, lists gone through: `("coding", "code")` of a CodeableConcept."""
    if isinstance(value, list):
        for item in value:
            yield from inside(item, names)
    elif not names:
        yield value
    elif isinstance(value, Mapping) and names[0] in value:
        yield from inside(value[names[0]], names[1:])
