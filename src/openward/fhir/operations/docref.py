"""US Core $docref: the references to a patient's documents.

https://hl7.org/fhir/us/core/STU6.1/OperationDefinition-docref.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import BadRequest, Issue
from openward.fhir.ids import is_id
from openward.fhir.interactions.search import searchset
from openward.fhir.operations.registry import Call, operation
from openward.fhir.search.date import span

# "Summarization of episode note", the type of a continuity of care document: what is asked for when nothing is said.
SUMMARY = "http://loinc.org|34133-9"
ASKED = ("patient", "start", "end", "type", "on-demand", "profile", "_count")


@operation(
    "docref", on=("type",), types=("DocumentReference",), needs="search", url="http://hl7.org/fhir/us/core/OperationDefinition/docref"
)  # fmt: skip
def docref(call: Call) -> dict[str, Any]:
    """A searchset of current document references, the newest first; without type and dates the latest summary alone."""
    whose = f"Patient/{_patient(call)}"
    bundle = searchset(call.store, "DocumentReference", [("patient", whose), ("status", "current"), *_narrowed(call)], call.url)
    asked = [(name, str(value)) for name in ASKED for value in call.parameters.all(name) if isinstance(value, str | bool | int)]
    bundle["link"] = [
        {"relation": "self", "url": f"{call.url}/DocumentReference/$docref?{urlencode(asked)}"},
        *(link for link in bundle["link"] if link["relation"] == "next"),
    ]
    if call.parameters.flag("on-demand"):
        bundle["entry"] = [*bundle.get("entry", []), _not_on_demand()]
    return bundle


def _patient(call: Call) -> str:
    named = (call.parameters.text("patient") or "").removeprefix("Patient/")
    if not is_id(named) or is_resource_type(named):
        raise BadRequest("$docref needs to know whose documents: the parameter patient.")
    return named


def _narrowed(call: Call) -> list[tuple[str, str]]:
    """By type and by the dates of care the document is about."""
    types = call.parameters.searched("type")
    dates = [(name, prefix, text) for name, prefix in (("start", "ge"), ("end", "le")) if (text := call.parameters.text(name))]
    wrong = [name for name, _, text in dates if span(text) is None]
    if wrong:
        raise BadRequest(f"{wrong[0]} is not a date such as 2026-11-03.")
    profiles = [("_profile", str(value)) for value in call.parameters.all("profile")]
    count = call.parameters.number("_count")
    if not (types or dates or profiles):
        return [("type", SUMMARY), ("_sort", "-date"), ("_count", "1")]
    narrowed = [("type", ",".join(types))] if types else []
    narrowed += [("period", f"{prefix}{text}") for _, prefix, text in dates]
    return [*narrowed, *profiles, ("_sort", "-date"), ("_count", str(count or 100))]


def _not_on_demand() -> dict[str, Any]:
    issue = Issue("not-supported", "Documents are not made on demand here; these are the ones on record.", severity="information")
    return {"resource": {"resourceType": "OperationOutcome", "issue": [issue.to_fhir()]}, "search": {"mode": "outcome"}}
