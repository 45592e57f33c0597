"""What goes back over HTTP."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from openward.fhir.errors import FhirError, Issue, MethodNotAllowed, Unauthenticated
from openward.fhir.failures import TooSlow, Unavailable
from openward.fhir.http.request import Request
from openward.fhir.json import dumps
from openward.fhir.operations.registry import Answer
from openward.fhir.versions import Version, Written

MEDIA_TYPE = "application/fhir+json; charset=utf-8"
WORTH_PACKING = 1400  # bytes; a smaller answer fits in one packet anyway
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept, Accept-Encoding, Authorization"}
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None  # instead of `body`, for what is too long to hold

    @classmethod
    def answer(cls, answer: Answer) -> Response:
        """What an operation says, when it is more than a resource."""
        response = cls(answer.status, dumps(answer.resource) if answer.resource is not None else answer.body, dict(answer.headers), answer.chunks)
        if answer.media_type:
            response.headers["Content-Type"] = answer.media_type
        return response

    @classmethod
    def json(cls, content: Mapping[str, Any], status: int = 200) -> Response:
        return cls(status, dumps(content))

    @classmethod
    def version(cls, version: Version, status: int = 200) -> Response:
        """A resource as the bytes that are stored."""
        return cls(status, (version.text or "").encode(), validators(version))

    @classmethod
    def not_modified(cls, version: Version) -> Response:
        return cls(304, headers=validators(version))

    @classmethod
    def error(cls, error: FhirError) -> Response:
        response = cls.json(error.outcome(), error.status)
        if isinstance(error, Unauthenticated):
            response.headers["WWW-Authenticate"] = 'Bearer realm="fhir"'
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = str(error.values.get("allow", ""))
        if isinstance(error, Unavailable | TooSlow):
            response.headers["Retry-After"] = "5"
        return response

    def send(self, request: Request, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = msgspec.json.format(self.body, indent=2) if request.query and self.body and request.is_pretty else self.body
        headers = {**ALWAYS, **self.headers}
        if self.chunks is not None:
            headers.setdefault("Content-Type", MEDIA_TYPE)
            start_response(STATUS_LINES[self.status], list(headers.items()))
            return [] if request.method == "HEAD" else self.chunks
        if body:
            headers.setdefault("Content-Type", MEDIA_TYPE)
        if len(body) > WORTH_PACKING and "gzip" in (request.header("Accept-Encoding") or ""):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        if self.status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        start_response(STATUS_LINES[self.status], list(headers.items()))
        return [] if request.method == "HEAD" else [body]


def validators(version: Version) -> dict[str, str]:
    """ETag and Last-Modified."""
    return {"ETag": version.etag, "Last-Modified": format_datetime(version.at.astimezone(dt.UTC), usegmt=True)}


def written(written: Written, request: Request) -> Response:
    """The answer to a write, with as much body as the client prefers. https://hl7.org/fhir/R4/http.html#ops"""
    version = written.version
    if written.outcome == "deleted":
        return deleted(request, version)
    if request.preference == "representation":
        response = Response.version(version, written.status)
    elif request.preference == "minimal":
        response = Response(written.status, headers=validators(version))
    else:
        response = Response.json(_saying(f"{version.location}: {written.outcome}."), written.status)
        response.headers |= validators(version)
    response.headers["Location"] = f"{request.url}/{version.location}"
    return response


def deleted(request: Request, version: Version | None) -> Response:
    headers = {"ETag": version.etag} if version else {}
    if request.preference == "OperationOutcome":
        said = f"{version.reference} is deleted." if version else "Nothing matches the condition."
        return Response(200, dumps(_saying(said)), headers)
    return Response(204, headers=headers)


def _saying(text: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [Issue("informational", text, severity="information").to_fhir()]}
