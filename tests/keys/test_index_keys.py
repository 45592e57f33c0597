"""The keys by which social security numbers are found: one a tenant, and changed while people search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from openward.access.actor import Actor
from openward.fhir.matching.matcher import Matcher
from openward.fhir.protocols import Where
from openward.fhir.sealing.rules import BLIND, blinded
from openward.fhir.search.people import PatientFinder
from openward.fhir.search.token import token_hash
from openward.keys import resealing, rotation
from openward.keys.models import DataKey
from openward.keys.ring import RING
from openward.record import open_store, unit_of_work
from openward.server.rotation import finish_rotation

pytestmark = pytest.mark.django_db

SSN = "http://hl7.org/fhir/sid/us-ssn"
NUMBER = "999-12-3456"
PURPOSE = "record-identifier:blind"


@pytest.fixture(autouse=True)
def fresh_ring() -> Iterator[None]:
    RING.forget()
    yield
    RING.forget()


def person(value: str = NUMBER, family: str = "Marlow") -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": SSN, "value": value}], "name": [{"family": family}]}


def write(*resources: dict[str, Any], tenant: int = 1) -> list[str]:
    with unit_of_work(by=Actor.system("sealing", tenant=tenant)) as work:
        return [work.store.create(resource).id for resource in resources]


def found(value: str = NUMBER, tenant: int = 1) -> list[str]:
    """By the API, by the front desk and by the matcher, which must agree."""
    store = open_store(Actor.system("sealing", tenant=tenant))
    by_search = sorted(one.id for one in store.search("Patient", {"identifier": f"{SSN}|{value}"}))
    assert sorted(one.id for one in store.search("Patient", {"identifier": value})) == by_search
    wire: Any = connection.connection
    assert sorted(one.id for one in PatientFinder(wire, tenant, Where()).find(value)) == by_search
    alike = Matcher(wire, tenant, Where()).matches(person(value, family="Zzyx"), least=0.0)
    assert sorted(one.id for one in alike) == by_search
    return by_search


def digests() -> set[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("select tenant, key from fhir.person_key where kind = 'i'")
        return {(tenant, key) for tenant, key in cursor.fetchall() if key.startswith(BLIND)}


def tokens(tenant: int = 1) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("select unnest(tok) from fhir.current where tenant = %s", [tenant])
        return {row[0] for row in cursor.fetchall()}


def rotated(minutes_ago: int = 10) -> None:
    """`openward keys rotate`, a while ago: what it queued has not run."""
    rotation.new_data_keys()
    then = timezone.now() - dt.timedelta(minutes=minutes_ago)
    DataKey.objects.filter(retired_at__isnull=False).update(retired_at=then, made_at=then - dt.timedelta(days=90))
    DataKey.objects.filter(retired_at__isnull=True).update(made_at=then)
    RING.forget()


def walk() -> None:
    while rotation.reseal_batch():
        pass


def index_keys() -> int:
    return DataKey.objects.filter(purpose=PURPOSE, tenant=1).count()


class TestEachTenant:
    def test_finds_its_own_under_its_own_key(self) -> None:
        (mine,), (theirs,) = write(person()), write(person(), tenant=2)
        assert [found(), found(tenant=2)] == [[mine], [theirs]]
        (here, there) = ({key for tenant, key in digests() if tenant == which} for which in (1, 2))
        assert len(here) == len(there) == 1
        assert here.isdisjoint(there)

    def test_has_tokens_of_its_own(self) -> None:
        write(person())
        write(person(), tenant=2)
        (here, there) = (token_hash("identifier", None, blinded(NUMBER, which)[0]) for which in (1, 2))
        assert here in tokens(1) - tokens(2)
        assert there in tokens(2) - tokens(1)


class TestRotation:
    def test_finds_by_the_old_and_the_new_at_every_step_and_only_by_the_new_after(self) -> None:
        written = {number: write(person(f"999-12-000{number}"))[0] for number in range(5)}
        before = digests()
        rotated()
        for _ in range(4):
            assert {number: found(f"999-12-000{number}") for number in written} == {number: [id] for number, id in written.items()}
            resealing.reseal(2)
        assert digests().isdisjoint(before)
        assert index_keys() == 1
        assert {number: found(f"999-12-000{number}") for number in written} == {number: [id] for number, id in written.items()}

    def test_half_way_has_both_in_the_index(self) -> None:
        write(*(person(f"999-12-000{number}") for number in range(4)))
        before = digests()
        rotated()
        resealing.reseal(2)
        assert len(digests() & before) == 2
        assert index_keys() == 2

    def test_changes_the_tokens_too(self) -> None:
        write(person())
        before = tokens()
        rotated()
        walk()
        assert len(tokens() & before) == len(before) - 2

    def test_finds_what_is_written_meanwhile(self) -> None:
        write(person())
        rotated()
        (late,) = write(person("999-12-7777"))
        assert found("999-12-7777") == [late]
        walk()
        assert found("999-12-7777") == [late]

    def test_indexes_under_the_older_key_until_every_process_looks_for_the_new_one(self) -> None:
        write(person())
        old = DataKey.objects.get(purpose=PURPOSE).id
        rotation.new_data_keys()
        assert RING.blind(1, PURPOSE)[0].id == old
        DataKey.objects.filter(retired_at__isnull=True).update(made_at=timezone.now() - dt.timedelta(minutes=3))
        RING.forget()
        assert [key.id == old for key in RING.blind(1, PURPOSE)] == [False, True]

    def test_begun_early_keeps_the_old_key_and_is_finished_some_minutes_later(self) -> None:
        (one,) = write(person())
        before = digests()
        rotation.new_data_keys()
        walk()
        assert (digests(), index_keys(), found()) == (before, 2, [one])
        DataKey.objects.filter(retired_at__isnull=False).update(retired_at=timezone.now() - dt.timedelta(minutes=5))
        DataKey.objects.filter(retired_at__isnull=True).update(made_at=timezone.now() - dt.timedelta(minutes=5))
        RING.forget()
        finish_rotation()
        assert digests().isdisjoint(before)
        assert (index_keys(), found()) == (1, [one])

    def test_is_finished_once(self) -> None:
        write(person())
        rotated()
        walk()
        assert not resealing.is_unfinished()
        assert resealing.reseal(10) == 0

    def test_a_walk_that_began_before_all_had_heard_of_it_is_gone_through_once_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though it is over later: what was written behind it in its first minute is under the older key."""
        write(*(person(f"999-12-000{number}") for number in range(3)))
        rotation.new_data_keys()
        assert resealing.reseal(1) == 1
        monkeypatch.setattr(resealing, "_is_settled", lambda _: True)
        while resealing.reseal(1):
            pass
        assert resealing.is_unfinished()

    def test_twice_in_a_row_ends_with_one_key_that_finds(self) -> None:
        (one,) = write(person())
        rotated(30)
        rotated(10)
        assert (index_keys(), found()) == (3, [one])
        walk()
        assert (index_keys(), found()) == (1, [one])

    def test_leaves_no_digest_of_a_number_taken_away_meanwhile(self) -> None:
        (one,) = write(person())
        before = digests()
        rotated()
        store = open_store(Actor.system("sealing", tenant=1))
        changed = store.read("Patient", one)
        changed.data["identifier"] = [each for each in changed.data["identifier"] if each.get("system") != SSN]
        with unit_of_work(by=Actor.system("sealing", tenant=1)) as work:
            work.store.update(changed)
        assert not list(store.search("Patient", {"identifier": NUMBER}))
        walk()
        assert digests().isdisjoint(before)
        assert found() == []

    def test_reaches_who_was_changed_meanwhile(self) -> None:
        """Their tokens are new with the change, their number at the front desk is not."""
        (one,) = write(person())
        rotated()
        changed = open_store(Actor.system("sealing", tenant=1)).read("Patient", one)
        changed.data["name"] = [{"family": "Marlowe"}]
        with unit_of_work(by=Actor.system("sealing", tenant=1)) as work:
            work.store.update(changed)
        assert found() == [one]
        walk()
        assert (index_keys(), found()) == (1, [one])

    def test_reaches_a_number_named_in_a_reference(self) -> None:
        reference = {"identifier": {"system": SSN, "value": NUMBER}}
        (one,) = write({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": reference})
        rotated()
        asked = {"subject:identifier": f"{SSN}|{NUMBER}"}
        store = open_store(Actor.system("sealing", tenant=1))
        assert [each.id for each in store.search("Observation", asked)] == [one]
        walk()
        assert index_keys() == 1
        assert [each.id for each in store.search("Observation", asked)] == [one]

    def test_keeps_the_old_key_while_one_that_sealed_cannot_be_opened(self) -> None:
        (one,) = write(person())
        DataKey.objects.create(id=77, tenant=1, purpose="record-note", outer="gone", wrapped=b"", retired_at=timezone.now())
        rotated()
        walk()
        assert (index_keys(), found()) == (2, [one])


class TestTheOneKeyOfBefore:
    def test_is_retired_by_the_migration_finds_meanwhile_and_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        of_all = RING.named(RING._made(0, PURPOSE).id)
        DataKey.objects.filter(id=of_all.id).update(made_at=timezone.now() - dt.timedelta(days=90))
        with monkeypatch.context() as before:
            before.setattr(RING, "blind", lambda *_: [of_all])
            (one,) = write(person())
        import_module("openward.keys.migrations.0002_an_index_key_for_each_tenant").retire(apps, None)
        RING.forget()
        assert found() == [one]
        rotated()
        walk()
        assert not DataKey.objects.filter(tenant=0).exists()
        assert found() == [one]
