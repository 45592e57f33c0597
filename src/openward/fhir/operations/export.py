"""FHIR `$export`: everything a client may see, as files of NDJSON made by a job.

https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-kick-off-request
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from openward.fhir.bulk import exports
from openward.fhir.bulk.house import House, house
from openward.fhir.bulk.serving import address
from openward.fhir.bulk.source import Source, members, patient_keys
from openward.fhir.bulk.spec import Spec, spec
from openward.fhir.errors import BadRequest, Forbidden, Issue
from openward.fhir.operations.members import sight
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.protocols import Event, Where
from openward.fhir.search.sql import Bindings

DEFINITION = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"


@operation("export", on=("system",), url=f"{DEFINITION}/export", writes_on_get=True)
def everything(call: Call) -> Answer:
    """All the client may see."""
    return _kick_off(call, "system")


@operation("export", on=("type",), types=("Patient",), needs="export", url=f"{DEFINITION}/patient-export", writes_on_get=True)
def of_patients(call: Call) -> Answer:
    """All that belongs to patients."""
    return _kick_off(call, "Patient")


@operation("export", on=("instance",), types=("Group",), needs="export", url=f"{DEFINITION}/group-export", writes_on_get=True)
def of_group(call: Call) -> Answer:
    """All that belongs to the members of a group."""
    assert call.id
    call.store.read("Group", call.id)
    return _kick_off(call, "Group")


def _kick_off(call: Call, level: str) -> Answer:
    """Raises BadRequest for what is wrong with the request, Forbidden for a type the client may not export."""
    if not call.preferred("respond-async"):
        raise BadRequest("An export is answered later: send the header Prefer: respond-async.")
    here = house()
    wanted = spec(call.parameters, level=level, id=call.id, lenient=call.preferred("handling=lenient"))
    _permit(call, wanted)
    _try(call, wanted)
    if wanted.patients and not call.preferred("handling=lenient"):
        _find(call, wanted)
    with call.store.transaction():
        if exports.unfinished(call.store.connection, call.store.tenant, call.store.actor.id) >= here.limits.running:
            return _too_many(here)
        actor = here.remember(call.store.actor)
        id = exports.ask(call.store.connection, call.store.tenant, call.store.actor.id, actor, wanted, _request(call), call.url)
        here.start_export(call.store, id)
        call.store.record([Event("export", call.type, detail=f"{level} export asked for")])
    return Answer(202, _saying("informational", "The export has begun; ask for its status at the Content-Location.", "information"),
                  headers={"Content-Location": address(call.url, id)})  # fmt: skip


def _permit(call: Call, wanted: Spec) -> None:
    """Every type that was named must be the client's to export; of a type nobody named, what is not to be seen is left out."""
    policy, actor = call.store.policy, call.store.actor
    candidates = wanted.candidates()
    allowed = [type for type in candidates if policy.where(actor, "export", type) is not None]
    refused = [type for type in [*wanted.types, *wanted.filters] if policy.where(actor, "export", type) is None]
    if refused or not allowed:
        raise Forbidden(f"You may not export {', '.join(dict.fromkeys(refused)) or 'any of this'}.")


def _try(call: Call, wanted: Spec) -> None:
    """A filter that no search can carry out is refused to whoever asks, and not found out by the job. Raises BadRequest."""
    for type, queries in wanted.filters.items():
        Source(
            call.store.connection,
            call.store.tenant,
            type,
            Where(),
            partial(call.store.policy.where, call.store.actor, "search"),
            at=dt.datetime.now(dt.UTC),
            queries=queries,
        )


def _find(call: Call, wanted: Spec) -> None:
    """Whoever is named must be there, and in the group if one is asked for: an empty file would say that there is nothing about them."""
    bind = Bindings(call.store.tenant)
    visible = sight(call.store, ["Patient"], bind)
    if not visible:  # whoever may see no patients is not told who is there
        return
    keys = dict(zip(patient_keys(wanted.patients), wanted.patients, strict=True))
    call.store.flush()
    sql = f"select c.rkey from fhir.current c where c.tenant = %(tenant)s and {visible} and c.rkey = any({bind.place(list(keys), '::uuid[]')})"  # noqa: S608
    found = {row[0] for row in call.store.execute(sql, bind.values)}
    if wanted.group:
        found &= set(members(call.store.read("Group", wanted.group).data))
    missing = [f"Patient/{id}" for key, id in keys.items() if key not in found]
    if missing:
        raise BadRequest(f"There is no {', '.join(missing)[:200]} {'in this group' if wanted.group else 'here'}.")


def _too_many(here: House) -> Answer:
    words = f"You have {here.limits.running} exports that are not finished; wait for one, or cancel it."
    return Answer(429, _saying("throttled", words), headers={"Retry-After": "60"})


def _saying(code: str, words: str, severity: str = "error") -> Mapping[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [Issue(code, words, severity=severity).to_fhir()]}


def _request(call: Call) -> str:
    """The address that was asked, as the manifest must repeat it; of a POST without the parameters."""
    path = "/".join(part for part in (call.type, call.id, "$export") if part)
    if call.method == "POST":
        return f"{call.url}/{path}"
    pairs = [(name, value) for name in call.parameters.names for value in call.parameters.all(name) if isinstance(value, str)]
    return f"{call.url}/{path}" + (f"?{urlencode(pairs, safe='/:,')}" if pairs else "")
