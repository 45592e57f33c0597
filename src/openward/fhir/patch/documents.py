"""A patch as it came: in a body of one of three kinds, or in the entry of a bundle. https://hl7.org/fhir/R4/http.html#patch"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from openward.fhir.errors import BadRequest, Malformed
from openward.fhir.json import dumps, loads
from openward.fhir.patch import fhirpath_patch, json_patch

Patch = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Gives the changed resource and leaves the one it was given as it was. Raises PatchFailed and Malformed."""

JSON_PATCH = "application/json-patch+json"
XML_PATCH = "application/xml-patch+xml"
MEDIA_TYPES = (JSON_PATCH, XML_PATCH)


def patch_of(media_type: str, data: bytes) -> Patch:
    """The patch in a body of JSON Patch or XML Patch. Raises Malformed; BadRequest for another media type."""
    if media_type == JSON_PATCH:
        # The checks of a JSON body hold for a patch too, but a body is an object and a patch an array.
        operations = loads(b'{"patch":' + data + b"}")
        if operations.keys() != {"patch"}:
            raise Malformed("A JSON Patch is an array of operations.")
        return partial(_by_json, operations["patch"])
    if media_type == XML_PATCH:
        from openward.fhir.patch import xml_patch  # and lxml, which few ever ask for

        return partial(_by_xml, xml_patch.operations_of(data))
    raise BadRequest(f"A patch is {' or '.join(MEDIA_TYPES)}, not {media_type[:80] or 'of no type'}.")


def patch_by_fhirpath(parameters: Mapping[str, Any]) -> Patch:
    """The patch that Parameters describe. Raises Malformed."""
    if parameters.get("resourceType") != "Parameters":
        raise Malformed("A patch in FHIR's own formats is a Parameters resource.")
    return partial(_by_fhirpath, fhirpath_patch.operations_of(parameters))


def patch_in_entry(resource: Mapping[str, Any]) -> Patch:
    """The patch a bundle's entry carries: Parameters, or a Binary with its content. Raises BadRequest, Malformed."""
    if resource.get("resourceType") == "Parameters":
        return patch_by_fhirpath(resource)
    try:
        data = base64.b64decode("".join(str(resource.get("data", "")).split()), validate=True)
    except ValueError as error:
        raise BadRequest("The data of the Binary is not base64.") from error
    return patch_of(str(resource.get("contentType", "")).partition(";")[0].strip().lower(), data)


def _by_json(operations: Any, resource: Mapping[str, Any]) -> dict[str, Any]:
    changed = json_patch.apply(deepcopy(dict(resource)), operations)
    if not isinstance(changed, dict):
        raise Malformed("What the patch leaves is not a resource.")
    # Written and read again, so that what many operations have piled up is within the limits of any body.
    return loads(dumps(without_empty(changed)))


def _by_xml(operations: Any, resource: Mapping[str, Any]) -> dict[str, Any]:
    from lxml import etree

    from openward.fhir.patch import xml_patch
    from openward.fhir.xml import from_xml, to_xml

    root = xml_patch.apply(xml_patch.parse(to_xml(resource)), operations)
    return from_xml(etree.tostring(root, encoding="utf-8"))


def _by_fhirpath(operations: Any, resource: Mapping[str, Any]) -> dict[str, Any]:
    changed = fhirpath_patch.apply(deepcopy(dict(resource)), deepcopy(operations))
    return loads(dumps(without_empty(changed)))


def without_empty(value: Any) -> Any:
    """FHIR has no empty arrays and objects: taking the last name away leaves no names."""
    if isinstance(value, dict):
        kept = {name: without_empty(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one != [] and one != {}}
    return [without_empty(one) for one in value] if isinstance(value, list) else value
