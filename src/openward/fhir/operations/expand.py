"""$expand: the value set's current membership, as a list of codes.

https://hl7.org/fhir/R4/valueset-operation-expand.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.errors import FhirError
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import Call, operation
from openward.fhir.terminology.asking import definition, terminology
from openward.fhir.terminology.expansion import expanded
from openward.fhir.terminology.options import Options
from openward.fhir.terminology.versions import Versions

ECHOED = {
    "filter": "valueString", "offset": "valueInteger", "count": "valueInteger", "includeDesignations": "valueBoolean", "includeDefinition": "valueBoolean",
    "activeOnly": "valueBoolean", "excludeNested": "valueBoolean", "excludeNotForUI": "valueBoolean", "displayLanguage": "valueCode",
}  # fmt: skip
VERSIONS = ("system-version", "check-system-version", "force-system-version")
REPEATED = {"designation": "valueString", "exclude-system": "valueUri", **dict.fromkeys(VERSIONS, "valueUri")}


class NotSupported(FhirError):
    """{name} is not supported here; name the value set by its url."""

    status = 422
    code = "not-supported"


@operation("expand", on=("type", "instance"), types=("ValueSet",), url="http://hl7.org/fhir/OperationDefinition/ValueSet-expand")
def expand(call: Call) -> Mapping[str, Any]:
    """Raises UnknownValueSet, UnknownSystem, ExpansionTooCostly, InvalidFilter, UnknownFilter, WrongVersion."""
    if "context" in call.parameters:
        raise NotSupported(name="context")
    bound = terminology(call, "valueSet")
    return expanded(bound.catalogue, definition(call, bound), _options(call.parameters))


def _options(given: Parameters) -> Options:
    return Options(
        filter=given.text("filter"),
        offset=given.number("offset") or 0,
        count=given.number("count"),
        designations=given.flag("includeDesignations"),
        designation=given.texts("designation"),
        definition=given.flag("includeDefinition"),
        active_only=given.flag("activeOnly"),
        nested=not given.flag("excludeNested"),
        exclude_not_for_ui=given.flag("excludeNotForUI"),
        language=given.text("displayLanguage"),
        exclude_systems=given.texts("exclude-system"),
        versions=Versions.of(*map(given.texts, VERSIONS)),
        said=[
            *({"name": name, kind: _value(given, name, kind)} for name, kind in ECHOED.items() if given.value(name) not in (None, "")),
            *({"name": name, kind: one} for name, kind in REPEATED.items() for one in given.texts(name)),
        ],
    )


def _value(given: Parameters, name: str, kind: str) -> Any:
    if kind == "valueInteger":
        return given.number(name)
    return given.flag(name) if kind == "valueBoolean" else given.text(name)
