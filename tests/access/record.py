"""A small record with everything the policy decides by, and who may see what of it, said a second time in plain Python.

`Persona.sees` shares nothing with the policy but the names of the labels: it is what the policy is held to.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openward.access.actor import Actor
from openward.access.labels import LABELS
from openward.access.roles import PROXY, ROLES, TREATING, VIP
from tests import cast
from tests.access.bills import DELETED as BILLS_DELETED
from tests.access.bills import bills
from tests.access.people import ICD, condition, encounter, labelled

LOINC = "http://loinc.org"
P = [f"0199c1f0-0000-7000-8000-0000000000{number:02x}" for number in (0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6)]
D1, D2 = cast.PRACTITIONER_ID, "0199c1f0-0000-7000-8000-00000000d0c2"
SOUTH, ROOM, NORTH = "Location/south", "Location/south-1", "Location/north"
CODES = {"I10": None, "E11.9": None, "F32.A": "PSY", "F11.20": "ETH", "B20": "HIV", "A54.9": "STD"}
TEEN, VERY = P[4], P[5]
PUBLIC = {"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Schedule"}
BILLS = frozenset({"Patient", "Invoice", "ExplanationOfBenefit", "PaymentNotice", "Coverage"})
OF_NO_PATIENT = PUBLIC | {"Slot", "ValueSet", "CodeSystem", "ConceptMap", "Questionnaire", "Medication"}
Resource = dict[str, Any]


@dataclass(frozen=True)
class Consented:
    """What one consent comes to: whom it speaks of (None: all), what for, of which types and labels, and whether it permits."""

    patient: str
    permits: bool
    persona: frozenset[str] | None = None
    purpose: str | None = None
    types: frozenset[str] | None = None
    labels: frozenset[str] | None = None


CONSENTS = (
    Consented(P[1], False, persona=frozenset({"clinician", "own clinic clinician"})),
    Consented(P[2], False, purpose="HPAYMT", types=frozenset({"Condition", "Encounter", "Claim"})),
    Consented(P[3], True, persona=frozenset({"narrow client"}), labels=frozenset({"ETH"})),
    Consented(P[0], False, persona=frozenset({"clinician", "own clinic clinician"}), labels=frozenset({"PSY"})),
    Consented(P[3], False, labels=frozenset({"STD"})),
    Consented(P[0], True, purpose="HPAYMT", labels=frozenset({"ETH"})),
)


@dataclass(frozen=True)
class Persona:
    """Someone who asks, and in plain words what they may see."""

    name: str
    actor: Actor
    cleared: frozenset[str]
    in_care: frozenset[str] = frozenset()
    care: frozenset[str] = frozenset()
    reach: frozenset[str] | None = None
    own: str | None = None
    types: frozenset[str] | None = None
    purpose: str = "TREAT"
    glass: frozenset[str] = frozenset()
    hides_deleted: bool = field(default=False)

    def sees(self, resource: Resource, patient: str | None, marks: Mapping[str, frozenset[str]]) -> bool:
        """Whether it is theirs to see, as it stands; `marks` are the labels of the patients themselves. Grants by type aside."""
        type, labels = resource["resourceType"], labels_in(resource)
        if self.own is not None:
            return self._sees_own(type, resource, patient, labels)
        if patient in self.glass:
            return True
        if self.reach is not None and type not in OF_NO_PATIENT and patient not in self.reach:
            return False
        if any(not self._shown(label, patient, type) for label in labels | marks.get(patient or "", frozenset())):
            return False
        return not any(self._refused(one, patient, type, labels) for one in CONSENTS)

    def _sees_own(self, type: str, resource: Resource, patient: str | None, labels: frozenset[str]) -> bool:
        if type in PUBLIC:
            return True
        if patient != self.own or labels - self.cleared or (self.types is not None and type not in self.types):
            return False
        if type in ("Observation", "DiagnosticReport"):
            tags = {tag["code"] for tag in resource.get("meta", {}).get("tag", ())}
            codes = {coding["code"] for concept in resource.get("category", ()) for coding in concept["coding"]}
            return "released" in tags or "vital-signs" in codes
        denied = self.name == "proxy of the young" and any(self._refused(one, patient, type, labels) for one in CONSENTS)
        return (type != "Composition" or resource["status"] == "final") and not denied

    def _shown(self, label: str, patient: str | None, type: str) -> bool:
        if label in self.cleared or (label in self.in_care and patient in self.care):
            return True
        return any(one.permits and one.labels and label in one.labels and self._speaks(one, patient, type) for one in CONSENTS)

    def _refused(self, one: Consented, patient: str | None, type: str, labels: frozenset[str]) -> bool:
        return not one.permits and self._speaks(one, patient, type) and (one.labels is None or bool(labels & one.labels))

    def refuses_by_label(self, one: Consented, patient: str | None, type: str) -> bool:
        return bool(one.labels) and self._refused(one, patient, type, one.labels or frozenset())

    def _speaks(self, one: Consented, patient: str | None, type: str) -> bool:
        named = one.persona is None or self.name in one.persona
        return one.patient == patient and named and one.purpose in (None, self.purpose) and (one.types is None or type in one.types)


def labels_in(resource: Resource) -> frozenset[str]:
    return frozenset(one["code"] for one in resource.get("meta", {}).get("security", ()) if one["code"] in LABELS)


def record(seed: int = 7) -> Iterator[Resource]:
    """Every resource in the order it is stored; one that comes again is its second version. Labels that a rule gives are on it already."""
    rng, money = random.Random(seed), random.Random(seed)
    yield from _directory()
    for number, id in enumerate(P):
        yield _person(number, id)
    for number, id in enumerate(P):
        problems = []
        for made in _chart(number, id, rng):
            problems += [made] if made["resourceType"] == "Condition" else []
            yield made
            if rng.random() < 0.15:
                yield {**made, "language": "en"}
        for made in bills(number, id, problems, money):
            yield made
            if money.random() < 0.15:
                yield {**made, "language": "en"}


def _directory() -> Iterator[Resource]:
    yield {"resourceType": "Organization", "id": "clinic", "name": "Clinic"}
    for place, within in ((SOUTH, None), (NORTH, None), (ROOM, SOUTH)):
        made: Resource = {"resourceType": "Location", "id": place.split("/")[1], "name": place, "status": "active"}
        yield {**made, "partOf": {"reference": within}} if within else made
    for id in (D1, D2):
        yield {"resourceType": "Practitioner", "id": id, "name": [{"family": f"Doctor {id[-1]}"}], "active": True}


def _person(number: int, id: str) -> Resource:
    made: Resource = {
        "resourceType": "Patient",
        "id": id,
        "name": [{"family": f"Family{number % 3}", "given": [f"Given{number}"]}],
        "gender": ("male", "female")[number % 2],
        "birthDate": "2011-05-06" if id == TEEN else f"19{50 + number}-03-04",
        "address": [{"state": "NY", "city": "Albany"}],
    }
    return {**made, **labelled("V")} if id == VERY else made


def _chart(number: int, id: str, rng: random.Random) -> Iterator[Resource]:
    subject = {"reference": f"Patient/{id}"}
    doctor = D1 if number % 2 == 0 else D2
    visits = [f"visit-{number}-{turn}" for turn in range(2)]
    for visit in visits:
        yield encounter(visit, id, doctor, ROOM if number % 3 == 0 else NORTH)
    problems = []
    for turn, (code, label) in enumerate(CODES.items()):
        if rng.random() < 0.75:
            problems.append(f"problem-{number}-{turn}")
            made = condition(problems[-1], code, id, encounter={"reference": f"Encounter/{rng.choice(visits)}"})
            made["recordedDate"] = f"2026-{1 + turn:02d}-{1 + number:02d}"
            yield {**made, **labelled(label)} if label else made
    for turn in range(4):
        yield _observation(f"seen-{number}-{turn}", subject, rng.choice(visits), rng)
    for turn in range(2):
        yield {
            "resourceType": "Procedure", "id": f"done-{number}-{turn}", "status": "completed", "subject": subject, "code": {"text": f"Procedure {turn}"},
            "reasonReference": [{"reference": f"Condition/{rng.choice(problems or ['none'])}"}], "performedDateTime": f"2026-02-{10 + turn}",
        }  # fmt: skip
    yield {
        "resourceType": "DiagnosticReport", "id": f"report-{number}", "status": "final", "subject": subject, "code": {"text": "Panel"},
        "result": [{"reference": f"Observation/seen-{number}-{turn}"} for turn in range(4)], "effectiveDateTime": "2026-03-01",
        **({"meta": {"tag": [{"system": "urn:openward:tag", "code": "released"}]}} if number % 2 else {}),
    }  # fmt: skip
    for status in ("final", "preliminary"):
        made = {
            "resourceType": "Composition", "id": f"note-{number}-{status}", "status": status, "subject": subject, "date": "2026-03-02", "title": "Note",
            "type": {"text": "note"}, "author": [{"reference": f"Practitioner/{doctor}"}], "encounter": {"reference": f"Encounter/{visits[0]}"},
        }  # fmt: skip
        yield {**made, **labelled("PRS")} if number == 2 and status == "final" else made
    yield {
        "resourceType": "Communication",
        "id": f"message-{number}",
        "status": "completed",
        "subject": subject,
        "payload": [{"contentString": "hello"}],
    }
    yield {
        "resourceType": "List", "id": f"list-{number}", "status": "current", "mode": "working", "subject": subject,
        "entry": [{"item": {"reference": f"Condition/{problem}"}} for problem in problems] or None,
    } if problems else {"resourceType": "List", "id": f"list-{number}", "status": "current", "mode": "working", "subject": subject}  # fmt: skip


def _observation(id: str, subject: Mapping[str, str], visit: str, rng: random.Random) -> Resource:
    category = rng.choice(("vital-signs", "laboratory"))
    made: Resource = {
        "resourceType": "Observation", "id": id, "status": rng.choice(("final", "amended")), "subject": subject,
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}]}],
        "code": {"coding": [{"system": LOINC, "code": rng.choice(("8867-4", "4548-4", "29463-7"))}]},
        "encounter": {"reference": f"Encounter/{visit}"}, "effectiveDateTime": f"2026-01-{rng.randint(10, 28)}",
        "valueQuantity": {"value": rng.randint(1, 90), "unit": "u", "system": "http://unitsofmeasure.org", "code": "1"},
    }  # fmt: skip
    meta: dict[str, Any] = {}
    if rng.random() < 0.3:
        meta["security"] = labelled(rng.choice(("HIV", "PSY", "STD", "ETH")))["meta"]["security"]
    if rng.random() < 0.4:
        meta["tag"] = [{"system": "urn:openward:tag", "code": "released"}]
    return {**made, "meta": meta} if meta else made


DELETED = ("done-0-0", "message-1", "problem-4-0", "problem-2-1", "list-3", *BILLS_DELETED)


def patient_of(resource: Resource) -> str | None:
    """The id of the patient whose compartment it is in."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    subject = (resource.get("subject") or resource.get("patient") or resource.get("beneficiary") or {}).get("reference", "")
    return subject.split("/")[1] if subject.startswith("Patient/") else None


def consents() -> Iterator[Resource]:
    """CONSENTS as FHIR says them, and three that must not count: rejected, over, and of another scope."""
    yield _consent(P[1], {"type": "deny", "actor": [_whom(f"Practitioner/{D1}")]})
    yield _consent(P[2], {"type": "deny", "purpose": [{"code": "HPAYMT"}], "class": [{"code": each} for each in ("Condition", "Encounter", "Claim")]})
    yield _consent(P[3], {"type": "permit", "actor": [_client("narrow")], "securityLabel": [LABELS["ETH"].coding]})
    exception = {"type": "deny", "actor": [_whom(f"Practitioner/{D1}")], "securityLabel": [LABELS["PSY"].coding]}
    yield _consent(P[0], {"type": "permit", "provision": [exception]})
    yield _consent(P[3], {"type": "deny", "securityLabel": [LABELS["STD"].coding]})
    yield _consent(P[0], {"type": "permit", "purpose": [{"code": "HPAYMT"}], "securityLabel": [LABELS["ETH"].coding]})
    yield {**_consent(P[0], {"type": "deny"}), "status": "rejected"}
    yield _consent(P[2], {"type": "deny", "period": {"end": "2020-01-01"}})
    yield {**_consent(P[0], {"type": "deny"}), "scope": {"coding": [{"code": "research"}]}}


def _consent(patient: str, provision: Mapping[str, Any]) -> Resource:
    return {
        "resourceType": "Consent", "status": "active", "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"text": "privacy"}],
        "patient": {"reference": f"Patient/{patient}"}, "policyRule": {"text": "house"}, "provision": dict(provision),
    }  # fmt: skip


ROLE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}


def _whom(reference: str) -> dict[str, Any]:
    return {"role": ROLE, "reference": {"reference": reference}}


def _client(name: str) -> dict[str, Any]:
    return {"role": ROLE, "reference": {"identifier": {"system": "urn:openward:client", "value": name}}}


USERS = {name: f"0199c1f0-0000-7000-8000-0000000005{number:02x}" for number, name in enumerate(("south", "team", "parent", "carer", "late", "payer"))}
CARE = {D1: frozenset({P[0], P[2], P[4]}), D2: frozenset({P[1], P[3], P[5]})}
SOUTHERN = frozenset({P[0], P[3]})
CLINICAL = TREATING | VIP
IN_CARE = frozenset({"ETH", "V", "PRS"})
EVERY = frozenset(LABELS)


def personas() -> list[Persona]:
    """Everyone the matrix knows, where they stand towards this record."""
    doctor = cast.staff("clinician")
    south = Actor("user:south", "South", "staff", 1, role="nurse", user_id=USERS["south"])
    team = Actor("user:team", "Team", "staff", 1, role="nurse", user_id=USERS["team"], reference=f"Practitioner/{D2}")
    health = frozenset(
        {"AllergyIntolerance", "Condition", "Observation", "Encounter", "Composition", "DiagnosticReport", "Procedure", "List", "Patient"}
    )
    return [
        Persona("clinician", doctor, CLINICAL, IN_CARE, CARE[D1]),
        Persona("other clinician", cast.staff("clinician", reference=f"Practitioner/{D2}"), CLINICAL, IN_CARE, CARE[D2]),
        Persona("nurse", cast.staff("nurse"), CLINICAL, IN_CARE),
        Persona("front desk", cast.staff("front-desk"), VIP, purpose="HOPERAT"),
        Persona("biller", cast.staff("biller"), CLINICAL, purpose="HPAYMT"),
        Persona("manager", cast.staff("manager"), VIP, purpose="HOPERAT"),
        Persona("privacy officer", cast.staff("privacy-officer"), EVERY, purpose="HOPERAT"),
        Persona("it agent", cast.staff("it-agent"), VIP, purpose="HOPERAT"),
        Persona("administrator", cast.staff("administrator"), VIP, purpose="HOPERAT"),
        Persona("nurse of the south", south, frozenset({"PSY"}), reach=SOUTHERN, purpose="TREAT"),
        Persona("nurse of a team", team, CLINICAL, reach=CARE[D2], purpose="TREAT"),
        Persona("narrow client", cast.client("system/*.rs", "narrow"), frozenset()),
        Persona("cleared client", cast.client("system/*.rs", "cleared"), frozenset({"ETH", "PSY"})),
        Persona("client of one type", cast.client("system/Condition.rs system/Patient.rs", "one-type"), frozenset()),
        Persona("own patient", cast.patient(P[0]), EVERY, own=P[0]),
        Persona("other patient", cast.patient(P[3]), EVERY, own=P[3]),
        Persona("proxy of the young", proxy("parent", TEEN), frozenset({"CEL", "V"}), own=TEEN, types=health, purpose="FAMRQT"),
        Persona("proxy for bills", proxy("payer", TEEN), frozenset({"CEL", "V"}), own=TEEN, types=BILLS, purpose="FAMRQT"),
        Persona("carer", proxy("carer", P[2]), EVERY - {"PRS"}, own=P[2], types=frozenset({"Patient", "Appointment", "Slot"}), purpose="FAMRQT"),
        Persona("nurse who broke the glass", _with_id(cast.staff("nurse"), "user:glass"), CLINICAL, IN_CARE, glass=frozenset({P[5], P[3]})),
    ]  # fmt: skip


def proxy(user: str, patient: str) -> Actor:
    reference = f"Patient/{patient}"
    return Actor(f"user:{user}", user, "patient", 1, role="proxy", reference=reference, user_id=USERS[user], purpose="FAMRQT", on_behalf_of=reference)


def _with_id(actor: Actor, id: str) -> Actor:
    from dataclasses import replace

    return replace(actor, id=id)


def granted(actor: Actor, letter: str, type: str) -> bool:
    """Whether the type is theirs at all, by role or scope."""
    if actor.kind == "client":
        return actor.scopes is not None and actor.scopes.allow(letter, type)
    role = PROXY if actor.role == PROXY.key else ROLES[actor.role or ""]
    return letter in role.grants.get(type, "")


__all__ = ["CONSENTS", "DELETED", "ICD", "USERS", "Consented", "Persona", "consents", "granted", "patient_of", "personas", "record"]
