"""Bulk data in this installation: jobs, tokens that are withdrawn, and what is taken up again or cleared away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection as django_connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from openward.access.actor import Actor
from openward.access.known import changed
from openward.accounts.models import ClientToken
from openward.accounts.tokens import actor_for, make_token, revoke
from openward.audit.models import AuditEvent
from openward.fhir.bulk import exports
from openward.fhir.bulk.exports import Export
from openward.fhir.bulk.spec import Spec
from openward.fhir.errors import Forbidden
from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from openward.record import open_store
from openward.record.actors import recall, remember
from openward.record.connection import connection
from openward.record.exports import INSTALLATION, clear_exports, resume_exports, write_export
from tests import cast
from tests.access.people import condition, labelled
from tests.fhir.http.client import Client

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


class TestWhoMayTakeTheFiles:
    """A token of the client that asked, whose scopes still cover what was asked for, while nothing of the client was withdrawn."""

    @pytest.fixture
    def where(self) -> str:
        open_store(cast.system()).update({"resourceType": "Patient", "id": "ada"})
        id = asked(client("system/*.rs"))
        write_export(tenant=1, export=str(id))
        return f"/_export/{id}"

    def statuses(self, where: str, actor: Actor) -> list[int]:
        connection().execute("update fhir.export set polled = null")
        return [self.taken(at, actor) for at in (where, f"{where}/1.Patient.ndjson")]

    def test_another_token_of_the_client_that_covers_as_much(self, where: str) -> None:
        assert self.statuses(where, client("system/*.cruds")) == [200, 200]

    @pytest.mark.parametrize("scope", ["system/Patient.rs", "system/*.cr", "system/*.cud"])
    def test_not_a_token_that_covers_less(self, where: str, scope: str) -> None:
        assert self.statuses(where, client(scope)) == [404, 404]

    def test_not_another_client_whatever_it_may(self, where: str) -> None:
        assert self.statuses(where, cast.client("system/*.cruds", name="another")) == [404, 404]

    def test_not_after_the_client_was_withdrawn_even_by_a_new_token(self, where: str) -> None:
        revoke(client="warehouse")
        assert self.statuses(where, client("system/*.rs")) == [404, 404]

    def test_what_was_withdrawn_is_cleared_away(self, where: str) -> None:
        revoke(client="warehouse")
        clear_exports()
        assert not exports.folder_of(INSTALLATION.folder, UUID(where.rsplit("/", 1)[1])).exists()

    def test_a_token_that_ran_out_by_itself_leaves_the_files_to_the_next_one(self, where: str) -> None:
        ClientToken.objects.filter(client="warehouse").update(expires_at=timezone.now() - dt.timedelta(minutes=1))
        assert self.statuses(where, client("system/*.rs")) == [200, 200]

    def test_one_asked_for_by_a_type_is_taken_by_a_token_of_that_type(self) -> None:
        open_store(cast.system()).update({"resourceType": "Patient", "id": "ada"})
        by = client("system/*.rs")
        id = exports.ask(connection(), by.tenant, by.id, remember(by), Spec(types=("Patient",)), "", "")
        write_export(tenant=1, export=str(id))
        assert self.statuses(f"/_export/{id}", client("system/Patient.rs")) == [200, 200]
        assert self.statuses(f"/_export/{id}", client("system/Observation.rs")) == [404, 404]

    def test_a_label_put_on_since_closes_the_file(self) -> None:
        store = open_store(cast.system())
        store.update({"resourceType": "Patient", "id": cast.PATIENT_ID})
        store.update(condition("c1", "I10"))
        id = asked(client("system/Condition.rs"))
        write_export(tenant=1, export=str(id))
        at = f"/_export/{id}/1.Condition.ndjson"
        assert self.taken(at) == 200
        store.update({**condition("c1", "I10"), **labelled("V")})
        changed()
        assert self.taken(at) == 404

    def taken(self, at: str, actor: Actor | None = None) -> int:
        @contextmanager
        def store(who: Actor) -> Iterator[Store]:
            yield open_store(who)

        who = actor or client("system/Condition.rs")
        return Client(fhir_app(lambda _: who, store))("GET", at, accept="*/*").status
