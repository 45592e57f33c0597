"""User-access brands: how patients' apps find this practice by its name. https://hl7.org/fhir/smart-app-launch/brands.html"""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from openward.access.actor import Actor
from openward.fhir.resources import Location, Organization
from openward.record import open_store
from openward.smart.context import Asking

PORTAL = "http://hl7.org/fhir/StructureDefinition/organization-portal"
FHIR_VERSION = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"
CONNECTION_TYPE = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
FACILITIES_AT_MOST = 200


def bundle(asking: Asking) -> dict[str, Any]:
    """The Bundle of this practice: itself, and the endpoint its patients' apps connect to. Only what stands on its door: no data of patients."""
    endpoint = _endpoint(asking)
    entries = [_entry(asking, resource) for resource in (_brand(asking, endpoint), endpoint)]
    return {"resourceType": "Bundle", "type": "collection", "timestamp": timezone.now().isoformat(timespec="seconds"), "entry": entries}


def _brand(asking: Asking, endpoint: dict[str, Any]) -> dict[str, Any]:
    name, addresses = _practice()
    portal = {
        "url": PORTAL,
        "extension": [
            {"url": "portalName", "valueString": f"{name}: patient portal"},
            {"url": "portalUrl", "valueUrl": f"{asking.origin}/"},
            {"url": "portalEndpoint", "valueReference": {"reference": f"Endpoint/{endpoint['id']}"}},
        ],
    }
    return {
        "resourceType": "Organization",
        "id": _id(asking, "brand"),
        "extension": [portal],
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": asking.origin}],
        "active": True,
        "name": name,
        "telecom": [{"system": "url", "value": f"{asking.origin}/"}],
        **({"address": addresses} if addresses else {}),
        "endpoint": [{"reference": f"Endpoint/{endpoint['id']}"}],
    }


def _practice() -> tuple[str, list[Any]]:
    """The organisation that the facilities belong to, and where they are."""
    store = open_store(Actor.system("user-access brands", tenant=1))
    facilities = [one for one in store.search(Location, {"_count": FACILITIES_AT_MOST}).resources if not one.partOf and one.status != "inactive"]
    managing = next((one.managingOrganization.target_id for one in facilities if one.managingOrganization), None)
    owner = store.read(Organization, str(managing)) if managing else None
    addresses = [one.address.data for one in facilities if one.address]
    return (owner.name if owner and owner.name else "Openward"), addresses


def _endpoint(asking: Asking) -> dict[str, Any]:
    return {
        "resourceType": "Endpoint",
        "id": _id(asking, "endpoint"),
        "extension": [{"url": FHIR_VERSION, "valueCode": "4.0.1"}],
        "status": "active",
        "connectionType": {"system": CONNECTION_TYPE, "code": "hl7-fhir-rest"},
        "name": "FHIR R4, SMART App Launch",
        "contact": [{"system": "url", "value": f"{asking.origin}/"}],
        "payloadType": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none"}]}],
        "address": asking.issuer,
    }


def _entry(asking: Asking, resource: dict[str, Any]) -> dict[str, Any]:
    return {"fullUrl": f"{asking.issuer}/{resource['resourceType']}/{resource['id']}", "resource": resource}


def _id(asking: Asking, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{asking.origin}/{what}"))
