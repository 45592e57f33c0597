"""FHIR create and conditional create.

https://hl7.org/fhir/R4/http.html#create
https://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openward.fhir.ids import new_id
from openward.fhir.interactions.conditions import only_match
from openward.fhir.interactions.writing import prepare
from openward.fhir.versions import Written

if TYPE_CHECKING:
    from openward.fhir.store import Store


def create(store: Store, resource: Mapping[str, Any], *, if_none_exist: str | None = None) -> Written:
    """Store a new resource under an id of the server's. With `if_none_exist` (a search query) the one that matches is kept instead.

    Raises Invalid, Forbidden, MultipleMatches, and what guards raise.
    """
    type = str(resource.get("resourceType"))
    with store.attempt("create", type):
        if if_none_exist is not None:
            match = only_match(store, type, if_none_exist)
            if match:
                return Written(match, "existing")
        return prepare(store, "create", type, new_id(), resource, None)
