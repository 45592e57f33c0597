"""A SearchParameter that is stored, changed or deleted: what follows for search, in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openward.fhir.errors import Conflict
from openward.fhir.search.own import made_of

if TYPE_CHECKING:
    from openward.fhir.guards import Change
    from openward.fhir.work import UnitOfWork

NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
TAKEN = (
    "select url from fhir.own_parameter where base = %(base)s and code = %(code)s and state <> 'gone' and (url <> %(url)s or tenant <> %(tenant)s)"
)
TELL = f"""insert into fhir.own_parameter as p (tenant, url, base, code, definition, version)
  values (%(tenant)s, %(url)s, %(base)s, %(code)s, %(definition)s, {NOW})
  on conflict (tenant, url, base) do update set code = excluded.code, definition = excluded.definition, version = excluded.version,
    state = 'waiting', told_at = clock_timestamp(), at_tenant = -2147483648, at_key = '00000000-0000-0000-0000-000000000000', done = 0, total = 0,
    trouble = null where p.definition <> excluded.definition or p.state in ('gone', 'failed')"""  # noqa: S608
FORGET = f"""update fhir.own_parameter set state = 'gone', version = {NOW}
  where tenant = %(tenant)s and url = %(url)s and not base = any(%(bases)s) and state <> 'gone'"""  # noqa: S608


def tell(change: Change, work: UnitOfWork) -> bool:
    """Keep what the parameter searches by up with the resource; True when something is to be indexed. To be called by a guard of SearchParameter.

    Only an active parameter is searched by, and only for types that have none of that code already. Raises Invalid for one that cannot be
    indexed, Conflict where another parameter has its code.
    """
    before = change.before.data if change.before else None
    new = None if change.interaction == "delete" else change.resource.data
    added = made_of(new) if new and _is_live(new) else []
    url = str((new or change.resource.data).get("url", ""))
    connection, facts = work.connection, {"tenant": work.tenant, "url": url}
    if before and before.get("url") != url:
        connection.execute(FORGET.encode(), {**facts, "url": before.get("url", ""), "bases": []})
    connection.execute(FORGET.encode(), {**facts, "bases": [parameter.base for parameter in added]})
    for parameter in added:
        named = {**facts, "base": parameter.base, "code": parameter.code}
        if taken := connection.execute(TAKEN, named).fetchone():
            raise Conflict(f"{parameter.base} is already searched by {parameter.code}, which {next(iter(_values(taken)))} defines.")
        connection.execute(TELL.encode(), {**named, "definition": json.dumps(_needed(new or {}), sort_keys=True)})
    return bool(added)


def _is_live(definition: Mapping[str, Any]) -> bool:
    return definition.get("status") == "active" and bool(definition.get("expression"))


def _needed(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: definition[name] for name in ("url", "code", "type", "base", "target", "expression") if name in definition}


def _values(row: Any) -> list[Any]:
    return list(row.values()) if isinstance(row, Mapping) else list(row)
