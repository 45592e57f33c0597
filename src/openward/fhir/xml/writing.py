"""A resource as XML, its elements in the order of the specification. https://hl7.org/fhir/R4/xml.html"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from html.entities import name2codepoint
from itertools import zip_longest
from typing import Any

from openward.fhir.errors import Malformed
from openward.fhir.xml.elements import FHIR, Place, places

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
# A line break in an attribute would be read back as a space, so it goes as a character reference.
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})
TO_ESCAPE = re.compile('[&<>"\t\n\r]')
# https://www.w3.org/TR/xml/#charsets
MANY = 20_000  # pieces
NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# XML knows five names; narrative may use any of HTML's.
NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]*);")


def to_xml(resource: Mapping[str, Any], *, pretty: bool = False) -> bytes:
    """The resource in UTF-8; decimals as `Decimal` keep their digits. Raises Malformed for what XML or R4 has no way to say."""
    writer = _Writer(pretty)
    writer.resource(resource, "", "")
    return DECLARATION.encode() + writer.text()


class _Writer:
    """Collects the parts. `line` is what starts a new line, with its indent; empty unless it is to be pretty."""

    def __init__(self, pretty: bool) -> None:
        self.parts: list[str] = []
        self.written: list[bytes] = []
        self.first, self.step = ("\n", "  ") if pretty else ("", "")

    def text(self) -> bytes:
        self.pack()
        return b"".join(self.written)

    def pack(self) -> None:
        """Thousands of small texts become one: a Bundle has as many as all its entries."""
        text = "".join(self.parts)
        if NO_CHARACTERS.search(text):
            raise Malformed("The resource holds a character that XML has no way to write.")
        self.written.append(text.encode())
        self.parts.clear()

    def resource(self, data: Mapping[str, Any], line: str, path: str) -> None:
        type = data.get("resourceType")
        try:
            table = places(str(type))
        except KeyError as error:
            raise Malformed(f"{path or 'The resource'} is not of an R4 type.") from error
        self.element(f"{type}", f' xmlns="{FHIR}"' if not path else "", table, data, line or self.first, path or f"{type}")
        if len(self.parts) > MANY:
            self.pack()

    def element(self, name: str, attributes: str, table: Mapping[str, Place], data: Mapping[str, Any], line: str, path: str) -> None:
        inside: list[Place] = []
        for key, value in data.items():
            place = table.get(key)
            if place is None:
                if key == "resourceType":
                    continue
                raise Malformed(f"{path}.{key} is not an element of R4.")
            if place.kind == "attribute":
                attributes += f' {key}="{escaped(value)}"'
            elif key[0] != "_" or place.key not in data:
                inside.append(place)
        if not inside:
            self.parts.append(f"{line}<{name}{attributes}/>")
            return
        inside.sort(key=_rank)
        self.parts.append(f"{line}<{name}{attributes}>")
        for place in inside:
            self.inside(place, data, line + self.step, f"{path}.{place.key}")
        self.parts.append(f"{line}</{name}>")

    def inside(self, place: Place, data: Mapping[str, Any], line: str, path: str) -> None:
        value = data.get(place.key)
        if place.kind == "primitive":
            self.primitives(place, value, data.get("_" + place.key), line, path)
        elif place.kind == "xhtml":
            self.parts.append(line + NAMED.sub(_by_number, str(value)))
        else:
            for one in value if isinstance(value, list) else (value,):
                self.object(place, one, line, path)

    def object(self, place: Place, value: Any, line: str, path: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{path} is not an object.")
        if place.kind == "complex":
            self.element(place.key, "", places(place.type), value, line, path)
            return
        self.parts.append(f"{line}<{place.key}>")
        self.resource(value, line + self.step, path)
        self.parts.append(f"{line}</{place.key}>")

    def primitives(self, place: Place, value: Any, twin: Any, line: str, path: str) -> None:
        if isinstance(value, list) or isinstance(twin, list):
            for one, its in zip_longest(value or (), twin or ()):
                self.primitive(place, one, its, line, path)
        else:
            self.primitive(place, value, twin, line, path)

    def primitive(self, place: Place, value: Any, twin: Any, line: str, path: str) -> None:
        attribute = "" if value is None else f' value="{escaped(value)}"'
        if twin is None:
            self.parts.append(f"{line}<{place.key}{attribute}/>")
        else:
            self.element(place.key, attribute, places("Element"), twin, line, path)


def escaped(value: Any) -> str:
    """A primitive value as the text of an attribute."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return value.translate(ESCAPES) if TO_ESCAPE.search(value) else value
    if isinstance(value, int | Decimal):
        return str(value)
    raise Malformed("The resource holds an array or an object where a single value belongs.")


def _rank(place: Place) -> int:
    return place.index


def _by_number(entity: re.Match[str]) -> str:
    code = name2codepoint.get(entity[1])
    return f"&#{code};" if code else entity[0]
