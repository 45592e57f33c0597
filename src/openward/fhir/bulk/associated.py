"""The Provenance of what is exported: all that is about resources of patients, or with `includeAssociatedData` all or the latest of each resource exported.

https://hl7.org/fhir/uv/bulkdata/export.html#query-parameters
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from psycopg import ClientCursor, Connection

from openward.fhir.bulk.spec import LATEST, Spec
from openward.fhir.definitions import compartment, type_number
from openward.fhir.search.reference import link_hash

PROVENANCE = "Provenance"
AMONG = "rkey in (select src from pg_temp.associated)"

# Who points at a resource is an edge; the target must be of the export, and the Provenance no younger than it.
FILL = """create temp table associated on commit preserve rows as
  select {distinct} e.src from fhir.edge e join fhir.current p on p.tenant = e.tenant and p.rtype = {provenance} and p.rkey = e.src
  where e.tenant = %(tenant)s and e.stype = {provenance} and e.link = any(%(links)s::bigint[]) and p.last_updated <= %(at)s
    and exists (select from fhir.current t where t.tenant = e.tenant and t.rtype = any(%(types)s::smallint[]) and t.rkey = e.tgt and {target})
  {order}"""


def is_wanted(spec: Spec) -> bool:
    """Whether Provenance comes for the sake of others, and not by being asked for itself."""
    return spec.provenance is not None and PROVENANCE not in spec.types


def is_by_target(spec: Spec, kind: str) -> bool:
    """Whether Provenance is in the export for what it is about, and not for the patient it names itself, which most of it does not.

    What one that was deleted was about is not known any more.
    """
    return is_wanted(spec) or (spec.compartment and kind != "deleted")


def gather(connection: Connection[object], tenant: int, spec: Spec, types: Sequence[str], patients: Sequence[UUID] | None, at: dt.datetime) -> None:
    """Put the keys of the Provenance of `types`, or of all that patients have, into a table of this connection, that AMONG looks into."""
    latest = is_wanted(spec) and spec.provenance == LATEST
    target = "t.patient = any(%(patients)s::uuid[])" if patients is not None else "t.patient is not null" if spec.compartment else "true"
    statement = FILL.format(
        distinct="distinct on (e.tgt)" if latest else "distinct",
        order="order by e.tgt, p.date_lo desc, p.rkey desc" if latest else "",
        provenance=type_number(PROVENANCE),
        target=target,
    )
    others = [type for type in (types if is_wanted(spec) else ("Patient", *compartment("Patient"))) if type != PROVENANCE]
    given = {
        "tenant": tenant,
        "links": [link_hash("target", type) for type in others],
        "types": [type_number(type) for type in others],
        "patients": list(patients or ()),
        "at": at,
    }
    connection.execute("drop table if exists pg_temp.associated")
    _bound(connection, statement, given)


def _bound(connection: Connection[object], statement: str, given: dict[str, object]) -> None:
    """CREATE TABLE AS takes no parameters from the outside, so that they are written into it by the driver."""
    with ClientCursor(connection) as cursor:
        cursor.execute(statement.encode(), given)
