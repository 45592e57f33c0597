"""FHIRPath over FHIR R4, on plain parsed JSON. https://hl7.org/fhirpath/N1/ and https://hl7.org/fhir/R4/fhirpath.html

compile("Patient.name.where(use = 'official').given.first()")(patient) == ["Peter"]
"""

from __future__ import annotations

from openward.fhir.fhirpath.context import Resolve
from openward.fhir.fhirpath.errors import FhirPathError, FhirPathSyntax, FhirPathTooCostly
from openward.fhir.fhirpath.evaluation import Compiled, compile, evaluate

__all__ = ["Compiled", "FhirPathError", "FhirPathSyntax", "FhirPathTooCostly", "Resolve", "compile", "evaluate"]
