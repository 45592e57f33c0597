"""What the terminology operations have in common: codings from their parameters, resources sent along, Parameters to answer with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openward.fhir.errors import BadRequest, FhirError
from openward.fhir.terminology.catalogue import Definition
from openward.fhir.terminology.compose import UnknownValueSet
from openward.fhir.terminology.service import Terminology
from openward.fhir.terminology.versions import fits, split, versioned
from openward.fhir.validation import check

if TYPE_CHECKING:
    from openward.fhir.operations.registry import Call

MOST_CODINGS = 100
KINDS = {"string": "valueString", "code": "valueCode", "uri": "valueUri", "boolean": "valueBoolean", "Coding": "valueCoding"}


@dataclass(frozen=True, slots=True)
class Coded:
    """One code that is asked about."""

    system: str | None
    code: str
    version: str | None = None
    display: str | None = None


def terminology(call: Call, *names: str) -> Terminology:
    """As the caller may see it, with the resources sent as `names` or `tx-resource`. Raises Invalid for one that is not in form, BadRequest for one no code can name."""
    sent = [one for name in ("tx-resource", *names) for one in call.parameters.all(name) if isinstance(one, dict)]
    for one in sent:
        check_sent(one)
        if one.get("resourceType") == "CodeSystem" and "url" not in one:
            raise BadRequest("A code system that is sent along needs its url: codes name it by that.")
    return Terminology.of(call.store, sent=sent)


def definition(call: Call, bound: Terminology) -> Definition:
    """The value set a call is about: the instance, `valueSet`, or `url` with `valueSetVersion`. Raises BadRequest, UnknownValueSet."""
    sent = call.store.read("ValueSet", call.id).data if call.id else call.parameters.resource("valueSet") or call.parameters.resource("resource")
    if sent is not None:
        if sent.get("resourceType") != "ValueSet":
            raise BadRequest("The body is not a ValueSet.")
        check_sent(sent)
        return Definition(str(sent.get("url", "")), sent.get("version"), "record" if call.id else "sent", sent)
    url = call.parameters.text("url")
    if not url:
        raise BadRequest("Say which value set: url, or valueSet, or the address of one.")
    address, stated = split(url)
    version = call.parameters.text("valueSetVersion") or stated
    found = bound.catalogue.value_set(f"{address}|{version}" if version else url)
    # Between packages a version is often a slip, and the one that is here is meant; who asks for one by name gets that or none.
    if found is None or (version and not fits(_version_of(found), version)):
        raise UnknownValueSet(url=versioned(address, version))
    return found


def _version_of(found: Definition) -> str | None:
    """Of a value set that is all of a code system: the code system's, where it has one."""
    if found.package != "implicit":
        return found.version
    [include] = found.resource["compose"]["include"]
    version: str | None = include.get("version", found.version)
    return version


def check_sent(resource: Mapping[str, Any]) -> None:
    """What came with a request has been checked by nobody yet. Raises Invalid."""
    assumed = {"CodeSystem": {"status": "active", "content": "complete"}}.get(str(resource.get("resourceType")), {"status": "active"})
    check({**assumed, **resource})


def codings(call: Call, system: str | None, version: str | None) -> list[Coded]:
    """What is asked about: codeableConcept, coding, or code. Raises BadRequest unless exactly one of them is there.

    A concept may have no coding at all, and codings that say a name and no code; they tell nothing.
    """
    given = call.parameters
    kinds = [name for name in ("codeableConcept", "coding", "code") if name in given]
    if len(kinds) != 1:
        raise BadRequest("Give exactly one of code, coding and codeableConcept.")
    if kinds == ["code"]:
        return [_sound(Coded(system, given.text("code") or "", version, given.text("display")))]
    value = given.value(kinds[0])
    listed = value.get("coding", []) if kinds == ["codeableConcept"] and isinstance(value, dict) else [value]
    if not isinstance(listed, list) or len(listed) > MOST_CODINGS:
        raise BadRequest(f"{kinds[0]} is not in the form of its type.")
    return [coded(one) for one in listed if kinds == ["coding"] or not isinstance(one, dict) or "code" in one]


def coded(value: Any) -> Coded:
    """A Coding, or from a query `system|code`. Raises BadRequest."""
    if isinstance(value, str):
        system, bar, code = value.rpartition("|")
        return _sound(Coded((system or None) if bar else None, code))
    if not isinstance(value, dict) or not isinstance(value.get("code"), str):
        raise BadRequest("A coding needs a code.")
    parts = [value.get(name) for name in ("system", "version", "display")]
    if not all(part is None or isinstance(part, str) for part in parts):
        raise BadRequest("A coding is not in the form of its type.")
    return _sound(Coded(parts[0], value["code"], parts[1], parts[2]))


def _sound(one: Coded) -> Coded:
    """Raises BadRequest for the character no table can hold."""
    if "\x00" in one.code or "\x00" in (one.system or ""):
        raise BadRequest("A code has no NUL in it.")
    return one


def parameter(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"name": name, KINDS.get(kind, f"value{kind}"): value}


def parameters(parts: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [part for part in parts if part]}


class UnknownCode(FhirError):
    """{code} is not a code of {system} here."""

    status = 404
    code = "not-found"
