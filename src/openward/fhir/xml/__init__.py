"""FHIR in XML: the same resources as in JSON, both ways, told by the definitions. https://hl7.org/fhir/R4/xml.html"""

from __future__ import annotations

from openward.fhir.xml.reading import from_xml
from openward.fhir.xml.writing import to_xml

__all__ = ["from_xml", "to_xml"]
