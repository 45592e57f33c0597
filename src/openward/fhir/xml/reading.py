"""A resource out of XML, as the JSON it would have been. https://hl7.org/fhir/R4/xml.html

Read by expat, which tells the place of every byte, so that a narrative is kept as it was written. No document type is taken: there are
no entities to expand and nothing to fetch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.parsers import expat

from openward.fhir.definitions import is_resource_type
from openward.fhir.errors import Issue, Malformed, TooCostly
from openward.fhir.json import MAX_DEPTH
from openward.fhir.xml.elements import FHIR, XHTML, Kind, Place, places
from openward.fhir.xml.narrative import Narrative, is_plain
from openward.fhir.xml.values import VALUES

XSI = "http://www.w3.org/2001/XMLSchema-instance"
BOM = b"\xef\xbb\xbf"
SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(slots=True)
class Frame:
    """An element that is open. `data` takes its children; of a primitive it is the object that stands beside its `value`."""

    name: str
    kind: Kind
    table: Mapping[str, Place]
    data: dict[str, Any]
    depth: int
    place: Place | None = None
    index: int | None = None
    value: Any = None
    beside: dict[str, list[Any]] = field(default_factory=dict)


def from_xml(body: bytes, *, limit: int | None = None) -> dict[str, Any]:
    """The resource in `body` as parsed JSON, decimals as Decimal with their digits.

    Raises Malformed, with the line and the FHIR path, for what is not one well-formed resource of R4 in UTF-8, for a document type, and for
    more levels than JSON may have; TooCostly when `body` is longer than `limit` bytes.
    """
    if limit is not None and len(body) > limit:
        raise TooCostly(f"The body is {len(body):,} bytes long; at most {limit:,} are taken.")
    data = bytes(body).removeprefix(BOM)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The body is not valid UTF-8.") from error
    return _Reader(data).read()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.source = data
        self.frames: list[Frame] = []
        self.narrative: Narrative | None = None
        self.found: dict[str, Any] | None = None
        self.parser = parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.doctype
        parser.XmlDeclHandler = self.declaration

    def read(self) -> dict[str, Any]:
        try:
            self.parser.Parse(self.source, True)
        except expat.ExpatError as error:
            raise Malformed(f"Line {error.lineno}: the body is not well-formed XML: {expat.errors.messages[error.code]}.") from error
        assert self.found is not None  # a well-formed document has a root, and every root is a resource or refused
        return self.found

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.narrative is not None:
            self.narrative.start(tag, attributes)
            return
        space, _, name = tag.rpartition(" ")
        if not self.frames:
            self.resource(space, name, attributes, 0)
            return
        parent = self.frames[-1]
        if parent.kind == "resource":
            self.carried(parent, space, name, attributes)
            return
        place = parent.table.get(name)
        if place is None or name[0] == "_" or place.kind == "attribute" or space != (XHTML if place.kind == "xhtml" else FHIR):
            self.refuse(f"{self.path}.{name[:80]} is not an element of FHIR here", space)
        self.open(parent, place, attributes)

    def resource(self, space: str, type: str, attributes: Mapping[str, str], depth: int) -> dict[str, Any]:
        if space != FHIR or not is_resource_type(type):
            self.refuse(f"<{type[:80]}> is not a FHIR R4 resource", space)
        data: dict[str, Any] = {"resourceType": type}
        for name in attributes:
            if not name.startswith(XSI):
                self.refuse(f"{type} has no attribute {name[:80]}")
        self.push(Frame(type, "complex", places(type), data, depth + 1))
        return data

    def carried(self, parent: Frame, space: str, type: str, attributes: Mapping[str, str]) -> None:
        """A resource inside `contained`, `resource` or `outcome`."""
        if parent.value is not None:
            self.refuse(f"{self.path} holds more than one resource")
        parent.value = self.resource(space, type, attributes, parent.depth)

    def open(self, parent: Frame, place: Place, attributes: dict[str, str]) -> None:
        index = None
        if place.is_many:
            values = parent.data.setdefault(place.key, [])
            index = len(values)
            values.append(None)
            if place.kind == "primitive":
                parent.beside.setdefault(place.key, []).append(None)
        elif place.key in parent.data or "_" + place.key in parent.data:
            self.refuse(f"{self.path}.{place.key} stands twice")
        if place.kind == "xhtml":
            self.narrative = Narrative(self.parser.CurrentByteIndex, is_plain(self.source, self.parser.CurrentByteIndex))
            self.narrative.start(f"{XHTML} div", attributes)
            return
        type = {"primitive": "Element", "complex": place.type}.get(place.kind)
        table = places(type) if type else {}
        frame = Frame(place.key, place.kind, table, {}, parent.depth + (2 if place.is_many else 1), place, index)
        self.push(frame)
        self.attributes(frame, place, attributes)

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame.depth > MAX_DEPTH:
            self.refuse(f"the body is nested more than {MAX_DEPTH} levels deep")

    def attributes(self, frame: Frame, place: Place, attributes: Mapping[str, str]) -> None:
        for name, text in attributes.items():
            known = frame.table.get(name)
            if name == "value" and place.kind == "primitive":
                frame.value = VALUES[place.type](text) if place.type in VALUES else text
            elif known is not None and known.kind == "attribute":
                frame.data[name] = text
            else:
                self.refuse(f"{self.path} has no attribute {name[:80]}")

    def end(self, tag: str) -> None:
        if self.narrative is not None:
            if self.narrative.end(tag):
                self.frames[-1].data["div"] = self.narrative.text(self.source, self.parser.CurrentByteIndex)
                self.narrative = None
            return
        frame = self.frames[-1]
        for key, beside in frame.beside.items():
            _settle(frame.data, key, beside)
        if frame.kind == "resource" and frame.value is None:
            self.refuse(f"{self.path} holds no resource")
        self.frames.pop()
        if frame.place is not None:
            self.close(self.frames[-1], frame, frame.place)
        elif not self.frames:
            self.found = frame.data

    def close(self, parent: Frame, frame: Frame, place: Place) -> None:
        value = frame.data if frame.kind == "complex" else frame.value
        twin = frame.data or None if frame.kind == "primitive" else None
        if frame.index is not None:
            parent.data[place.key][frame.index] = value
            if frame.kind == "primitive":
                parent.beside[place.key][frame.index] = twin
            return
        if value is not None:
            parent.data[place.key] = value
        if twin is not None:
            parent.data["_" + place.key] = twin
        elif value is None:
            parent.data[place.key] = ""  # `<birthDate/>` says nothing, which validation refuses by its path

    def characters(self, text: str) -> None:
        if self.narrative is not None:
            self.narrative.characters(text)
        elif not SPACE.fullmatch(text):
            self.refuse(f"{self.path} holds text; in FHIR a value is an attribute")

    def doctype(self, *_: object) -> NoReturn:
        self.refuse("a document type is not taken")

    def declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() not in ("UTF-8", "US-ASCII"):
            self.refuse("FHIR in XML is UTF-8")

    @property
    def path(self) -> str:
        """Where the reader stands, such as `Patient.name[0].given[1]`."""
        open = [frame for index, frame in enumerate(self.frames) if index == 0 or frame.place is not None]
        return ".".join(frame.name if frame.index is None else f"{frame.name}[{frame.index}]" for frame in open)

    def refuse(self, said: str, space: str | None = None) -> NoReturn:
        of = f" (namespace {space[:80] or 'none'})" if space is not None and space != FHIR else ""
        message = f"Line {self.parser.CurrentLineNumber}: {said}{of}."
        raise Malformed(message, issues=[Issue("structure", message, self.path or None)])


def _settle(data: dict[str, Any], key: str, beside: list[Any]) -> None:
    """Primitives that repeat: `given` and `_given` each only where one of them says something."""
    if any(twin is not None for twin in beside):
        data["_" + key] = beside
        if all(value is None for value in data[key]):
            del data[key]
