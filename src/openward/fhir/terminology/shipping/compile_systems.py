"""CodeSystem resources → columns: codes, names, definitions, parents, and properties by the number of the concept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Table = dict[str, Any]

# Bookkeeping of the HL7 publication, of no use to anybody who looks a code up. A house may mean something by the same names.
DROPPED = {"internalId", "subsumedBy", "source", "steward", "HL7usageNotes"}
DROPPED_BEGINNINGS = ("v2-", "Name:", "contextBinding", "rim-", "how-applies", "is")
KEPT = {"isDocumentCharacteristic"}


def table(resource: Mapping[str, Any], package: str, *, is_shipped: bool = False) -> Table:
    """The facts of one CodeSystem. Keys that would be empty are left out; of one that ships its bookkeeping, too."""
    rows = list(walk(resource.get("concept", ()), None))
    numbers = {concept["code"]: number for number, (concept, _) in enumerate(rows)}
    url, _, version = resource["url"].partition("|")  # some tables of v2 carry their version in their address
    made = {
        "url": url, "version": version or resource.get("version"), "name": resource.get("name"), "title": resource.get("title"), "package": package,
        "content": resource.get("content", "complete"), "sensitive": resource.get("caseSensitive", False), "meaning": resource.get("hierarchyMeaning"),
        "set": resource.get("valueSet"), "supplements": resource.get("supplements"), "codes": [concept["code"] for concept, _ in rows],
        "displays": [concept.get("display") for concept, _ in rows], "definitions": _definitions(rows), "parents": _parents(rows, numbers),
        "properties": _properties(rows, _is_shipped if is_shipped else _is_kept), "designations": _designations(rows),
    }  # fmt: skip
    return {key: value for key, value in made.items() if value not in (None, [], {}, "")}


def walk(concepts: Any, parent: str | None) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    for concept in concepts:
        yield concept, parent
        yield from walk(concept.get("concept", ()), concept["code"])


def _definitions(rows: list[Any]) -> list[str | None]:
    found = [concept.get("definition") for concept, _ in rows]
    texts = [
        None if text is None or text == concept.get("display") else " ".join(text.split()) for text, (concept, _) in zip(found, rows, strict=True)
    ]
    return texts if any(texts) else []


def _parents(rows: list[Any], numbers: Mapping[str, int]) -> dict[str, list[int]]:
    """Number of a concept → numbers of its parents: by nesting, and by the properties parent, subsumedBy and child."""
    parents: dict[int, list[int]] = {}
    for number, (concept, nested_in) in enumerate(rows):
        for code in filter(None, [nested_in, *_codes(concept, ("parent", "subsumedBy"))]):
            _link(parents, number, numbers.get(code))
        for code in _codes(concept, ("child",)):
            if code in numbers:
                _link(parents, numbers[code], number)
    return {str(number): above for number, above in parents.items()}


def _link(parents: dict[int, list[int]], child: int, parent: int | None) -> None:
    if parent is not None and parent != child and parent not in parents.setdefault(child, []):
        parents[child].append(parent)


def _codes(concept: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [str(one["valueCode"]) for one in concept.get("property", ()) if one["code"] in names and "valueCode" in one]


def _properties(rows: list[Any], is_kept: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """Name → [type, {number: value or values}]; a Coding is kept as `system|code`."""
    columns: dict[str, Any] = {}
    for number, (concept, _) in enumerate(rows):
        for one in concept.get("property", ()):
            if is_kept(one):
                key = next(key for key in one if key.startswith("value"))
                column = columns.setdefault(one["code"], [key.removeprefix("value"), {}])[1]
                column.setdefault(str(number), []).append(_text(one[key]))
    return columns


def _is_kept(one: Mapping[str, Any]) -> bool:
    return one["code"] not in ("parent", "child")


def _is_shipped(one: Mapping[str, Any]) -> bool:
    name = one["code"]
    if name in KEPT or not _is_kept(one):
        return name in KEPT
    if name == "status" and one.get("valueCode") == "active":
        return False
    return name not in DROPPED and not name.startswith(DROPPED_BEGINNINGS)


def _text(value: Any) -> Any:
    return f"{value.get('system', '')}|{value.get('code', '')}" if isinstance(value, dict) else value


def _designations(rows: list[Any]) -> list[list[Any]]:
    return [
        [
            number,
            one.get("language"),
            one.get("use", {}).get("system"),
            one.get("use", {}).get("code"),
            one["value"],
            one.get("use", {}).get("display"),
        ]
        for number, (concept, _) in enumerate(rows)
        for one in concept.get("designation", ())
        if one.get("value") and one["value"] != concept.get("display")
    ]
