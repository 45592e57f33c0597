"""The running server, asked over a real connection: both formats, patches, and files as they are."""

from __future__ import annotations

import os

from openward.fhir.xml import from_xml, to_xml
from tests.conformance.conftest import Surface

PATIENT = {"resourceType": "Patient", "active": True, "name": [{"family": "Okafor", "given": ["Ada"]}]}


def test_a_resource_goes_in_and_out_in_xml(surface: Surface) -> None:
    made = surface("POST", "/Patient", to_xml(PATIENT), content_type="application/fhir+xml")
    assert made.status == 201
    resource = from_xml(made.body)
    assert resource["name"] == PATIENT["name"]
    assert from_xml(surface("GET", f"/Patient/{resource['id']}?_format=xml").body) == surface.json("GET", f"/Patient/{resource['id']}")


def test_a_patch_changes_one_thing(surface: Surface) -> None:
    id = surface.created(PATIENT)["id"]
    change = b'[{"op": "replace", "path": "/active", "value": false}]'
    assert surface.json("PATCH", f"/Patient/{id}", change, content_type="application/json-patch+json")["active"] is False


def test_a_file_comes_back_byte_for_byte(surface: Surface) -> None:
    data = os.urandom(5_000_000)
    made = surface("POST", "/Binary", data, content_type="application/pdf")
    assert made.status == 201
    place = made.headers["location"].partition("/fhir")[2].partition("/_history")[0]
    answer = surface("GET", place, accept="application/pdf")
    assert (answer.headers["content-type"], answer.body == data) == ("application/pdf", True)


def test_the_statement_names_both_formats_and_patch(surface: Surface) -> None:
    statement = from_xml(surface("GET", "/metadata?_format=xml").body)
    assert {"json", "xml"} <= set(statement["format"])
    assert {"code": "patch"} in statement["rest"][0]["resource"][0]["interaction"]
