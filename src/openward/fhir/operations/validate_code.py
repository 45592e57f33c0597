"""$validate-code: whether a code is in a code system, or in a value set.

https://hl7.org/fhir/R4/codesystem-operation-validate-code.html, https://hl7.org/fhir/R4/valueset-operation-validate-code.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openward.fhir.errors import BadRequest
from openward.fhir.operations.registry import Call, operation
from openward.fhir.terminology.asking import Coded, codings, definition, parameter, parameters, terminology
from openward.fhir.terminology.catalogue import Definition
from openward.fhir.terminology.protocol import Validation
from openward.fhir.terminology.service import Terminology
from openward.fhir.terminology.validation import validated


@operation("validate-code", on=("type", "instance"), types=("CodeSystem",), url="http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code")
def validate_code_of_system(call: Call) -> Mapping[str, Any]:
    bound = terminology(call, "codeSystem")
    system, version = _system(call)
    asked = codings(call, system, version)
    strangers = [one for one in asked if system and one.system not in (None, system)]
    own = [Coded(one.system or system, one.code, one.version or version, one.display) for one in asked if one not in strangers]
    others = [Validation(False, f"The coding is not of the code system {system}.") for _ in strangers]
    return _answer([*_validated(bound, None, own, call), *others])


@operation("validate-code", on=("type", "instance"), types=("ValueSet",), url="http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code")
def validate_code_of_value_set(call: Call) -> Mapping[str, Any]:
    """Raises UnknownValueSet."""
    bound = terminology(call, "valueSet")
    asked = codings(call, call.parameters.text("system"), call.parameters.text("systemVersion"))
    return _answer(_validated(bound, definition(call, bound), asked, call))


def _system(call: Call) -> tuple[str | None, str | None]:
    """Address and version of the code system the call is about. Raises BadRequest when it says none."""
    sent = call.store.read("CodeSystem", call.id).data if call.id else call.parameters.resource("codeSystem")
    if sent is not None:
        return sent.get("url"), sent.get("version")
    url = call.parameters.text("url") or call.parameters.text("system")
    if not url and "coding" not in call.parameters and "codeableConcept" not in call.parameters:
        raise BadRequest("Say which code system: url, or codeSystem, or the address of one.")
    return url, call.parameters.text("version")


def _validated(bound: Terminology, value_set: Definition | None, asked: Sequence[Coded], call: Call) -> list[Validation]:
    given = call.parameters
    abstract, language = given.flag("abstract", otherwise=True), given.text("displayLanguage")
    return [
        validated(
            bound.catalogue, value_set, one.system, one.code, version=one.version, display=one.display, abstract=abstract, language=language,
            active_only=given.flag("activeOnly"),
        )
        for one in asked
    ]  # fmt: skip


def _answer(found: Sequence[Validation]) -> dict[str, Any]:
    """Of several codings one that is right is enough; what cannot be told is not said to be right."""
    found = found or [Validation(False, "There is no code in it.")]
    best = next((one for one in found if one.result), found[0])
    wrong = "; ".join(one.message for one in found if one.message) if not best.result else best.message
    return parameters(
        [
            parameter("result", "boolean", best.result is True),
            parameter("message", "string", wrong) if wrong else None,
            parameter("display", "string", best.display) if best.display else None,
        ]
    )
