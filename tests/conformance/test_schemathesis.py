"""schemathesis sends what the CapabilityStatement allows, and what it does not, to the running server. https://pypi.org/project/schemathesis/

The description it works from is made out of what the server says of itself, so that a new operation or parameter is tried without being listed here.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from tests.conformance.conftest import Surface

TYPES = ("Patient", "Observation", "ValueSet", "Location", "Encounter", "Binary")
MEDIA = ("application/fhir+json", "application/fhir+xml", "application/json-patch+json")
FORMATS = {"number": {"type": "number"}, "date": {"type": "string"}, "quantity": {"type": "string"}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}}
CONTROLS = ("_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_has", "_format", "_since", "_cursor", "_type")


def described(statement: dict[str, Any]) -> dict[str, Any]:
    """The server's own words as OpenAPI. https://spec.openapis.org/oas/v3.0.3"""
    paths: dict[str, Any] = {"/_history": {"get": _asks(())}, "/metadata": {"get": _asks(())}}
    for resource in statement["rest"][0]["resource"]:
        type = resource["type"]
        if type not in TYPES:
            continue
        names = [(parameter["name"], parameter["type"]) for parameter in resource["searchParam"]]
        paths[f"/{type}"] = {"get": _asks(names), "post": _sends(), "put": _sends(), "delete": _asks(names[:5])}
        paths[f"/{type}/_search"] = {"post": _form(names)}
        paths[f"/{type}/_history"] = {"get": _asks(())}
        one = {"get": _asks(()), "put": _sends(), "patch": _sends(), "delete": _asks(())}
        paths[f"/{type}/{{id}}"] = {**one, "parameters": [ID]}
        paths[f"/{type}/{{id}}/_history"] = {"get": _asks(()), "parameters": [ID]}
        for operation in resource.get("operation", ()):
            paths[f"/{type}/${operation['name']}"] = {"get": _asks(()), "post": _sends()}
            paths[f"/{type}/{{id}}/${operation['name']}"] = {"get": _asks(()), "post": _sends(), "parameters": [ID]}
    return {"openapi": "3.0.3", "info": {"title": "FHIR", "version": "4.0.1"}, "paths": paths}


def _asks(names: Any) -> dict[str, Any]:
    known = [{"name": name, "in": "query", "schema": FORMATS.get(type, {"type": "string"})} for name, type in names]
    controls = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in CONTROLS]
    return {"parameters": [*known, *controls], "responses": {"default": {"description": "any"}}}


def _sends() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"resourceType": {"enum": [*TYPES, "Parameters", "Bundle"]}}, "additionalProperties": True}
    return {"requestBody": {"content": {media: {"schema": schema} for media in MEDIA[:1]}}, "responses": {"default": {"description": "any"}}}


def _form(names: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name, _ in names[:20]}}
    return {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}, "responses": {"default": {"description": "any"}}}


@pytest.mark.parametrize("type", [*TYPES, ""])
def test_no_request_makes_the_server_fail(surface: Surface, type: str) -> None:
    """The operations on one resource type, or on none."""
    paths = described(surface.json("GET", "/metadata"))
    paths["paths"] = {
        path: item for path, item in paths["paths"].items() if path.split("/")[1] == type or (not type and path[1].islower() | (path[1] == "_"))
    }
    for found in schemathesis.openapi.from_dict(paths).get_all_operations():
        _try(found.ok(), surface)


def _try(operation: Any, surface: Surface) -> None:
    @given(operation.as_strategy())
    @settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(base_url=surface.base, headers={"Authorization": f"Bearer {surface.token}"})
        case.validate_response(answer, checks=[not_a_server_error])
        assert answer.status_code < 400 or b"OperationOutcome" in answer.content, (answer.status_code, answer.content[:200])

    ask()
