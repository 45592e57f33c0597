"""Bundles this server answers with: searchset, history, and the responses of a batch or transaction.

Resources go in as the bytes that are stored, never parsed and written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from openward.fhir.errors import FhirError, Issue
from openward.fhir.versions import Version, Written, instant

Link = tuple[str, str]
NOTHING_DELETED: dict[str, Any] = {"response": {"status": "204 No Content"}}


def raw(version: Version) -> msgspec.Raw:
    """The stored bytes as a JSON value that `openward.fhir.json.dumps` writes as they are."""
    if version.text is None:
        raise LookupError(f"{version.location} is a deletion")
    return msgspec.Raw(version.text.encode())


def links(pairs: Sequence[Link]) -> list[dict[str, str]]:
    return [{"relation": relation, "url": url} for relation, url in pairs]


def history_bundle(versions: Sequence[Version], base: str, page_links: Sequence[Link]) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/http.html#history"""
    return _bundle("history", [_history_entry(version, base) for version in versions], link=links(page_links))


def response_bundle(kind: str, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return _bundle(f"{kind}-response", list(entries))


def _bundle(type: str, entries: Sequence[dict[str, Any]], **said: Any) -> dict[str, Any]:
    """Without entries where there are none: no array of FHIR's is empty. https://hl7.org/fhir/R4/json.html"""
    bundle = {"resourceType": "Bundle", "type": type, **said}
    return {**bundle, "entry": entries} if entries else bundle


def written_entry(written: Written, preference: str = "minimal") -> dict[str, Any]:
    """`preference`: minimal, representation or OperationOutcome, how much comes back with the response."""
    version = written.version
    response: dict[str, Any] = {"status": status_line(written.status)}
    if written.outcome != "deleted":
        response |= {"location": version.location}
    response |= validators_of(version)
    if preference == "OperationOutcome":
        said = Issue("informational", f"{version.location}: {written.outcome}.", severity="information")
        response["outcome"] = {"resourceType": "OperationOutcome", "issue": [said.to_fhir()]}
    return {"resource": raw(version), "response": response} if preference == "representation" and version.text else {"response": response}


def validators_of(version: Version) -> dict[str, str]:
    return {"etag": version.etag, "lastModified": instant(version.at)}


def failed_entry(error: FhirError) -> dict[str, Any]:
    return {"response": {"status": status_line(error.status), "outcome": error.outcome()}}


def status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _history_entry(version: Version, base: str) -> dict[str, Any]:
    method = "DELETE" if version.deleted else "POST" if version.number == 1 else "PUT"
    url = version.type if method == "POST" else version.reference
    status = 204 if version.deleted else 201 if version.op == "C" else 200
    entry: dict[str, Any] = {"fullUrl": f"{base}/{version.reference}"}
    if version.text:
        entry["resource"] = raw(version)
    entry["request"] = {"method": method, "url": url}
    entry["response"] = {"status": status_line(status), **validators_of(version)}
    if version.locked:
        entry["response"]["outcome"] = version.locked.outcome()
    return entry
