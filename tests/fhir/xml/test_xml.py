from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openward.fhir.errors import Malformed, TooCostly
from openward.fhir.json import dumps, loads
from openward.fhir.xml import from_xml, to_xml

DIV = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class='x'>1 &lt; 2 &#160;<br></br> > </p></div>"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "_id": {"extension": [{"url": "urn:x", "valueBoolean": True}]},
    "meta": {"profile": ["http://a", "http://b"], "tag": [{"system": "urn:t", "code": "released"}]},
    "text": {"status": "generated", "div": DIV},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "A & B <\"'>"}, {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}],
    "name": [
        {
            "id": "n1",
            "family": "Null",
            "_family": {"id": "f1"},
            "given": ["Ann", None, "Bea"],
            "_given": [None, {"extension": [{"url": "urn:y"}]}, None],
        },
        {"_given": [{"extension": [{"url": "urn:z", "valueDecimal": Decimal("1.50")}]}]},
    ],
    "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "address": [{"text": "line one\nline two\ttab\r"}],
}


def xml(inside: str, type: str = "Patient", attributes: str = "") -> bytes:
    return f'<{type} xmlns="http://hl7.org/fhir"{attributes}>{inside}</{type}>'.encode()


def same(one: Any, other: Any) -> bool:
    """Equal, digit for digit: 1.0 and 1.00 differ."""

    def sorted_(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: sorted_(value[name]) for name in sorted(value)}
        return [sorted_(one) for one in value] if isinstance(value, list) else value

    return dumps(sorted_(one)) == dumps(sorted_(other))


class TestThereAndBack:
    @pytest.mark.parametrize("pretty", [False, True])
    def test_a_resource_comes_back_as_it_was(self, pretty: bool) -> None:
        assert same(from_xml(to_xml(PATIENT, pretty=pretty)), PATIENT)

    @pytest.mark.parametrize("digits", ["1.0", "1.00", "-0.010", "1E-22", "1E+3", "7", "-12", "123456789012345678901234567890"])
    def test_a_decimal_keeps_its_digits(self, digits: str) -> None:
        resource = loads(f'{{"resourceType":"Observation","valueQuantity":{{"value":{digits}}}}}')
        assert f'<value value="{digits}"/>'.encode() in to_xml(resource)
        assert same(from_xml(to_xml(resource)), resource)

    def test_resources_stand_in_the_entries_of_a_bundle(self) -> None:
        bundle = {
            "resourceType": "Bundle",
            "type": "batch-response",
            "entry": [
                {"resource": {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="}},
                {"response": {"status": "404", "outcome": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}}},
            ],
        }
        assert same(from_xml(to_xml(bundle)), bundle)

    def test_elements_go_out_in_the_order_of_the_specification(self) -> None:
        written = to_xml({"birthDate": "2000", "active": True, "resourceType": "Patient", "id": "1", "identifier": [{"value": "v", "use": "old"}]})
        assert written == (
            b'<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="1"/>'
            b'<identifier><use value="old"/><value value="v"/></identifier><active value="true"/><birthDate value="2000"/></Patient>'
        )

    def test_names_only_html_knows_become_numbers(self) -> None:
        resource = {"resourceType": "Patient", "text": {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a&nbsp;&amp;</div>'}}
        assert b"a&#160;&amp;<" in to_xml(resource)

    def test_what_r4_does_not_know_is_not_left_out_in_silence(self) -> None:
        with pytest.raises(Malformed, match=r"Patient\.nickname"):
            to_xml({"resourceType": "Patient", "nickname": "x"})


class TestReading:
    def test_prefixes_comments_and_a_byte_order_mark_do_not_matter(self) -> None:
        body = b"""\xef\xbb\xbf<?xml version="1.0"?><?xml-stylesheet href="x"?><!-- c --><f:Patient xmlns:f="http://hl7.org/fhir"
          xmlns="http://www.w3.org/1999/xhtml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir p.xsd">
          <f:text><f:status value="empty"/><div lang="en">a &lt; <b>b</b><!-- x --></div></f:text><f:active value="true"/></f:Patient>"""
        div = '<div xmlns="http://www.w3.org/1999/xhtml" lang="en">a &lt; <b>b</b></div>'
        assert from_xml(body) == {"resourceType": "Patient", "text": {"status": "empty", "div": div}, "active": True}

    def test_a_narrative_is_kept_letter_for_letter(self) -> None:
        assert from_xml(xml(f'<text><status value="empty"/>{DIV}</text>'))["text"]["div"] == DIV

    @pytest.mark.parametrize(
        ("body", "said", "where"),
        [
            (xml("\n<name><given value='a'/><nick value='x'/></name>"), "Line 2: Patient.name[0].nick is not", "Patient.name[0]"),
            (xml("<active value='true'/><active value='true'/>"), "Patient.active stands twice", "Patient"),
            (xml("<active>true</active>"), "Patient.active holds text", "Patient.active"),
            (xml("<active value='true' colour='red'/>"), "Patient.active has no attribute colour", "Patient.active"),
            (xml("", attributes=" id='x'"), "Patient has no attribute id", None),
            (xml("<contained/>"), "Patient.contained[0] holds no resource", "Patient.contained[0]"),
            (xml("<contained><Basic/><Basic/></contained>"), "Patient.contained[0] holds more than one", "Patient.contained[0]"),
            (xml("<contained><Cat/></contained>"), "<Cat> is not a FHIR R4 resource", "Patient.contained[0]"),
            (xml("", "Cat"), "<Cat> is not a FHIR R4 resource", None),
            (b"<Patient/>", "(namespace none)", None),
            (xml("<text><div>x</div></text>"), "Patient.text.div is not an element", "Patient.text"),
            (xml("<_birthDate value='2000'/>"), "_birthDate is not an element", "Patient"),
            (xml("<name"), "not well-formed", None),
            (xml("&nbsp;"), "not well-formed", None),
            (b"", "not well-formed", None),
        ],
    )
    def test_what_is_not_fhir_is_refused_with_its_place(self, body: bytes, said: str, where: str | None) -> None:
        with pytest.raises(Malformed) as refused:
            from_xml(body)
        assert said in str(refused.value)
        assert refused.value.issues[0].expression == where

    def test_a_wrong_value_is_left_to_validation(self) -> None:
        assert from_xml(xml("<active value='yes'/><multipleBirthInteger value='two'/><birthDate/>")) == {
            "resourceType": "Patient", "active": "yes", "multipleBirthInteger": "two", "birthDate": "",
        }  # fmt: skip


class TestGarbage:
    BILLION = '<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'

    @pytest.mark.parametrize(
        "doctype",
        [BILLION, '<!DOCTYPE p SYSTEM "file:///etc/passwd">', '<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>', "<!DOCTYPE html>"],
    )
    def test_a_document_type_is_not_taken(self, doctype: str) -> None:
        with pytest.raises(Malformed, match="document type"):
            from_xml(doctype.encode() + xml("<active value='&b;'/>"))

    @pytest.mark.parametrize("levels", [40, 500, 20_000])
    def test_nesting_has_an_end(self, levels: int) -> None:
        body = xml("<extension url='x'>" * levels + "</extension>" * levels)
        with pytest.raises(Malformed, match="64 levels"):
            from_xml(body)

    def test_other_encodings_are_refused(self) -> None:
        for body in (xml("<name value='\xe9'/>").decode().encode("latin-1"), xml("").decode().encode("utf-16")):
            with pytest.raises(Malformed):
                from_xml(body)
        with pytest.raises(Malformed, match="UTF-8"):
            from_xml(b'<?xml version="1.0" encoding="ISO-8859-1"?>' + xml(""))

    def test_the_body_has_a_limit(self) -> None:
        with pytest.raises(TooCostly):
            from_xml(xml(""), limit=10)

    def test_numbers_of_absurd_size_stay_text(self) -> None:
        read = from_xml(xml("<valueQuantity><value value='1e999999'/></valueQuantity>", "Observation"))
        assert read["valueQuantity"]["value"] == "1e999999"
