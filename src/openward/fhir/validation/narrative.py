"""Narrative: one XHTML `div` of formatting, nothing that acts or loads. https://hl7.org/fhir/R4/narrative.html"""

from __future__ import annotations

import re
from html.entities import name2codepoint
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Chapters 7 to 11 (without 9.4) and 15 of HTML 4.0, nothing deprecated, links and images: https://hl7.org/fhir/R4/narrative.html#rules
TAGS = _words(
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre q "
    "samp small span strong sub sup table tbody td tfoot th thead tr tt ul var bdo address"
)
ATTRIBUTES = _words(
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class color cols colspan "
    "compact coords datetime dir face frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rows rowspan rules scope "
    "shape size span src start style summary tabindex title type valign value vspace width xml:lang xmlns"
)
ADDRESSES = {"href", "src", "cite", "longdesc"}
SAFE_ADDRESS = re.compile(r"(?:https?:|mailto:|tel:|urn:|ftp:|data:\s*image/(?:png|jpeg|gif|webp);|#|[^:]*(?:[/?#]|$))", re.IGNORECASE)
# A style may show the narrative's own images, never fetch from elsewhere or run anything.
ACTIVE_STYLE = re.compile(
    r"url\s*\((?!\s*['\"]?\s*(?:data:\s*image/|(?!//)[\w./\-]+\s*['\"]?\s*\)))|expression|javascript|@import|behavior|-moz-binding|\\|/\*", re.I
)


class _Refused(Exception):
    pass


def narrative_problem(text: str) -> str | None:
    """Why `text` is not a FHIR narrative; None when it is."""
    reader = _Reader()
    try:
        reader.read(text)
    except expat.ExpatError as error:
        return f"is not well-formed XHTML: {expat.errors.messages[error.code]} (line {error.lineno})"
    except _Refused as refused:
        return str(refused)
    return None if reader.has_content else "has no content"


class _Reader:
    def __init__(self) -> None:
        self.has_content = False
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.UseForeignDTD(True)
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.SkippedEntityHandler = self.entity
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.ProcessingInstructionHandler = self.instruction
        self.parser.XmlDeclHandler = self.declaration

    def read(self, text: str) -> None:
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            self.doctype()
        self.parser.Parse(text.encode("utf-8", "replace"), True)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and (tag != "div" or attributes.get("xmlns") != XHTML):
            raise _Refused(f'is not one <div xmlns="{XHTML}">')
        if tag not in TAGS:
            raise _Refused(f"may not contain <{tag[:40]}>")
        for name, value in attributes.items():
            _refuse_attribute(name, value)
        self.depth += 1
        self.has_content |= tag == "img"

    def end(self, tag: str) -> None:
        self.depth -= 1

    def characters(self, text: str) -> None:
        self.has_content = self.has_content or not text.isspace()

    def entity(self, name: str, is_parameter: bool) -> None:
        if name not in name2codepoint:
            raise _Refused(f"names an unknown entity &{name[:40]};")
        self.has_content = True

    def doctype(self, *_: object) -> None:
        raise _Refused("may not declare a document type")

    def declaration(self, *_: object) -> None:
        """It begins a document, and the `div` stands inside one when the resource goes out as XML."""
        raise _Refused("may not begin with an XML declaration")

    def instruction(self, *_: object) -> None:
        raise _Refused("may not contain processing instructions")


def _refuse_attribute(name: str, value: str) -> None:
    if name not in ATTRIBUTES:
        raise _Refused(f"may not have the attribute {name[:40]}")
    if name == "xmlns" and value != XHTML:
        raise _Refused("may only contain XHTML")
    if name in ADDRESSES and not SAFE_ADDRESS.match(value.strip()):
        raise _Refused(f"has an address in {name} that could act or load")
    if name == "style" and ACTIVE_STYLE.search(value):
        raise _Refused("has a style that could act or load")
