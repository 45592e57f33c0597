"""FHIR capabilities: what this server really supports, generated from the definitions and the code.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from openward import __version__
from openward.fhir.definitions import RESOURCE_TYPES
from openward.fhir.operations.registry import Operation, offered
from openward.fhir.patch import MEDIA_TYPES
from openward.fhir.profiles.packages import supported
from openward.fhir.search.own import OWN
from openward.fhir.search.parameters import plan
from openward.fhir.search.places import COMPARTMENTS
from openward.fhir.search.query import MODIFIERS
from openward.fhir.subscriptions.terms import BACKPORT
from openward.fhir.subscriptions.topics import BUILT_IN
from openward.fhir.virtual import VIRTUAL, VirtualType

RELEASED = "2026-11-22"
INTERACTIONS = ("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type")
# Parameters of searches of every type, with the SearchParameter that defines them where R4 has one.
EVERYWHERE: Mapping[str, tuple[str, str | None]] = {
    "_text": ("string", "http://hl7.org/fhir/SearchParameter/DomainResource-text"),
    "_content": ("string", "http://hl7.org/fhir/SearchParameter/Resource-content"),
    "_list": ("special", None),
    "_has": ("special", None),
    "_type": ("special", None),
}
REFERENCE_POLICY = ("literal", "logical")
# What the guides want a server to say that keeps them (Inferno asks for US Core's), and by what a client finds the topics to subscribe to.
# https://hl7.org/fhir/uv/bulkdata/export.html, https://hl7.org/fhir/uv/subscriptions-backport/components.html#subscription-topics-in-r4
INSTANTIATES = (
    "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server",
    "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data",
    "http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4",
)
TOPIC = BACKPORT + "capabilitystatement-subscriptiontopic-canonical"


def capabilities(url: str, security: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The CapabilityStatement of the server at `url` (its FHIR base, without a trailing slash); `security` is what it says of how clients sign in."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "instantiates": list(INSTANTIATES),
        "software": {"name": "Openward", "version": __version__},
        "implementation": {"description": "Openward FHIR R4 record", "url": url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json", "application/fhir+xml", "xml"],
        "patchFormat": [*MEDIA_TYPES, "application/fhir+json", "application/fhir+xml"],
        "rest": [{**_rest(), "security": security} if security else _rest()],
    }


@cache
def _rest() -> dict[str, Any]:
    return {
        "mode": "server",
        "security": {"cors": False, "description": "A bearer token (RFC 6750) on every request; what the token may not see does not exist."},
        "resource": [_resource(type) for type in RESOURCE_TYPES],
        "interaction": [{"code": code} for code in ("transaction", "batch", "history-system", "search-system")],
        "searchParam": [_described(code, type, url) for code, (type, url) in EVERYWHERE.items()],
        "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name[0].lower()}{name[1:]}" for name in COMPARTMENTS],
        "documentation": _modifiers(),
        **_operations(None),
    }


def _operations(type: str | None) -> dict[str, Any]:
    described = [_operation(operation) for operation in offered(type)]
    return {"operation": described} if described else {}


def _operation(operation: Operation) -> dict[str, Any]:
    return {"name": operation.name, "definition": operation.url}


def _virtual(virtual: VirtualType) -> dict[str, Any]:
    known = plan(virtual.type).parameters
    searches = [_described(code, type, getattr(known.get(code), "url", None)) for code, type in virtual.parameters.items()]
    return {
        "type": virtual.type,
        "documentation": virtual.documentation,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": searches,
        **_operations(virtual.type),
    }


def _resource(type: str) -> dict[str, Any]:
    if type in VIRTUAL:
        return _virtual(VIRTUAL[type])
    parameters = plan(type).parameters
    described: dict[str, Any] = {
        "type": type,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": list(REFERENCE_POLICY),
    }
    described["supportedProfile"] = list(supported(type))
    if type == "Subscription":
        described["supportedProfile"].append(BACKPORT + "backport-subscription")
        described["extension"] = [{"url": TOPIC, "valueCanonical": url} for url in BUILT_IN]
    includes = [f"{type}:{code}" for code, parameter in sorted(parameters.items()) if parameter.type == "reference"]
    described["searchInclude"] = ["*", *includes] if includes else []
    described["searchRevInclude"] = ["*", *pointing] if (pointing := _reverse_includes().get(type, [])) else []
    described["searchParam"] = [_described(code, p.type, p.url) for code, p in sorted(parameters.items()) if getattr(p, "is_ready", True)]
    return {name: value for name, value in {**described, **_operations(type)}.items() if value != []}


def _described(code: str, type: str, url: str | None) -> dict[str, str]:
    return {"name": code, "type": type} | ({"definition": url} if url else {})


def _modifiers() -> str:
    taken = "; ".join(f"{type}: {', '.join(sorted(names))}" for type, names in MODIFIERS.items())
    return f"Search modifiers beside `missing`, which every parameter takes. {taken}, and for references the name of a resource type."


@cache
def _reverse_includes() -> dict[str, list[str]]:
    """Resource type → the reference parameters of any type that may point at it."""
    pointing: dict[str, list[str]] = {}
    for type in (type for type in RESOURCE_TYPES if type not in VIRTUAL):
        for code, parameter in sorted(plan(type).parameters.items()):
            for target in parameter.targets if parameter.type == "reference" else ():
                pointing.setdefault(target, []).append(f"{type}:{code}")
    return pointing


OWN.on_change += [_rest.cache_clear, _reverse_includes.cache_clear]
