"""FHIR $graphql: a GraphQL query about one resource, or about the whole record.

https://hl7.org/fhir/R4/resource-operation-graphql.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.errors import BadRequest, FhirError
from openward.fhir.interactions.read import read
from openward.fhir.json import dumps, loads
from openward.fhir.operations.registry import Answer, Call, operation

JSON = "application/json"


@operation("graphql", on=("system", "instance"), url="http://hl7.org/fhir/OperationDefinition/Resource-graphql")
def graphql(call: Call) -> Answer:
    """`{"data": …}`, or `{"data": null, "errors": […]}` with the status of what went wrong."""
    try:
        data = _answer(call)
    except FhirError as error:
        return Answer(status=error.status, body=dumps({"data": None, "errors": [_error(error)]}), media_type=JSON)
    return Answer(body=dumps({"data": data}), media_type=JSON)


def _answer(call: Call) -> Mapping[str, Any]:
    from openward.fhir.graphql import Run, read_query  # not before it is needed: 3 MB of a process that is never asked in GraphQL

    asked = _request(call)
    run = Run(call.store, read_query(asked.get("query"), asked.get("variables"), asked.get("operationName")), call.url)
    if call.type and call.id:
        return run.of_resource(read(call.store, call.type, call.id).content)
    return run.of_record()


def _request(call: Call) -> Mapping[str, Any]:
    """By GET the parameters of the address; by POST a JSON object, or the query by itself."""
    sent = call.parameters.value("resource")
    if isinstance(sent, Mapping):
        return sent
    variables = call.parameters.text("variables")
    if variables is not None:
        try:
            return {"query": call.parameters.text("query"), "variables": loads(variables), "operationName": call.parameters.text("operationName")}
        except BadRequest as error:
            raise BadRequest("variables is not a JSON object.") from error
    return {"query": call.parameters.text("query"), "operationName": call.parameters.text("operationName")}


def _error(error: FhirError) -> Mapping[str, Any]:
    return {"message": str(error), "extensions": {"resource": error.outcome()}}
