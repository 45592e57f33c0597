"""FHIR vread: one version of one resource.

https://hl7.org/fhir/R4/http.html#vread
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openward.fhir.errors import Gone
from openward.fhir.interactions.seeing import STANDING, address, refuse_missing, visible, watched
from openward.fhir.search.rows import COLUMNS
from openward.fhir.versions import Version

if TYPE_CHECKING:
    from openward.fhir.store import Store


def vread(store: Store, type: str, id: str, version: int) -> Version:
    """The version as it was stored; the policy decides by the resource as it stands now. Raises NotFound and Gone (for the version that deletes)."""
    params = {**address(store, type, id), "ver": version}
    where = visible(store, "vread", type, id)
    select = f"""select {COLUMNS} from {STANDING} join fhir.body b using (tenant, rtype, rkey)
      where b.ver = %(ver)s and ({where.sql})"""  # noqa: S608
    versions = watched(store, select, params, where=where, interaction="vread", type=type)
    if not versions:
        raise refuse_missing(store, "vread", type, id, where, f"{id}/_history/{version}")
    if versions[0].deleted:
        raise Gone(type=type, id=id)
    return versions[0]
