"""$translate: from a code to the codes it maps to, by one concept map or by all between two value sets.

https://hl7.org/fhir/R4/conceptmap-operation-translate.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openward.fhir.errors import BadRequest, NotFound
from openward.fhir.operations.registry import Call, operation
from openward.fhir.terminology.asking import Coded, check_sent, codings, parameter, parameters, terminology
from openward.fhir.terminology.service import Terminology
from openward.fhir.terminology.translation import UNMATCHED, Map, Match, maps, translated
from openward.fhir.validation import check

MOST = 1_000


@operation("translate", on=("type", "instance"), types=("ConceptMap",), url="http://hl7.org/fhir/OperationDefinition/ConceptMap-translate")
def translate(call: Call) -> Mapping[str, Any]:
    """Raises BadRequest, and NotFound for a map that is not here."""
    bound = terminology(call)
    asked = codings(call, call.parameters.text("system"), call.parameters.text("version"))
    if any(one.system is None for one in asked):
        raise BadRequest("A code is translated with its system.")
    matches = list({(one.equivalence, one.system, one.code, one.origin): one for one in _matches(call, bound, asked)}.values())[:MOST]
    is_translated = any(one.equivalence not in UNMATCHED for one in matches)
    message = None if is_translated else "No map here says what the code translates to."
    said = parameter("message", "string", message) if message else None
    return parameters([parameter("result", "boolean", is_translated), said, *map(_match, matches)])


def _matches(call: Call, bound: Terminology, asked: Sequence[Coded]) -> Iterator[Match]:
    given = call.parameters
    for map in _maps(call, bound):
        for one in asked:
            yield from translated(
                bound.catalogue, map, one.system or "", one.code, reverse=given.flag("reverse"), target_system=given.text("targetsystem"),
                dependencies=_dependencies(given.all("dependency")),
            )  # fmt: skip


def _maps(call: Call, bound: Terminology) -> list[Map]:
    given = call.parameters
    sent = call.store.read("ConceptMap", call.id).data if call.id else given.resource("conceptMap") or given.resource("resource")
    if sent is not None:
        check_sent(sent)
        return [Map(str(sent.get("url", "")), sent.get("version"), None, None, sent)]
    url, version = given.text("url"), given.text("conceptMapVersion")
    if url is None and not any(name in given for name in ("source", "target", "targetsystem")):
        raise BadRequest("Say which map: url, conceptMap, or source, target or targetsystem.")
    source, target = ("target", "source") if given.flag("reverse") else ("source", "target")
    found = maps(bound.catalogue, url, version, given.text(source), given.text(target))
    if url is not None and not found:
        raise NotFound(f"The concept map {url[:200]} is not here.")
    return found[:1] if url is not None else found


def _dependencies(given: Sequence[Any]) -> dict[str, str]:
    """element → code or text, of the parts of each `dependency`. Raises Invalid."""
    found: dict[str, str] = {}
    for parts in given:
        check(parameters([{"name": "dependency", "part": parts}]))
        by_name = {part.get("name"): part for part in parts}
        element, concept = by_name.get("element", {}).get("valueUri"), by_name.get("concept", {}).get("valueCodeableConcept", {})
        coding: dict[str, str] = next(iter(concept.get("coding", ())), {})
        if element:
            found[element] = coding.get("code") or concept.get("text", "")
    return found


def _match(one: Match) -> dict[str, Any]:
    coding = {"system": one.system, "code": one.code, "display": one.display}
    products = [
        {
            "name": "product",
            "part": [
                parameter("element", "uri", product.get("property", "")),
                parameter("concept", "Coding", {key: value for key, value in zip(("system", "code"), (product.get("system"), product.get("value")), strict=True) if value}),
            ],
        }
        for product in one.products
    ]  # fmt: skip
    concept = parameter("concept", "Coding", {key: value for key, value in coding.items() if value}) if one.code else None
    source = parameter("source", "uri", one.origin) if one.origin.strip("|") else None
    return {"name": "match", "part": [part for part in (parameter("equivalence", "code", one.equivalence), concept, *products, source) if part]}
