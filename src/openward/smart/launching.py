"""Starting an app from here, with a patient and a visit; and letting it in."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db import transaction
from django.utils import timezone

from openward.access.actor import Actor
from openward.accounts.models import User
from openward.accounts.tokens import digest
from openward.audit.auditor import AUDITOR
from openward.fhir.errors import NotFound
from openward.fhir.ids import key
from openward.fhir.protocols import Event
from openward.fhir.resources import Encounter, Patient
from openward.fhir.store import Store
from openward.record.connection import connection as wire
from openward.smart import lifetimes
from openward.smart.grants import new_token
from openward.smart.models import App, Connection, Launch


def may_be_about(store: Store, patient: str, encounter: str = "") -> None:
    """Read them as the person who acts. Raises NotFound for a patient they may not see, and for a visit of someone else's."""
    store.read(Patient, patient)
    if encounter:
        visit = store.read(Encounter, encounter)
        if visit.subject is None or visit.subject.target_type != "Patient" or visit.subject.target_id != patient:
            raise NotFound(type="Encounter", id=encounter)


def visits(store: Store, patient: str) -> list[Encounter]:
    """The patient's last visits, the open one first."""
    if store.policy.where(store.actor, "search", "Encounter") is None:
        return []
    found = store.search(Encounter, {"patient": patient, "_sort": "-date", "_count": 5}).resources
    return sorted(found, key=lambda one: one.status in ("finished", "cancelled", "entered-in-error"))


def launch(*, app: App, patient: str, encounter: str, issuer: str, by: Actor) -> str:
    """The address to open: the app's, with who sends it and an opaque `launch`. https://hl7.org/fhir/smart-app-launch/app-launch.html#launch-app-ehr-launch

    Whoever calls has checked that the actor may see the patient.
    """
    opaque = new_token()
    expires = timezone.now() + lifetimes.LAUNCH
    with transaction.atomic():
        Launch.objects.create(digest=digest(opaque), app=app, user_id=by.user_id or "", patient=patient, encounter=encounter, expires_at=expires)
        _noted(by, "launch-app", app, patient)
    parts = urlsplit(app.launch_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("iss", issuer), ("launch", opaque)])
    return urlunsplit(parts._replace(query=query))


def agree(
    *, app: App, user: User, scope: str, patient: str, encounter: str, nonce: str, session: bytes | None, proved_at: float | None, by: Actor
) -> Connection:
    """A new connection, from which the code and every token follow. `proved_at`: when the person last proved who they are, in seconds."""
    contexts = frozenset(scope.split(" "))
    with transaction.atomic():
        made = Connection.objects.create(
            tenant=app.tenant,
            app=app,
            user=user,
            scope=scope,
            patient=patient,
            encounter=encounter,
            nonce=nonce,
            session=session,
            signed_in_at=dt.datetime.fromtimestamp(proved_at, dt.UTC) if proved_at else None,
            expires_at=timezone.now() + lifetimes.connection(contexts),
        )
        _noted(by, "connect-app", app, patient)
    return made


def _noted(by: Actor, what: str, app: App, patient: str) -> None:
    """Whose record an app was let into belongs into the trail of that patient."""
    patients = [key("Patient", patient)] if patient else []
    AUDITOR.record(wire(), by.tenant, by, [Event(what, None, patients=patients, detail=f"app:{app.client_id}")])
