"""Recording and withdrawing a consent. The patient's own for themselves, or by who has the right to record them; each is on the trail about the patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.labels import LABELS
from openward.access.permissions import Permission
from openward.fhir.errors import Conflict, Forbidden, NotFound
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Consent, Patient
from openward.privacy.consents.choices import EVERYONE, INFORMATION, PURPOSES, Named
from openward.record import open_store, unit_of_work

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
LOINC = "http://loinc.org"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
TYPES = "http://hl7.org/fhir/resource-types"
ROLE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP", "display": "information recipient"}]}
RECORDED_BY, WITHDRAWN_BY, WITHDRAWN_AT, WORDS = (f"urn:openward:consent-{name}" for name in ("recorded-by", "withdrawn-by", "withdrawn-at", "words"))


class AlreadyWithdrawn(Conflict):
    """This consent was withdrawn already."""


def record(*, patient: str, said: Mapping[str, Any], who: Named, by: Actor) -> Consent:
    """Store what the patient says (`ConsentForm.cleaned_data`) as an active Consent; it holds from its commit on. Raises NotFound, Forbidden, Invalid."""
    _may(by, patient)
    house = Actor.system("keep consents", tenant=by.tenant, on_behalf_of=by)
    with unit_of_work(by=house) as work:
        made = work.store.create(_consent(patient, said, who, by))
        _note(by, "record-consent", patient)
    return Consent.of(made.data)


def withdraw(*, patient: str, consent: str, by: Actor) -> None:
    """The consent counts no more from now on; it stays in the record. Raises NotFound, AlreadyWithdrawn, Forbidden."""
    _may(by, patient)
    house = Actor.system("keep consents", tenant=by.tenant, on_behalf_of=by)
    with unit_of_work(by=house) as work:
        work.connection.execute("select pg_advisory_xact_lock(hashtext('withdraw consent'), hashtext(%s))", (f"{work.tenant} {consent}",))
        data = dict(work.store.read("Consent", consent).data)
        if (data.get("patient") or {}).get("reference") != f"Patient/{patient}":
            raise NotFound(type="Consent", id=consent)
        if data.get("status") != "active":
            raise AlreadyWithdrawn
        more = [_extension(WITHDRAWN_BY, valueString=by.name), _extension(WITHDRAWN_AT, valueInstant=timezone.now().isoformat())]
        data |= {"status": "inactive", "extension": [*data.get("extension", ()), *more]}
        work.store.update(data, if_match=int(data["meta"]["versionId"]))
        _note(by, "withdraw-consent", patient)


def _may(by: Actor, patient: str) -> None:
    own = by.kind == "patient" and by.reference == f"Patient/{patient}" and by.may(Permission.DECIDE_SHARING)
    if not (own or (by.kind == "staff" and by.may(Permission.RECORD_CONSENTS))):
        raise Forbidden("You may not record what a patient consents to.")
    open_store(by).read(Patient, patient)


def _note(by: Actor, interaction: str, patient: str) -> None:
    whose = key("Patient", patient)
    open_store(by).record([Event(interaction, "Consent", patients=(whose,))])


def _consent(patient: str, said: Mapping[str, Any], who: Named, by: Actor) -> dict[str, Any]:
    person = {"reference": f"Patient/{patient}"}
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]}],
        "patient": person,
        "dateTime": timezone.now().isoformat(),
        "performer": [person],
        "policyRule": {"text": _("45 CFR 164.522 and 42 CFR Part 2: what the patient permits or refuses")},
        "provision": provision(said, who),
        "extension": [_extension(RECORDED_BY, valueString=by.name)],
    }
    if said.get("words"):
        made["extension"].append(_extension(WORDS, valueString=said["words"]))
    if said.get("signed"):
        made["verification"] = [{"verified": True, "verifiedWith": person, "verificationDate": timezone.now().isoformat()}]
    return made


def provision(said: Mapping[str, Any], who: Named) -> dict[str, Any]:
    """The provision the policy reads. `only` is a refusal to everyone with one exception."""
    what: dict[str, Any] = {"period": _period(said.get("since"), said.get("until"))}
    if said.get("labels"):
        what["securityLabel"] = [LABELS[label].coding for label in said["labels"]]
    if types := [type for name in said.get("types", ()) for type in INFORMATION[name][1]]:
        what["class"] = [{"system": TYPES, "code": type} for type in types]
    if said["effect"] == "only":
        return {"type": "deny", **what, "provision": [{"type": "permit", **_whom(who)}]}
    return {"type": said["effect"], **what, **_whom(who)}


def _whom(who: Named) -> dict[str, Any]:
    if who.value == EVERYONE:
        return {}
    if who.value in PURPOSES:
        return {"purpose": [{"system": REASON, "code": code} for code in PURPOSES[who.value][0]]}
    return {"actor": [{"role": ROLE, "reference": who.reference}]}


def _period(since: dt.date | None, until: dt.date | None) -> dict[str, str]:
    """From the beginning of the first day, or from now, to the end of the last, where the practice is."""
    begins = timezone.now() if since is None or since == timezone.localdate() else _midnight(since)
    return {"start": begins.isoformat(), **({"end": _midnight(until + dt.timedelta(days=1)).isoformat()} if until else {})}


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _extension(url: str, **value: Any) -> dict[str, Any]:
    return {"url": url, **value}
