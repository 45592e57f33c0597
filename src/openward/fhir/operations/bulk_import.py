"""`$import`: files of NDJSON into the record, by a job. The other direction of bulk data, after the drafts of SMART and HL7.

https://github.com/smart-on-fhir/bulk-import
"""

from __future__ import annotations

from openward.fhir.bulk import imports
from openward.fhir.bulk.house import house
from openward.fhir.bulk.manifest import inputs
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.errors import BadRequest, Forbidden, Issue
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.protocols import Event

URL = "urn:openward:operation:import"


@operation("import", on=("system",), url=URL, writes=True)
def take_in(call: Call) -> Answer:
    """Raises BadRequest for what is no manifest, Forbidden for a host or a type that is not the client's to write."""
    if not call.preferred("respond-async"):
        raise BadRequest("An import is answered later: send the header Prefer: respond-async.")
    here, store = house(), call.store
    if not here.may_import(store.actor):
        raise Forbidden("Files are brought in by programs that were given a token for it, not in a person's name.")
    wanted = inputs(call.parameters, hosts=here.import_hosts, allowed=here.allowed, base=call.url)
    _permit(call, [one.type for one in wanted if one.type])
    with store.transaction():
        if imports.unfinished(store.connection, store.tenant, store.actor.id) >= here.limits.running:
            issue = Issue("throttled", f"You have {here.limits.running} imports that are not finished; wait for one, or cancel it.")
            return Answer(429, {"resourceType": "OperationOutcome", "issue": [issue.to_fhir()]}, headers={"Retry-After": "60"})
        actor = here.remember(store.actor)
        id = imports.ask(store.connection, store.tenant, store.actor.id, actor, wanted, f"{call.url}/$import", call.url)
        here.start_import(store, id)
        store.record([Event("import", None, detail=f"import of {len(wanted)} inputs asked for")])
    issue = Issue("informational", "The import has begun; ask for its status at the Content-Location.", severity="information")
    return Answer(202, {"resourceType": "OperationOutcome", "issue": [issue.to_fhir()]}, headers={"Content-Location": f"{call.url}/_import/{id}"})


def _permit(call: Call, types: list[str]) -> None:
    """What is said to come must be the client's to write; what does come is asked again, resource by resource."""
    allows = call.store.policy.where
    refused = [type for type in dict.fromkeys(types) if allows(call.store.actor, "create", type) is None]
    anything = any(allows(call.store.actor, "create", type) is not None for type in RESOURCE_TYPES)
    if refused or not anything:
        raise Forbidden(f"You may not write {', '.join(refused) or 'anything'}.")
