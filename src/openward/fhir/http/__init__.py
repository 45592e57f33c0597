"""The REST surface: a plain WSGI application over the store. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

from openward.fhir.http.application import fhir_app

__all__ = ["fhir_app"]
