"""What the front desk does with a patient's registration. Every action is one unit of work in the name of `by`."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.accounts.actions import invite_patient
from openward.fhir.resources import Coverage, Patient, Reference
from openward.outbox.actions import send
from openward.record import UnitOfWork, unit_of_work
from openward.registration import facts, queries
from openward.registration.errors import OrderTaken, ProbableDuplicate, Unreachable
from openward.registration.facts import Reach

DIFFERENT_PERSON = "urn:openward:different-person"


def register(*, by: Actor, patient: Patient, different: str = "", shown: Collection[str] = ()) -> Patient:
    """Register a new patient. Raises ProbableDuplicate unless nobody alike is registered, or `different` says why it is someone else.

    `shown` are the ids of those alike whom the person at the desk has seen: a reason given for them does not hold for others.

    Two desks that register one person at once are told of each other: the second waits for the first.
    """
    with unit_of_work(by=by) as work:
        _one_at_a_time(work, patient)
        likenesses = queries.likenesses(work.store, patient)
        if any(not different or one.id not in shown for one in likenesses):
            raise ProbableDuplicate(likenesses)
        if likenesses:
            patient.set_extension(DIFFERENT_PERSON, valueString=different)
        patient.active = True
        return work.store.create(patient)


def change_demographics(*, by: Actor, patient: str, version: int, apply: Callable[[Patient], Patient]) -> Patient:
    """Change what the form shows. Raises PreconditionFailed when the patient was changed since `version`."""
    with unit_of_work(by=by) as work:
        return work.store.update(apply(work.store.read(Patient, patient)), if_match=version)


def record_coverage(*, by: Actor, patient: str, apply: Callable[[Coverage], Coverage]) -> Coverage:
    """Add an insurance. Raises OrderTaken when another active one has the same place in the order."""
    with unit_of_work(by=by) as work:
        person = work.store.read(Patient, patient)
        coverage = apply(Coverage(status="active", beneficiary=Reference.to(person)))
        if facts.relationship_of(coverage) == "self":
            coverage.subscriber = Reference.to(person)
        _free_order(work, coverage)
        return work.store.create(coverage)


def change_coverage(*, by: Actor, coverage: str, version: int, apply: Callable[[Coverage], Coverage]) -> Coverage:
    """Change an insurance. Raises OrderTaken, PreconditionFailed."""
    with unit_of_work(by=by) as work:
        changed = apply(work.store.read(Coverage, coverage))
        _free_order(work, changed)
        return work.store.update(changed, if_match=version)


def end_coverage(*, by: Actor, coverage: str) -> Coverage:
    """The insurance no longer holds; it stays in the record, for the claims of its time."""
    with unit_of_work(by=by) as work:
        ended = work.store.read(Coverage, coverage)
        ended.status = "cancelled"
        return work.store.update(ended)


def _free_order(work: UnitOfWork, coverage: Coverage) -> None:
    for other in queries.coverages(work.store, str(coverage.beneficiary.target_id)):
        if other.id != coverage.id and other.order == coverage.order:
            raise OrderTaken(payer=queries.payer_name(other))


def _one_at_a_time(work: UnitOfWork, patient: Patient) -> None:
    """Registrations with one birth date follow each other, so that each sees the ones before it."""
    work.connection.execute("select pg_advisory_xact_lock(hashtext('register a patient'), hashtext(%s))", (f"{work.tenant} {patient.birthDate}",))


def invite(*, by: Actor, patient: str) -> Reach:
    """Invite the patient to their portal: a one-time link leaves through the outbox. Raises Unreachable without any address."""
    with unit_of_work(by=by) as work:
        person = work.store.read(Patient, patient)
        reach = facts.reach_of(person)
        if reach is None:
            raise Unreachable
        reference = f"Patient/{patient}"
        _invitation, token = invite_patient(reference=reference, name=_plain_name(person), by=by)
        link = settings.OPENWARD_PUBLIC_URL + reverse("accounts:invitation", args=[token])
        body = _("Your practice invites you to your health record: {link} The link works once, for two weeks. You will be asked for your birth date.")
        title = _("Your invitation")
        send(work, to=reach.to, kind="portal-invitation", channel=reach.channel, subject_ref=reference, title=title, body=body.format(link=link))
        return reach


def _plain_name(patient: Patient) -> str:
    name = patient.name[0] if patient.name else None
    return (" ".join([*name.given, name.family or ""]).strip() or name.text or "") if name else ""
