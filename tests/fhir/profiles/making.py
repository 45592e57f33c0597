"""Small profiles for tests, as StructureDefinitions."""

from __future__ import annotations

from typing import Any

import msgspec

from openward.fhir.errors import Issue
from openward.fhir.profiles import Catalogue, validate
from openward.fhir.profiles.merging import with_ids
from openward.fhir.profiles.packages import Guide, encode
from openward.fhir.profiles.reduction import reduce

URL = "http://example.org/StructureDefinition/"


def definition(name: str, type: str, *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A profile whose elements are those named: a differential."""
    return {
        "resourceType": "StructureDefinition",
        "url": URL + name,
        "version": "1.0",
        "name": name.title(),
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": type,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{type}",
        "derivation": "constraint",
        "differential": {"element": [{"path": type}, *elements]},
        **more,
    }


def element(path: str, **more: Any) -> dict[str, Any]:
    slice = {"sliceName": more.pop("slice")} if "slice" in more else {}
    return {"path": path, **slice, **more}


def sliced(path: str, *by: tuple[str, str], rules: str = "open", ordered: bool = False) -> dict[str, Any]:
    return {"path": path, "slicing": {"discriminator": [{"type": kind, "path": at} for kind, at in by], "rules": rules, "ordered": ordered}}


def catalogue(*definitions: dict[str, Any], codes: dict[str, Any] | None = None) -> Catalogue:
    profiles = [reduce(one, "test#1", with_ids(one["differential"]["element"])) for one in definitions]
    return Catalogue([Guide("test#1", {one.url: msgspec.Raw(encode(one)) for one in profiles}, codes or {})])


def found(resource: dict[str, Any], *definitions: dict[str, Any], codes: dict[str, Any] | None = None, severity: str = "error") -> list[str]:
    """Where the first of the definitions finds errors in a resource."""
    return [str(issue.expression) for issue in issues(resource, *definitions, codes=codes) if issue.severity == severity]


def issues(resource: dict[str, Any], *definitions: dict[str, Any], codes: dict[str, Any] | None = None) -> list[Issue]:
    return validate(resource, [definitions[0]["url"]], catalogue=catalogue(*definitions, codes=codes))
