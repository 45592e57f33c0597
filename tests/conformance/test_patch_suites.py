"""The official tests of JSON Patch, XML Patch and FHIRPath Patch, every one of them. https://github.com/FHIR/fhir-test-cases"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from openward.fhir.errors import FhirError
from openward.fhir.json import loads
from openward.fhir.patch import json_patch, patch_by_fhirpath, xml_patch
from openward.fhir.xml import from_xml
from tests.conftest import OUTSIDE_DATA, outside

FHIR = "{http://hl7.org/fhir}"


def cases(file: str, read: Callable[[Path], Iterator[Any]]) -> list[Any]:
    """What a file holds, when tests are collected; the one test that skips, and says so, where the file is absent."""
    path = OUTSIDE_DATA / "fhir-patch" / file
    return list(read(path)) if path.exists() else [pytest.param(None, id="absent")]


def json_cases(path: Path) -> Iterator[Any]:
    for number, case in enumerate(loads(b'{"cases":' + path.read_bytes() + b"}")["cases"]):
        yield pytest.param(case, id=f"{number} {case.get('comment', '')}")


def xml_cases(path: Path) -> Iterator[Any]:
    for case in etree.parse(path).getroot().iter("case"):
        yield pytest.param(case, id=case.get("name"))


@pytest.mark.parametrize("case", cases("json-patch-tests.json", json_cases))
def test_json_patch(case: Any) -> None:
    outside("fhir-patch/json-patch-tests.json")
    if "error" in case:
        with pytest.raises(FhirError):
            json_patch.apply(deepcopy(case["doc"]), case["patch"])
    else:
        assert json_patch.is_equal(json_patch.apply(deepcopy(case["doc"]), case["patch"]), case["expected"])


def content(node: Any) -> Any:
    """A node as data, space between elements left out."""
    if not isinstance(node.tag, str):
        return ("comment", node.text)
    namespaces = {prefix: uri for prefix, uri in node.nsmap.items() if prefix}
    parts = [(node.text or "").strip(), *(each for child in node for each in (content(child), (child.tail or "").strip()))]
    return node.tag, dict(node.attrib), namespaces, [part for part in parts if part]


def only(node: Any, name: str) -> Any:
    return deepcopy(next((child for child in node.find(name) if isinstance(child.tag, str)), None))


@pytest.mark.parametrize("case", cases("xml-patch-tests.xml", xml_cases))
def test_xml_patch(case: Any) -> None:
    outside("fhir-patch/xml-patch-tests.xml")

    def patched() -> Any:
        operations = xml_patch.operations_of(etree.tostring(case.find(f"{FHIR}patch")))
        root = only(case, "target")
        return xml_patch.apply(xml_patch.parse(etree.tostring(root) if root is not None else b""), operations)

    if case.find("error") is not None:
        with pytest.raises(FhirError):
            patched()
    else:
        assert content(patched()) == content(only(case, "patched"))


@pytest.mark.parametrize("case", cases("fhir-patch-tests.xml", xml_cases))
def test_fhirpath_patch(case: Any) -> None:
    outside("fhir-patch/fhir-patch-tests.xml")
    resource, parameters = (from_xml(etree.tostring(only(case, name))) for name in ("input", "diff"))
    if case.find("error") is not None:
        with pytest.raises(FhirError):
            patch_by_fhirpath(parameters)(resource)
    else:
        assert json_patch.is_equal(patch_by_fhirpath(parameters)(resource), from_xml(etree.tostring(only(case, "output"))))
