"""Finding a topic by its url: the built-in ones, and those an installation keeps as Basic resources."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from openward.fhir.definitions import type_number
from openward.fhir.errors import FhirError
from openward.fhir.search.rows import COLUMNS, version_in_part
from openward.fhir.search.token import token_hash
from openward.fhir.subscriptions.terms import Terms
from openward.fhir.subscriptions.topics import BUILT_IN, Topic, from_basic, of_query

FHIR_TYPES = "http://hl7.org/fhir/fhir-types"
OWN = f"""select {COLUMNS} from fhir.current c join fhir.body b using (tenant, rtype, rkey, ver)
  where c.tenant = %(tenant)s and c.rtype = %(rtype)s and c.tok @> array[%(code)s]::bigint[] order by c.rkey limit 1000"""  # noqa: S608


def kept_topics(connection: Connection[Any], tenant: int) -> dict[str, Topic]:
    """The topics kept as Basic resources, by their ids; what cannot be read as one is left out, its writer was told."""
    given = {"tenant": tenant, "rtype": type_number("Basic"), "code": token_hash("code", FHIR_TYPES, "SubscriptionTopic")}
    found = {}
    for row in Cursor(connection, row_factory=tuple_row).execute(OWN.encode(), given).fetchall():
        version = version_in_part(row)
        try:
            found[version.id] = from_basic(version.content)
        except FhirError:
            continue
    return found


def topic(connection: Connection[Any], tenant: int, url: str) -> Topic | None:
    if url in BUILT_IN:
        return BUILT_IN[url]
    return next((one for one in kept_topics(connection, tenant).values() if one.url == url), None)


def topic_of(connection: Connection[Any], tenant: int, terms: Terms) -> Topic | None:
    """What a subscription is about."""
    if terms.is_plain:
        type, _, query = terms.criteria.partition("?")
        return of_query(type, query)
    return topic(connection, tenant, terms.criteria)
