"""FHIR $meta-add: add profiles, tags and security labels to a resource.

https://hl7.org/fhir/R4/resource-operation-meta-add.html
"""

from __future__ import annotations

from typing import Any

from openward.fhir.operations.meta import Meta, change, label, listed, profiles
from openward.fhir.operations.registry import Answer, Call, operation


@operation("meta-add", on=("instance",), needs="update", url="http://hl7.org/fhir/OperationDefinition/Resource-meta-add", writes=True)
def meta_add(call: Call) -> Answer:
    """The meta as it is afterwards. What is there already is not added twice."""
    return change(call, _added)


def _added(meta: dict[str, Any], given: Meta) -> dict[str, Any]:
    named = list(dict.fromkeys([*meta.get("profile", []), *profiles(given)]))
    labels = {name: _union(meta.get(name, []), listed(given, name)) for name in ("security", "tag")}
    return meta | {name: values for name, values in {"profile": named, **labels}.items() if values}


def _union(standing: list[Any], new: list[Any]) -> list[Any]:
    """A label given again takes the place of the old one: its display may have changed."""
    return list(({label(coding): coding for coding in standing} | {label(coding): coding for coding in new}).values())
