"""$subsumes: how one code of a code system relates to another.

https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.errors import BadRequest
from openward.fhir.operations.registry import Call, operation
from openward.fhir.terminology.asking import Coded, UnknownCode, coded, parameter, parameters, terminology
from openward.fhir.terminology.concepts import UnknownSystem
from openward.fhir.terminology.versions import versioned


@operation("subsumes", on=("type", "instance"), types=("CodeSystem",), url="http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes")
def subsumes(call: Call) -> Mapping[str, Any]:
    """Raises BadRequest, UnknownSystem, UnknownCode."""
    instance = call.store.read("CodeSystem", call.id).data if call.id else {}
    system = instance.get("url") or call.parameters.text("system")
    a, b = (_asked(call, letter, system) for letter in "AB")
    if not a.system or not b.system:
        raise BadRequest("Say which code system: system.")
    if a.system != b.system or system not in (None, a.system):
        raise BadRequest("Both codes must be of one code system.")
    bound = terminology(call)
    version = instance.get("version") or call.parameters.text("version") or a.version
    found = bound.catalogue.system(a.system, version)
    if found is None:
        raise UnknownSystem(system=versioned(a.system, version))
    outcome = bound.subsumes(a.system, a.code, b.code, version)
    if outcome is None:
        missing = a if found.find(a.code) is None else b
        raise UnknownCode(code=missing.code[:100], system=a.system[:200])
    return parameters([parameter("outcome", "code", outcome)])


def _asked(call: Call, letter: str, system: str | None) -> Coded:
    code, coding = call.parameters.text(f"code{letter}"), call.parameters.value(f"coding{letter}")
    if (code is None) == (coding is None):
        raise BadRequest(f"Give either code{letter} or coding{letter}.")
    return coded(coding) if coding is not None else Coded(system, code or "")
