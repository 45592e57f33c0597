"""Code systems, value sets and maps of the tests. Invented, all of them."""

from __future__ import annotations

from typing import Any

ANIMALS = "http://example.org/animals"

ANIMAL_SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem", "id": "animals", "url": ANIMALS, "version": "1.0", "name": "Animals", "status": "active", "content": "complete",
    "caseSensitive": True, "hierarchyMeaning": "is-a", "valueSet": "http://example.org/vs/animals",
    "property": [{"code": "legs", "type": "integer"}, {"code": "inactive", "type": "boolean"}, {"code": "notSelectable", "type": "boolean"}],
    "concept": [
        {"code": "animal", "display": "Animal", "property": [{"code": "notSelectable", "valueBoolean": True}], "concept": [
            {"code": "mammal", "display": "Mammal", "concept": [
                {"code": "dog", "display": "Domestic dog", "definition": "A dog that lives with people.",
                 "designation": [{"language": "de", "value": "Haushund"}, {"language": "fr-CA", "value": "Chien"}],
                 "property": [{"code": "legs", "valueInteger": 4}], "concept": [{"code": "poodle", "display": "Poodle"}]},
                {"code": "cat", "display": "House cat", "property": [{"code": "legs", "valueInteger": 4}]},
            ]},
            {"code": "bird", "display": "Bird", "property": [{"code": "legs", "valueInteger": 2}], "concept": [
                {"code": "dodo", "display": "Dodo", "property": [{"code": "inactive", "valueBoolean": True}]},
            ]},
        ]},
        {"code": "stone", "display": "Stone"},
    ],
}  # fmt: skip


def value_set(url: str, *include: dict[str, Any], exclude: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    compose: dict[str, Any] = {"include": list(include)}
    if exclude:
        compose["exclude"] = list(exclude)
    if "inactive" in more:
        compose["inactive"] = more.pop("inactive")
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose, **more}


def filtered(*filters: tuple[str, str, str], system: str = ANIMALS) -> dict[str, Any]:
    return {"system": system, "filter": [{"property": about, "op": op, "value": value} for about, op, value in filters]}


def codes(contains: list[dict[str, Any]]) -> list[str]:
    """The codes of an expansion, nested ones too, in their order."""
    return [code for row in contains for code in (row["code"], *codes(row.get("contains", [])))]


def named(answer: dict[str, Any], name: str) -> Any:
    """The value of a parameter of the answer; a list of them when there are several, None when there is none."""
    found = [
        next((value for key, value in part.items() if key.startswith("value")), part.get("part"))
        for part in answer["parameter"]
        if part["name"] == name
    ]
    return found if len(found) > 1 else next(iter(found), None)
