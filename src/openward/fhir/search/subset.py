"""`_summary` and `_elements`: less of a resource, marked SUBSETTED. https://hl7.org/fhir/R4/search.html#summary"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from openward.fhir.definitions import element, has_structure
from openward.fhir.json import dumps
from openward.fhir.versions import Version

ALWAYS = frozenset({"resourceType", "id", "meta"})
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED", "display": "subsetted"}


def shortened(versions: Sequence[Version], summary: str, elements: Sequence[str]) -> list[Version]:
    """The versions with only what was asked for; mandatory elements always stay."""
    if not elements and summary in ("false", "count"):
        return list(versions)
    return [replace(version, text=dumps(_shorten(version.content, version.type, summary, elements)).decode()) for version in versions]


def _shorten(content: Mapping[str, Any], type: str, summary: str, elements: Sequence[str]) -> dict[str, Any]:
    kept = _elements(content, type, elements) if elements else SHAPES[summary](content, type)
    meta = dict(kept.get("meta") or content.get("meta") or {})
    meta["tag"] = [*meta.get("tag", ()), SUBSETTED]
    return {"resourceType": type, **kept, "meta": meta}


def _elements(content: Mapping[str, Any], type: str, names: Sequence[str]) -> dict[str, Any]:
    wanted = {name.removeprefix(f"{type}.").partition(".")[0] for name in names} | _mandatory(type)
    return _keep(content, type, wanted)


def _keep(content: Mapping[str, Any], type: str, names: set[str] | frozenset[str]) -> dict[str, Any]:
    table = element(type)
    keys = ALWAYS | {key for name in names if name in table for key in table[name].keys}
    if any(name not in table for name in names):  # or of a choice just the one type: valueQuantity
        keys |= {key for e in table.values() for key in e.keys if key in names}
    return {key: value for key, value in content.items() if key.removeprefix("_") in keys}


@cache
def _mandatory(type: str) -> frozenset[str]:
    return frozenset(name for name, e in element(type).items() if e.min > 0)


def _text(content: Mapping[str, Any], type: str) -> dict[str, Any]:
    return _keep(content, type, {"text", *_mandatory(type)})


def _data(content: Mapping[str, Any], type: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "text"}


def _summary(content: Mapping[str, Any], type: str) -> dict[str, Any]:
    """Elements marked as summary, at every level; of a type without any such mark, everything."""
    table = element(type)
    if not any(e.is_summary for e in table.values()):
        return dict(content)
    keys = {key: datatype for e in table.values() if e.is_summary or e.min > 0 for key, datatype in e.keys.items()}
    kept: dict[str, Any] = {}
    for key, value in content.items():
        name = key.removeprefix("_")
        if name in keys or key in ALWAYS:
            kept[key] = _deeper(value, keys.get(name, ""))
    return kept


def _deeper(value: Any, datatype: str) -> Any:
    """Only backbone elements hold elements outside the summary; data types are in it whole."""
    if "." not in datatype or not has_structure(datatype):
        return value
    if isinstance(value, list):
        return [_summary(one, datatype) if isinstance(one, dict) else one for one in value]
    return _summary(value, datatype) if isinstance(value, dict) else value


SHAPES = {"true": _summary, "text": _text, "data": _data}
