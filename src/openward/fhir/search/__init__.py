"""Search: values out of resources on every write, SQL out of queries on every read. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

from openward.fhir.search.engine import search
from openward.fhir.search.page import Page

__all__ = ["Page", "search"]
