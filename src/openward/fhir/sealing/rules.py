"""Which strings of a resource are sealed, told by what they are: bytes of attachments, social security numbers, texts of sensitive notes.

A note is what somebody wrote about a person in words of their own: narratives, annotations, messages, conclusions, comments. Codes, dates and the
texts beside codes stay, for they are what a resource is found and shown in lists by; who may see them is the policy's to say.
https://hl7.org/fhir/R4/security-labels.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openward.fhir.sealing.port import CannotOpen, NoBlindKey, Purpose, held

SSN = frozenset({"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1"})
KINDS = "http://terminology.hl7.org/CodeSystem/v2-0203"
SOCIAL = frozenset({"SB", "SS"})

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RESTRICTED = frozenset({"R", "V"})
# The codes of the sensitivities of information about a person, of https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SENSITIVE = frozenset(
    [
        "ETH",
        "ETHUD",
        "OPIOIDUD",
        "SUD",
        "GDIS",
        "HIV",
        "MST",
        "PREGNANT",
        "SCA",
        "SICKLE",
        "SDV",
        "SEX",
        "SPI",
        "BH",
        "COGN",
        "DVD",
        "EMOTDIS",
        "MH",
        "PSY",
        "PSYTHPN",
        "STD",
        "TBOO",
        "VIO",
        "IDS",
        "PRS",
        "COMPT",
        "ADOL",
        "CEL",
        "VIP",
        "DIA",
        "DRGIS",
        "EMP",
        "PDS",
        "PHY",
    ]
)

# Elements of a sensitive resource that are texts of a note, wherever they stand in it; and, in a `note`, an Annotation's text.
NOTES = frozenset({"div", "contentString", "conclusion", "summary", "description", "comment", "basis", "patientInstruction", "valueMarkdown"})
# As NOTES, but not in an extension, whose values are facts such as a race.
ANSWERS = "valueString"
NAMES = frozenset({"data", "value"})  # of what is sealed whatever the labels
# Without any of these in its text a resource holds no other with labels or with a social security number by another system, or by its type.
SIGNS_WITHIN = ('"security":', '2.16.840.1.113883.4.1"', 'v2-0203"')

Put = Callable[[Purpose, str], Any]
"""What stands in a string's place."""


def is_social(identifier: Mapping[str, Any]) -> bool:
    """Whether an Identifier is a social security number, by its system or its type."""
    system = identifier.get("system")
    if system.__class__ is str and system in SSN:
        return True
    kind = identifier.get("type")
    codings = kind.get("coding", ()) if kind.__class__ is dict else ()
    return any(_is_social(coding) for coding in codings) if codings.__class__ is list else False


def _is_social(coding: Any) -> bool:
    return coding.__class__ is dict and coding.get("system") == KINDS and coding.get("code").__class__ is str and coding["code"] in SOCIAL


def is_sensitive(resource: Mapping[str, Any]) -> bool:
    """Whether its security labels say that its notes are."""
    meta = resource.get("meta")
    return bool(meta) and any(_is_label(label) for label in meta.get("security", ()))  # type: ignore[union-attr]


def _is_label(label: Mapping[str, Any]) -> bool:
    codes = {CONFIDENTIALITY: RESTRICTED, ACT_CODE: SENSITIVE}.get(label.get("system", ""))
    return codes is not None and label.get("code") in codes


def may_hold(content: Mapping[str, Any], text: str) -> bool:
    """Whether it is worth looking for something to seal: a microsecond for what has nothing. `text` is `content` as it is written."""
    meta = content.get("meta")
    if meta and meta.get("security"):
        return True
    identifiers = content.get("identifier")
    if identifiers and identifiers.__class__ is list and any(map(is_social, identifiers)):
        return True
    if '"data":"' in text or '/us-ssn"' in text:
        return True
    return ("contained" in content or content.get("resourceType") == "Bundle") and any(sign in text for sign in SIGNS_WITHIN)


def replaced(value: Mapping[str, Any], put: Put, *, sensitive: bool = False) -> Any:
    """A copy of a resource with what is sealed replaced by what `put` gives for it. `sensitive`: whatever its labels say."""
    return _replaced(value, put, sensitive)


def _replaced(value: Any, put: Put, sensitive: bool) -> Any:
    if value.__class__ is list:
        return [_replaced(one, put, sensitive) if one.__class__ in (dict, list) else one for one in value]
    here = sensitive or ("resourceType" in value and is_sensitive(value))
    copy = {}
    for name, one in value.items():
        if one.__class__ is str:
            purpose = _purpose(name, value, here) if here or name in NAMES else None
            copy[name] = put(purpose, one) if purpose else one
        elif one.__class__ is list and here and name == "note":
            copy[name] = [_annotation(each, put) for each in one]
        elif one.__class__ is dict or one.__class__ is list:
            copy[name] = _replaced(one, put, here)
        else:
            copy[name] = one
    return copy


def _annotation(value: Any, put: Put) -> Any:
    if value.__class__ is not dict:
        return value
    found = _replaced(value, put, True)
    if value.get("text").__class__ is str:
        found["text"] = put("record-note", value["text"])
    return found


def _purpose(name: str, owner: Mapping[str, Any], sensitive: bool) -> Purpose | None:
    """SampledData has a `data` too: numbers beside their origin, which are no attachment."""
    if name == "data":
        return "record-attachment" if "origin" not in owner else None
    if name == "value":
        return "record-identifier" if is_social(owner) else None
    if sensitive and (name in NOTES or (name == ANSWERS and "url" not in owner)):
        return "record-note"
    return None


def sealed_texts(resource: Mapping[str, Any]) -> Iterator[str]:
    """The texts of the resource that are sealed for being a note, which no index may hold."""
    found: list[str] = []

    def put(purpose: Purpose, text: str) -> str:
        if purpose == "record-note":
            found.append(text)
        return ""

    replaced(resource, put)
    yield from found


BLIND = "\x1d"


def found_by(identifier: Mapping[str, Any], text: str, tenant: int) -> str:
    """What an identifier's value is indexed under: itself, or, of a social security number, what tells it from others and nothing else."""
    return blinded(text, tenant)[0] if is_social(identifier) else text


def blinded(text: str, tenant: int) -> tuple[str, ...]:
    """Under what a text is indexed, and what it may be indexed under from before. Raises NoBlindKey."""
    keys = held()
    try:
        return tuple(BLIND + each for each in keys.blinded(text, tenant)) if keys is not None else (text,)
    except CannotOpen:
        raise NoBlindKey from None


def asked_for(system: str | None, text: str, tenant: int) -> tuple[str, ...]:
    """Under what an identifier of this value may be indexed. `system` None: whatever the system.

    A number of any system may be of a type that makes it social, so it is looked for under both. Raises NoBlindKey when it can be found by that alone.
    """
    if held() is None:
        return (text,)
    if system in SSN:
        return blinded(text, tenant)
    try:
        return text, *blinded(text, tenant)
    except NoBlindKey:  # other numbers are found as ever
        return (text,)
