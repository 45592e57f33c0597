"""Bulk data in this installation: jobs, tokens that are withdrawn, and what is taken up again or cleared away."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection as django_connection
from procrastinate.contrib.django.models import ProcrastinateJob

from openward.access.actor import Actor
from openward.accounts.tokens import actor_for, make_token, revoke
from openward.audit.models import AuditEvent
from openward.fhir.bulk import exports
from openward.fhir.bulk.exports import Export
from openward.fhir.bulk.spec import Spec
from openward.fhir.errors import Forbidden
from openward.record import open_store
from openward.record.actors import recall, remember
from openward.record.connection import connection
from openward.record.exports import INSTALLATION, clear_exports, resume_exports, write_export
from tests import cast

pytestmark = pytest.mark.usefixtures("committed_db")


def client(scope: str = "system/*.rs") -> Actor:
    actor = actor_for(make_token(client="warehouse", scope=scope))
    assert actor
    return actor


def asked(by: Actor) -> UUID:
    return exports.ask(connection(), by.tenant, by.id, remember(by), Spec(), "", "")


def found(id: UUID) -> Export:
    export = exports.find(connection(), 1, id)
    assert export
    return export


def test_a_job_writes_what_the_client_may_see(settings: LazySettings) -> None:
    open_store(cast.system()).update({"resourceType": "Patient", "id": "ada"})
    open_store(cast.system()).update({"resourceType": "Practitioner", "id": "doc"})
    id = asked(client("system/Patient.rs"))
    write_export(tenant=1, export=str(id))
    assert [file.type for file in exports.files_of(connection(), found(id))] == ["Patient"]
    assert AuditEvent.objects.filter(interaction="export", actor="client:warehouse", detail__contains="1 patients").count() == 1


def test_a_revoked_token_ends_its_exports() -> None:
    id = asked(client())
    revoke(client="warehouse")
    write_export(tenant=1, export=str(id))
    assert (found(id).state, found(id).note) == ("failed", "The client's token has expired or been revoked.")


def test_a_token_of_other_scope_does_not_stand_in_for_a_revoked_one() -> None:
    by = client("system/*.rs")
    revoke(client="warehouse")
    make_token(client="warehouse", scope="system/Patient.rs")
    with pytest.raises(Forbidden):
        recall(remember(by))


def test_an_actor_kept_for_a_job_is_the_same_again() -> None:
    by = client("system/Patient.rs  system/Observation.r")
    assert recall(remember(by)) == by


def test_an_export_whose_worker_died_is_queued_again() -> None:
    id = asked(client())
    with django_connection.cursor() as cursor:
        cursor.execute("update fhir.export set state = 'running', touched = clock_timestamp() - interval '2 minutes'")
    resume_exports()
    assert [job.args for job in ProcrastinateJob.objects.filter(task_name="record.write_export")] == [{"tenant": 1, "export": str(id)}]


def test_what_has_expired_is_cleared_away() -> None:
    id = asked(client())
    write_export(tenant=1, export=str(id))
    folder = exports.folder_of(INSTALLATION.folder, id)
    assert folder.is_dir()
    with django_connection.cursor() as cursor:
        cursor.execute("update fhir.export set expires = clock_timestamp()")
    clear_exports()
    assert not folder.exists()
