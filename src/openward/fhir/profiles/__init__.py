"""Profiles: does a resource keep what the profiles it claims, or is held to, say? https://hl7.org/fhir/R4/profiling.html

validate(resource)                                             # the profiles its meta.profile declares
validate(resource, profiles=["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0"])
"""

from __future__ import annotations

from openward.fhir.profiles.catalogue import Catalogue, built_in_catalogue
from openward.fhir.profiles.validating import declared, validate

__all__ = ["Catalogue", "built_in_catalogue", "declared", "validate"]
