"""GraphQL over the record, as FHIR defines it: queries only. https://hl7.org/fhir/R4/graphql.html

graphql-core reads the query; what it asks is carried out here, over the stored JSON and through the store, so that the policy decides row by row.
"""

from __future__ import annotations

from openward.fhir.graphql.executor import Run
from openward.fhir.graphql.query import Query, QueryError, read_query

__all__ = ["Query", "QueryError", "Run", "read_query"]
