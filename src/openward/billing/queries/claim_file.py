"""One claim with everything the payer will read on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openward.billing import facts
from openward.fhir.resources import Claim, Coverage, Encounter, HumanName, Organization, Patient, Practitioner, PractitionerRole, RelatedPerson
from openward.fhir.store import Store
from openward.formats.x12.claims import ProfessionalClaim
from openward.formats.x12.from_fhir import TAXONOMY, coding_of, professional_claim


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """What a claim names; None where it names nobody, or somebody who is not in the record any more."""

    claim: Claim
    patient: Patient | None
    coverage: Coverage | None
    payer: Organization | None
    billing: Organization | None
    clinician: Practitioner | None
    subscriber: Any
    visit: Encounter | None
    taxonomy: str = ""

    def professional(self) -> ProfessionalClaim:
        """The claim in X12's terms. Only for a claim whose scrub list is clean: these four are then there."""
        assert self.patient
        assert self.coverage
        assert self.payer
        assert self.billing
        return professional_claim(
            claim=self.claim,
            patient=self.patient,
            coverage=self.coverage,
            payer=self.payer,
            billing=self.billing,
            rendering=self.clinician,
            subscriber=self.subscriber,
            taxonomy=self.taxonomy,
        )


def claim_file(store: Store, claim: Claim) -> ClaimFile:
    coverage = _find(store, next((entry.coverage for entry in claim.insurance if entry.focal), None))
    clinician = _find(store, next((member.provider for member in claim.careTeam), None))
    visit = facts.visit_of(claim)
    return ClaimFile(
        claim=claim,
        patient=_find(store, claim.patient),
        coverage=coverage,
        payer=_find(store, claim.insurer),
        billing=_find(store, claim.provider),
        clinician=clinician if isinstance(clinician, Practitioner) else None,
        subscriber=_holder(store, coverage) if coverage else None,
        visit=store.find(Encounter, visit) if visit else None,
        taxonomy=_taxonomy(store, clinician),
    )


def _holder(store: Store, coverage: Coverage) -> Any:
    """Who holds the insurance: a record, or somebody known by name only (`OKAFOR, Ada` or `Ada Okafor`)."""
    found = _find(store, coverage.subscriber)
    words = (coverage.subscriber.display or "").split("(")[0].strip() if coverage.subscriber else ""
    if found is not None or not words:
        return found
    family, given = words.split(",", 1) if "," in words else (words.split()[-1], " ".join(words.split()[:-1]))
    return RelatedPerson(name=[HumanName(family=family.strip(), given=given.split()[:1])])


def _find(store: Store, reference: Any) -> Any:
    if reference is None or reference.target_id is None:
        return None
    return store.find(str(reference.type), reference.target_id)


def _taxonomy(store: Store, clinician: Practitioner | None) -> str:
    """The clinician's kind of practice, from the role they work in."""
    if clinician is None:
        return ""
    roles = store.search(PractitionerRole, {"practitioner": f"Practitioner/{clinician.id}"})
    return next((code for role in roles for concept in role.specialty if (code := coding_of(concept, TAXONOMY))), "")
