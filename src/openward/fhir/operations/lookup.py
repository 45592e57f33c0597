"""$lookup: what a code system says of a code: its names, its definition, its properties.

https://hl7.org/fhir/R4/codesystem-operation-lookup.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openward.fhir.errors import BadRequest
from openward.fhir.operations.registry import Call, operation
from openward.fhir.terminology.asking import UnknownCode, codings, parameter, parameters, terminology
from openward.fhir.terminology.concepts import Concept, UnknownSystem
from openward.fhir.terminology.systems import CodeSystem, Property
from openward.fhir.terminology.versions import versioned


@operation("lookup", on=("type",), types=("CodeSystem",), url="http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup")
def lookup(call: Call) -> Mapping[str, Any]:
    """Raises BadRequest, UnknownSystem, UnknownCode."""
    found = codings(call, call.parameters.text("system"), call.parameters.text("version"))
    if len(found) != 1:
        raise BadRequest("One code is looked up at a time.")
    [asked] = found
    if asked.system is None:
        raise BadRequest("Say which code system: system.")
    system = terminology(call, "codeSystem").catalogue.system(asked.system, asked.version)
    if system is None:
        raise UnknownSystem(system=versioned(asked.system, asked.version))
    concept = system.find(asked.code)
    if concept is None:
        raise UnknownCode(code=asked.code[:100], system=asked.system[:200])
    wanted = frozenset(str(one) for one in call.parameters.all("property"))
    return parameters(_said(system, concept, wanted, call.parameters.text("displayLanguage")))


def _said(system: CodeSystem, concept: Concept, wanted: frozenset[str], language: str | None) -> Iterator[Mapping[str, Any]]:
    yield parameter("name", "string", system.name or system.url)
    if system.version:
        yield parameter("version", "string", system.version)
    yield parameter("display", "string", concept.named(language) or concept.code)
    if not wanted or "designation" in wanted or any(one.startswith("lang.") for one in wanted):
        languages = {one.removeprefix("lang.") for one in wanted if one.startswith("lang.")} - {"*"}
        for name in concept.designations:
            if not languages or any(map(name.is_in, languages)):
                yield {"name": "designation", "part": _designation(name.to_fhir())}
    for one in _properties(system, concept):
        if not wanted or one.code in wanted:
            yield {"name": "property", "part": [parameter("code", "code", one.code), _value(one)]}


def _properties(system: CodeSystem, concept: Concept) -> Iterator[Property]:
    if concept.definition:
        yield Property("definition", "String", concept.definition)
    yield from (Property("parent", "Code", code) for code in system.parents(concept.code))
    yield from (Property("child", "Code", code) for code in system.children(concept.code))
    yield Property("inactive", "Boolean", concept.inactive)
    if concept.abstract:
        yield Property("notSelectable", "Boolean", True)
    yield from (one for one in system.properties(concept.code) if one.code not in ("inactive", "notSelectable"))


def _value(one: Property) -> dict[str, Any]:
    if one.kind == "Coding":
        system, _, code = str(one.value).rpartition("|")
        return parameter("value", "Coding", {"system": system, "code": code} if system else {"code": code})
    return parameter("value", one.kind, one.value)


def _designation(name: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = [parameter("language", "code", name["language"])] if "language" in name else []
    if "use" in name:
        parts.append(parameter("use", "Coding", name["use"]))
    return [*parts, parameter("value", "string", name["value"])]
