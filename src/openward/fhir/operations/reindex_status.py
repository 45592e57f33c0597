"""`$reindex-status`: how far the indexing by the site's own search parameters is. Ours; FHIR has no word for it.

GET [base]/SearchParameter/$reindex-status
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openward.fhir.operations.registry import Call, operation
from openward.fhir.search.reindex import Progress, progress


@operation("reindex-status", on=("type",), types=("SearchParameter",), needs="read", url="urn:openward:operation:reindex-status")
def reindex_status(call: Call) -> Mapping[str, Any]:
    """A Parameters resource with one `parameter` for each own parameter and resource type."""
    return {"resourceType": "Parameters", "parameter": [_said(one) for one in progress(call.store.connection)]}


def _said(one: Progress) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "url", "valueUri": one.url},
        {"name": "base", "valueCode": one.type},
        {"name": "code", "valueCode": one.code},
        {"name": "state", "valueCode": one.state},
        {"name": "done", "valueInteger": one.done},
        {"name": "total", "valueInteger": one.total},
    ]
    if one.trouble:
        parts.append({"name": "trouble", "valueString": one.trouble})
    return {"name": "parameter", "part": parts}
