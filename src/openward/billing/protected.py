"""Claims the law or the patient protects: who is shown one, and whether it may go to a payer.

A claim has the labels of its diagnoses. Whether someone is shown it follows from the worklist's own row (labels and patient), by the same policy
that answers a read. Substance use records go to a payer only with the patient's written consent, one for treatment, payment and operations
sufficing (42 CFR 2.31(a)(4), 2.33(b)); what the patient asked to keep among those who care for them goes only with the same.
https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from openward.access.actor import Actor
from openward.access.labels import LABELS, labels_of
from openward.access.policy import shows
from openward.access.standing import standing_for
from openward.billing import facts, transitions
from openward.billing.models import ClaimRow
from openward.fhir.ids import key
from openward.fhir.resources import Claim

AT_MOST = 1_000


def patient_key(patient: str | None) -> UUID | None:
    return key("Patient", patient) if patient else None


def is_shown(actor: Actor, row: ClaimRow) -> bool:
    """Whether the actor is shown the claim behind a row of the worklist."""
    return shows(actor, "Claim", frozenset(row.labels), patient_key(row.patient))


def is_shown_labelled(actor: Actor, labels: Any, patient: str) -> bool:
    """The same of what has these labels in the patient's account."""
    return shows(actor, "Claim", frozenset(labels), patient_key(patient))


def may_be_billed(actor: Actor, claim: Claim) -> bool:
    """Whether labels and consents leave the claim to whoever works for payment: then it may be sent to the payer. `actor` only lends the request."""
    payment = Actor("role:biller", "Payment", "staff", actor.tenant, role="biller", purpose="HPAYMT", request_id=actor.request_id)
    return shows(payment, "Claim", labels_of(claim.data), patient_key(facts.target(claim.patient)))


def withheld(actor: Actor) -> list[ClaimRow]:
    """The open claims that are kept from the actor, the oldest first; at most a thousand. Where nothing can be, nothing is asked."""
    _, here = standing_for(actor)
    whose = {str(patient) for patient, said in here.consents if any(not one.permits for one in said)}
    whose |= {str(patient) for patients in here.marked.values() for patient in patients}
    hidden = here.hidden("Claim")
    if not (hidden or whose):
        return []
    suspect = Q(labels__overlap=sorted(hidden)) | Q(patient__in=sorted(whose))
    rows = ClaimRow.objects.filter(suspect, tenant=actor.tenant, state__in=transitions.OPEN).order_by("number")[:AT_MOST]
    return [row for row in rows if not is_shown(actor, row)]


def waiting_for_consent(actor: Actor) -> list[ClaimRow]:
    """The open claims that may not be sent before the patient consents, of those the actor may know of; the oldest first."""
    labelled = ClaimRow.objects.filter(tenant=actor.tenant, state__in=transitions.OPEN).exclude(labels=[]).order_by("number")[:AT_MOST]
    payment = Actor("role:biller", "Payment", "staff", actor.tenant, role="biller", purpose="HPAYMT", request_id=actor.request_id)
    return [row for row in labelled if is_shown(actor, row) and not is_shown(payment, row)]


def label_words(labels: Any) -> list[str]:
    return [LABELS[label].title for label in labels if label in LABELS]
