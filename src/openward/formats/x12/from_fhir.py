"""A professional claim from FHIR: Claim with the Patient, Coverage, Organizations and Practitioner it names.

What is missing stays empty here; the writer refuses it, and the scrub list says it to a person before that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from openward.fhir.resources import Claim, Coverage, Organization, Patient, Practitioner
from openward.formats.x12.claims import Address, Party, Person, ProfessionalClaim, ServiceLine

CLAIM_NUMBER = "urn:openward:claim"
CLAIM_FREQUENCY = "urn:openward:claim-frequency"
CLAIM_FILING = "urn:openward:claim-filing"
PAYER_ID = "urn:openward:payer"
NPI = "http://hl7.org/fhir/sid/us-npi"
TAX_ID = "urn:oid:2.16.840.1.113883.4.4"
TAXONOMY = "http://nucc.org/provider-taxonomy"
PLACE_OF_SERVICE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
SEXES = {"female": "F", "male": "M", "other": "U", "unknown": "U"}

# https://terminology.hl7.org/CodeSystem-subscriber-relationship.html → X12 individual relationship (PAT01)
RELATIONSHIPS = {"spouse": "01", "child": "19", "common": "53", "parent": "G8", "other": "G8", "injured": "G8"}
# Coverage.type (v3 ActCode) → X12 claim filing indicator (SBR09)
FILINGS = {
    "HMO": "HM",
    "PPO": "12",
    "POS": "13",
    "EPO": "14",
    "MCPOL": "CI",
    "EHCPOL": "CI",
    "PUBLICPOL": "OF",
    "SUBSIDIZ": "MC",
    "AUTOPOL": "AM",
    "WCBPOL": "WC",
}
SEQUENCES = {1: "P", 2: "S", 3: "T"}


def professional_claim(
    *,
    claim: Claim,
    patient: Patient,
    coverage: Coverage,
    payer: Organization,
    billing: Organization,
    rendering: Practitioner | None = None,
    subscriber: Any = None,
    taxonomy: str = "",
) -> ProfessionalClaim:
    """`subscriber` is the Patient or RelatedPerson who holds the coverage, where that is not the patient; `taxonomy` is the clinician's."""
    said = relationship_of(coverage)
    relationship = "" if said == "self" else RELATIONSHIPS.get(said, "G8")  # a word not known here still says that it is somebody else
    holder = person(subscriber) if relationship and subscriber is not None else person(patient)
    group = next((entry for entry in coverage.class_ if code_of(entry.type) == "group"), None)
    return ProfessionalClaim(
        control=identifier(claim, CLAIM_NUMBER),
        billing=organization(billing, NPI),
        subscriber=holder,
        member_id=coverage.subscriberId or "",
        payer=organization(payer, PAYER_ID, with_address=False),
        diagnoses=tuple(diagnosis_codes(claim)),
        lines=tuple(_lines(claim)),
        place=_place_of(claim),
        frequency=claim.extension_value(CLAIM_FREQUENCY) or "1",
        payer_control=_payer_control(claim),
        authorization=next((str(each) for entry in claim.insurance for each in entry.preAuthRef), ""),
        sequence=SEQUENCES.get(coverage.order or 1, "P"),
        filing=coding_of(coverage.type, CLAIM_FILING) or FILINGS.get(code_of(coverage.type), "CI"),
        group_number=str(group.value) if group else "",
        patient=person(patient) if relationship else None,
        relationship=relationship,
        rendering=clinician(rendering, taxonomy) if rendering else None,
    )


def identifier(resource: Any, system: str) -> str:
    """The value of the identifier of that system, empty when there is none."""
    return next((str(entry.value) for entry in resource.identifier if entry.system == system and entry.value), "")


def coding_of(concept: Any, system: str) -> str:
    codings = concept.coding if concept else []
    return next((str(coding.code) for coding in codings if coding.system == system and coding.code), "")


def code_of(concept: Any) -> str:
    """The first code of a concept, whatever its system."""
    return next((str(coding.code) for coding in (concept.coding if concept else []) if coding.code), "")


def relationship_of(coverage: Coverage) -> str:
    """What the patient is to the subscriber; where that is not said, `self` unless somebody else is named as subscriber."""
    holder, patient = coverage.subscriber, coverage.beneficiary
    is_other = bool(holder and holder.reference and patient and holder.target_id != patient.target_id)
    return code_of(coverage.relationship) or ("other" if is_other else "self")


def diagnosis_codes(claim: Claim) -> list[str]:
    """ICD-10-CM codes in the order of their sequence numbers."""
    return [code_of(entry.diagnosisCodeableConcept) for entry in _in_order(claim.diagnosis)]


def person(resource: Any) -> Person:
    """A Patient or RelatedPerson as a claim names them: official name first, home address first."""
    name = _preferred(resource.name, ("official", "usual"))
    born = resource.birthDate
    given = list(name.given) if name else []
    return Person(
        family=(name.family or "") if name else "",
        given=given[0] if given else "",
        middle=given[1] if len(given) > 1 else "",
        birth_date=dt.date.fromisoformat(born) if born and len(born) == 10 else None,
        sex=SEXES.get(resource.gender or "", ""),
        address=_address(_preferred(resource.address, ("home",))),
    )


def organization(resource: Organization, number_system: str, *, with_address: bool = True) -> Party:
    return Party(
        name=resource.name or "",
        number=identifier(resource, number_system),
        address=_address(_preferred(resource.address, ("work", "billing"))) if with_address else None,
        tax_id="".join(mark for mark in identifier(resource, TAX_ID) if mark.isdigit()),
        taxonomy=next((code for concept in resource.type if (code := coding_of(concept, TAXONOMY))), ""),
    )


def clinician(resource: Practitioner, taxonomy: str) -> Party:
    name = _preferred(resource.name, ("official", "usual"))
    given = list(name.given) if name else []
    return Party(
        name=(name.family or "") if name else "", number=identifier(resource, NPI), given=given[0] if given else "", taxonomy=taxonomy, is_person=True
    )


def _preferred(entries: Iterable[Any], uses: Sequence[str]) -> Any:
    """The first of the uses wanted, else the first that is not old."""
    current = [entry for entry in entries if entry.use != "old"]
    return next((entry for use in uses for entry in current if entry.use == use), current[0] if current else None)


def _address(address: Any) -> Address | None:
    if address is None or not address.line or not address.city:
        return None
    return Address(tuple(address.line)[:2], address.city, address.state or "", address.postalCode or "")


def _in_order(entries: Iterable[Any]) -> list[Any]:
    return sorted(entries, key=lambda entry: entry.sequence or 0)


def _lines(claim: Claim) -> Iterable[ServiceLine]:
    places = {entry.sequence: number for number, entry in enumerate(_in_order(claim.diagnosis), 1)}
    for item in _in_order(claim.item):
        served = item.servicedDate or (item.servicedPeriod.start if item.servicedPeriod else None)
        if not served:
            continue
        yield ServiceLine(
            code=code_of(item.productOrService),
            modifiers=tuple(code for concept in item.modifier if (code := code_of(concept))),
            charge=((item.net.value if item.net else None) or Decimal(0)).quantize(Decimal("0.01")),
            units=item.quantity.value if item.quantity else Decimal(1),
            date=dt.date.fromisoformat(served[:10]),
            pointers=tuple(places[each] for each in item.diagnosisSequence if each in places),
            place=coding_of(item.locationCodeableConcept, PLACE_OF_SERVICE),
            control=str(item.sequence),
        )


def _place_of(claim: Claim) -> str:
    return next((code for item in claim.item if (code := coding_of(item.locationCodeableConcept, PLACE_OF_SERVICE))), "")


def _payer_control(claim: Claim) -> str:
    """The payer's own number of the claim this one replaces."""
    return next((str(entry.reference.value) for entry in claim.related if code_of(entry.relationship) == "prior" and entry.reference), "")
