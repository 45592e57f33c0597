"""`$reindex-status`: how far the indexing by the site's own search parameters is. Ours; FHIR has no word for it.

GET [base]/SearchParameter/$reindex-status
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.operations.registry import Call, operation
from openward.fhir.search.reindex import Progress, progress

# The numbers are of the whole installation, and what another tenant has is nobody else's business.
OTHERS = (
    """select exists (select from fhir.current c where c.tenant < %(tenant)s) or exists (select from fhir.current c where c.tenant > %(tenant)s)"""
)


@operation("reindex-status", on=("type",), types=("SearchParameter",), needs="read", url="urn:openward:operation:reindex-status")
def reindex_status(call: Call) -> Mapping[str, Any]:
    """A Parameters resource with one `parameter` for each own parameter and resource type. How many resources there are is told to an only tenant."""
    row = call.store.execute(OTHERS, {"tenant": call.store.tenant}).fetchone()
    alone = row is not None and not row[0]
    return {"resourceType": "Parameters", "parameter": [_said(one, alone) for one in progress(call.store.connection)]}


def _said(one: Progress, alone: bool) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "url", "valueUri": one.url},
        {"name": "base", "valueCode": one.type},
        {"name": "code", "valueCode": one.code},
        {"name": "state", "valueCode": one.state},
        {"name": "percent", "valueInteger": 100 * one.done // one.total if one.total else 0},
    ]
    if alone:
        parts += [{"name": "done", "valueInteger": one.done}, {"name": "total", "valueInteger": one.total}]
    if one.trouble:
        parts.append({"name": "trouble", "valueString": one.trouble})
    return {"name": "parameter", "part": parts}
