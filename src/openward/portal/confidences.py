"""What a young person may keep to themselves and no label says: words. A note goes with what was found at its visit, a report with its values,
a conversation with who began it.

The policy hides labelled resources from whoever looks after a record (`openward.access.proxies`); rules label what is coded. For anybody else, and for the
proxy of a small child or a grown person, nothing here hides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils import timezone

from openward.access.actor import Actor
from openward.access.labels import labels_of
from openward.access.policy import shows
from openward.access.proxies import age_and_state, hidden_at
from openward.access.roles import PROXY
from openward.accounts.models import User
from openward.chart.queries.messages import Thread
from openward.chart.queries.portal import ReleasedResult
from openward.fhir.ids import key
from openward.fhir.resources import Encounter, Patient
from openward.fhir.store import Store
from openward.record import open_store

# What is found, done and ordered at a visit, and can have a label.
AT_A_VISIT = ("Condition", "Procedure", "Observation", "DiagnosticReport", "ServiceRequest", "MedicationRequest", "CarePlan")


def is_young(patient: Patient) -> bool:
    """Whether the patient is of an age to keep things to themselves."""
    return bool(hidden_at(*age_and_state(patient, timezone.localdate())))


def keeps(store: Store) -> bool:
    """Whether who is in this record looks after somebody who is of that age."""
    actor: Actor = store.actor
    return actor.role == PROXY.key and is_young(store.read(Patient, actor.reference_id or ""))


def is_kept(store: Store, visit: Encounter) -> bool:
    """Whether anything of the visit is kept from who looks: then its note tells of it. Asked in the house's own name, since what is kept they cannot ask."""
    house = open_store(Actor.system("keep what is confidential", tenant=store.tenant))
    patient = key("Patient", store.actor.reference_id or "")
    named = [str(one.condition.target_id) for one in visit.diagnosis if one.condition is not None and one.condition.target_id]
    found = [one for type in AT_A_VISIT for one in house.search(type, {"encounter": f"Encounter/{visit.id}", "_count": 200}).resources]
    found += house.search("Condition", {"_id": ",".join(named)}).resources if named else []
    return any(not shows(store.actor, one.data["resourceType"], labels_of(one.data), patient) for one in [visit, *found])


def open_results(store: Store, results: Iterable[ReleasedResult]) -> list[ReleasedResult]:
    """Without reports of which a value is not shown: their words may tell it."""
    if not keeps(store):
        return list(results)
    return [one for one in results if len(getattr(one.resource, "result", ())) <= len(one.values)]


def open_threads(store: Store, found: Sequence[Thread]) -> list[Thread]:
    """Without the conversations the young person began."""
    if not keeps(store):
        return list(found)
    own = {"", *User.objects.filter(tenant=store.tenant, reference=store.actor.reference).values_list("name", flat=True)}
    return [thread for thread in found if not (thread.letters[0].from_patient and thread.letters[0].sender in own)]
