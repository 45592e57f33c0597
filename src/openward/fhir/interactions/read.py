"""FHIR read: the current version of one resource.

https://hl7.org/fhir/R4/http.html#read
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from openward.fhir.ids import key as key_of
from openward.fhir.interactions.seeing import address, known_type, refuse_missing, visible, watched
from openward.fhir.search.rows import COLUMNS
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store

# For who may see all of the type: the newest version, unless it is a deletion; the search row has nothing to add.
NEWEST = f"""select {COLUMNS} from (
    select * from fhir.body where tenant = %(tenant)s and rtype = %(rtype)s and rkey = %(rkey)s order by ver desc limit 1) b
  where b.op <> 'D'"""  # noqa: S608


@lru_cache(maxsize=1000)
def _newest_seen(type: str, policy: str) -> str:
    """The same, if the row by which the policy decides is there and may be seen; that of a deleted resource is gone.

    The type's number stands in the statement, so that its plan knows the one partition and can be kept.
    """
    return f"""select {COLUMNS} from fhir.body b
      where b.tenant = %(tenant)s and b.rtype = {known_type(type)} and b.rkey = %(rkey)s and exists (
        select from fhir.current c where c.tenant = %(tenant)s and c.rtype = {known_type(type)} and c.rkey = %(rkey)s and ({policy}))
      order by b.ver desc limit 1"""  # noqa: S608


def _select(type: str, key: str, policy: str) -> str:
    return f"""select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
      where c.tenant = %(tenant)s and c.rtype = {known_type(type)} and c.rkey = {key} and ({policy})"""  # noqa: S608


def read(store: Store, type: str, id: str) -> Version:
    """One statement: policy, body and audit. Raises NotFound, also for what the actor may not see, and Gone."""
    params = address(store, type, id)
    where = visible(store, "read", type, id)
    select = NEWEST if where.everything else _newest_seen(type, where.sql)
    versions = watched(store, select, params, where=where, interaction="read", type=type)
    if not versions:
        raise refuse_missing(store, "read", type, id, where)
    return versions[0]


def read_many(store: Store, wanted: Iterable[tuple[str, str]]) -> list[Version]:
    """The current versions of the wanted (type, id) pairs, in their order; one statement a type. What is missing or not to be seen is left out."""
    pairs = [(type, key_of(type, id)) for type, id in wanted]
    found: dict[tuple[str, object], Version] = {}
    for type in dict.fromkeys(type for type, _ in pairs):
        where = store.policy.where(store.actor, "read", type)
        if where is None:
            continue
        params = {"tenant": store.tenant, "rkeys": list({key for named, key in pairs if named == type})}
        select = _select(type, "any(%(rkeys)s::uuid[])", where.sql)
        found.update({(type, v.key): v for v in watched(store, select, params, where=where, interaction="read", type=type, many=True)})
    return [found[pair] for pair in dict.fromkeys(pairs) if pair in found]
