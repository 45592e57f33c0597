"""Which of its two formats a request speaks, and which it wants back. https://hl7.org/fhir/R4/http.html#mime-type"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from openward.fhir.errors import FhirError

Format = Literal["json", "xml"]

JSON_MEDIA_TYPE = "application/fhir+json; charset=utf-8"
XML_MEDIA_TYPE = "application/fhir+xml; charset=utf-8"
JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json", "application/json+fhir"})
XML_TYPES = frozenset({"application/fhir+xml", "application/xml", "text/xml", "application/xml+fhir"})
WILDCARDS = frozenset({"*/*", "application/*"})
# Answers that are no single resource have types of their own; what goes wrong with them is told in JSON.
OTHERS = frozenset({"application/fhir+ndjson", "application/ndjson", "application/x-ndjson", "text/event-stream"})
FORMATS: dict[str, Format] = {
    **dict.fromkeys(("json", *JSON_TYPES), "json"),
    **dict.fromkeys(("xml", *XML_TYPES), "xml"),
}
ACCEPTED: dict[str, Format] = {**FORMATS, **dict.fromkeys((*WILDCARDS, *OTHERS), "json")}
USUAL = WILDCARDS | JSON_TYPES
FHIR_VERSION = "4.0"
QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


class NotAcceptable(FhirError):
    """This server answers in application/fhir+json and application/fhir+xml, both of FHIR 4.0."""

    status = 406
    code = "not-supported"


class UnsupportedMediaType(FhirError):
    """This server takes application/fhir+json and application/fhir+xml of FHIR 4.0, in UTF-8, plain or gzip."""

    status = 415
    code = "not-supported"


def asked_by_format(value: str) -> Format:
    """What `_format` asks for. A `+` that the client did not encode has become a space."""
    media, parameters = _split(value)
    found = FORMATS.get(media.replace(" ", "+"))
    if found is None or not _is_ours(parameters):
        raise NotAcceptable()
    return found


@lru_cache(256)
def asked_by_accept(header: str) -> Format | None:
    """The format an Accept header prefers; None when it takes neither."""
    for media, parameters in _preferred(header):
        if media in ACCEPTED and _is_ours(parameters):
            return _any_not_refused(header) if media in WILDCARDS else ACCEPTED[media]
    return None


def _any_not_refused(header: str) -> Format | None:
    """What whoever takes anything gets: JSON, unless it is refused by name. https://www.rfc-editor.org/rfc/rfc9110#name-accept"""
    refused = {FORMATS.get(media) for quality, media, _ in _weighed(header) if quality == 0}
    formats: tuple[Format, ...] = ("json", "xml")
    return next((format for format in formats if format not in refused), None)


def wants_native(header: str) -> bool:
    """Whether an Accept header prefers what is neither FHIR nor anything: a Binary then goes out as what it holds."""
    first = next(_preferred(header), None)
    return first is not None and first[0] not in ACCEPTED


@lru_cache(256)
def sent_format(content_type: str) -> Format | None:
    """The format of a body; None when it is not FHIR's. Raises UnsupportedMediaType for another FHIR version or character set."""
    media, parameters = _split(content_type)
    found = FORMATS.get(media) if "/" in media else None
    if found is not None and (not _is_ours(parameters) or parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii")):
        raise UnsupportedMediaType()
    return found


def _preferred(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The media types in the order of preference, those refused by `q=0` left out."""
    for quality, media, parameters in sorted(_weighed(header), key=lambda each: -each[0]):
        if quality > 0:
            yield media, parameters


def _weighed(header: str) -> list[tuple[float, str, dict[str, str]]]:
    return [(_quality(parameters), media, parameters) for media, parameters in map(_split, header.split(",")) if media]


def _split(value: str) -> tuple[str, dict[str, str]]:
    media, *rest = value.split(";")
    pairs = (part.partition("=") for part in rest)
    return media.strip().lower(), {name.strip().lower(): text.strip().strip('"') for name, _, text in pairs}


def _quality(parameters: dict[str, str]) -> float:
    text = parameters.get("q", "1")
    return float(text) if QUALITY.fullmatch(text) else 1.0


def _is_ours(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", FHIR_VERSION) in (FHIR_VERSION, "4.0.1")
