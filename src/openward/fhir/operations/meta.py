"""FHIR $meta: the profiles, tags and security labels of a resource, or those in use on a type or the whole system.

https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.errors import BadRequest, TooCostly
from openward.fhir.ids import key as key_of
from openward.fhir.interactions.read import read
from openward.fhir.interactions.update import replace
from openward.fhir.interactions.writing import lock
from openward.fhir.operations.members import sight
from openward.fhir.operations.registry import Answer, Call, operation
from openward.fhir.search.parameters import number
from openward.fhir.search.sql import Bindings

MOST = 50_000  # labelled resources looked at for a type or the system
LABELS = ("_profile", "_tag", "_security")
Meta = Mapping[str, Any]

IN_USE = """with labelled as materialized (
    select c.rtype, c.rkey, c.ver from fhir.current c where c.tenant = %(tenant)s and {visible} and c.has && {labels} limit {limit}),
  metas as (select b.body::jsonb -> 'meta' as meta from labelled c join fhir.body b on b.tenant = %(tenant)s
    and b.rtype = c.rtype and b.rkey = c.rkey and b.ver = c.ver)
  select 'count', null, null, (select count(*) from labelled)
  union all select distinct 'profile', null, x, 0 from metas, jsonb_array_elements_text(meta -> 'profile') x
  union all select distinct 'tag', x ->> 'system', x ->> 'code', 0 from metas, jsonb_array_elements(meta -> 'tag') x
  union all select distinct 'security', x ->> 'system', x ->> 'code', 0 from metas, jsonb_array_elements(meta -> 'security') x"""


@operation("meta", on=("system", "type", "instance"), url="http://hl7.org/fhir/OperationDefinition/Resource-meta")
def meta(call: Call) -> Answer:
    """Parameters with the meta as `return`."""
    if call.type and call.id:
        version = read(call.store, call.type, call.id)
        return answer(version.content.get("meta", {}), (version.patient,) if version.patient else ())
    return answer(_in_use(call))


def answer(meta: Meta, patients: tuple[Any, ...] = ()) -> Answer:
    return Answer(resource={"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": dict(meta)}]}, patients=patients)


def _in_use(call: Call) -> Meta:
    bind = Bindings(call.store.tenant)
    visible = sight(call.store, [call.type] if call.type else RESOURCE_TYPES, bind)
    if not visible:
        return {}
    labels = bind.place([number(label) for label in LABELS], "::int[]")
    call.store.flush()
    found = call.store.execute(IN_USE.format(visible=visible, labels=labels, limit=bind.place(MOST + 1)), bind.values).fetchall()
    if any(count > MOST for *_, count in found):
        raise TooCostly(f"More than {MOST:,} resources have labels; ask for one type, or search by _tag, _security or _profile.")
    profiles = sorted(value for kind, _, value, _ in found if kind == "profile")
    return {
        name: values for name, values in (("profile", profiles), ("security", _codings(found, "security")), ("tag", _codings(found, "tag"))) if values
    }


def _codings(found: Any, wanted: str) -> list[dict[str, str]]:
    pairs = sorted((system or "", code or "") for kind, system, code, _ in found if kind == wanted)
    return [{name: text for name, text in (("system", system), ("code", code)) if text} for system, code in pairs]


def change(call: Call, edit: Callable[[dict[str, Any], Meta], dict[str, Any]]) -> Answer:
    """Store the resource with its meta edited by what the call's `meta` says. Raises NotFound, Gone, BadRequest.

    A new version, as every change here: what is on record is never altered.
    """
    given = call.parameters.value("meta")
    if not isinstance(given, dict) or not call.type or not call.id:
        raise BadRequest("The parameter meta is missing: a Meta with profile, tag or security.")
    read(call.store, call.type, call.id)
    address = call.type, key_of(call.type, call.id)
    with call.store.attempt("update", *address):
        before = lock(call.store, [address])[address]
        content = before.content
        written = replace(call.store, call.type, call.id, {**content, "meta": edit(dict(content.get("meta", {})), given)}, before, None)
    version = written.version
    return answer(version.content["meta"], (version.patient,) if version.patient else ())


def label(coding: Any) -> tuple[str, str]:
    """What makes two tags or two labels the same."""
    if not isinstance(coding, dict):
        raise BadRequest("A tag or security label is a Coding.")
    return str(coding.get("system", "")), str(coding.get("code", ""))


def profiles(meta: Meta) -> list[str]:
    values = listed(meta, "profile")
    if not all(isinstance(value, str) for value in values):
        raise BadRequest("A profile is named by its url.")
    return values


def listed(meta: Meta, name: str) -> list[Any]:
    values = meta.get(name, [])
    if not isinstance(values, list):
        raise BadRequest(f"meta.{name} is not a list.")
    return values
