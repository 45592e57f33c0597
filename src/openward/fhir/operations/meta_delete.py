"""FHIR $meta-delete: take profiles, tags and security labels off a resource.

https://hl7.org/fhir/R4/resource-operation-meta-delete.html
"""

from __future__ import annotations

from typing import Any

from openward.fhir.operations.meta import Meta, change, label, listed, profiles
from openward.fhir.operations.registry import Answer, Call, operation


@operation("meta-delete", on=("instance",), needs="update", url="http://hl7.org/fhir/OperationDefinition/Resource-meta-delete", writes=True)
def meta_delete(call: Call) -> Answer:
    """The meta as it is afterwards. Taking off what is not there changes nothing."""
    return change(call, _left)


def _left(meta: dict[str, Any], given: Meta) -> dict[str, Any]:
    named = profiles(given)
    gone = {name: {label(coding) for coding in listed(given, name)} for name in ("security", "tag")}
    kept: dict[str, list[Any]] = {name: [one for one in meta.get(name, []) if label(one) not in labels] for name, labels in gone.items()}
    kept["profile"] = [profile for profile in meta.get("profile", []) if profile not in named]
    rest = {name: value for name, value in meta.items() if name not in kept}
    return rest | {name: values for name, values in kept.items() if values}
