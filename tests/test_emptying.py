"""What a test with real commits leaves behind is gone before the next one; what migrations made for good is not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import TransactionTestCase

from openward.access.actor import Actor
from openward.accounts.actions import make_user
from openward.accounts.models import User
from openward.record import open_store
from tests.emptying import empty, written_tables


@pytest.mark.usefixtures("transactional_db")
def test_people_are_gone_and_permissions_stay() -> None:
    make_user(sign_in="gone", password="correct-horse-battery-7", role="nurse", name="Gone")  # noqa: S106
    before = (Permission.objects.count(), ContentType.objects.count())
    TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]
    assert not User.objects.exists()
    assert (Permission.objects.count(), ContentType.objects.count()) == before
    assert min(before) > 10


@pytest.mark.usefixtures("committed_db")
def test_the_record_and_the_trail_are_emptied_of_all_that_was_written() -> None:
    store = open_store(Actor.system("test", tenant=1))
    id = store.create({"resourceType": "Patient", "name": [{"family": "Gone"}]}).data["id"]
    assert store.search("Patient", {"_id": id}).resources
    assert ("fhir", "body") in written_tables("fhir", "audit")
    empty(written_tables("fhir", "audit"))
    assert written_tables("fhir", "audit") == set()
    assert not store.search("Patient", {"_id": id}).resources
