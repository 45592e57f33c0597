"""A single update or deletion is one read and one statement, without a lock; where another writer was first it is made again with one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from openward.fhir.errors import Conflict, Gone, Invalid, PreconditionFailed
from openward.fhir.guards import guard
from openward.fhir.ids import key
from openward.fhir.interactions import at_once, unlocked
from openward.fhir.interactions.writing import lock
from tests.fhir.house import LazyTransaction, Visitor
from tests.fhir.interactions.test_at_once import PATIENT, RICH, TABLES, observation, task

NOTE = {"resourceType": "Basic", "id": "note", "code": {"text": "one"}}


@pytest.fixture
def locked(monkeypatch) -> list[Any]:
    """The addresses that were locked."""
    seen: list[Any] = []

    def listening(store: Any, addresses: Any) -> Any:
        wanted = list(addresses)
        seen.extend(wanted)
        return lock(store, wanted)

    monkeypatch.setattr(unlocked, "lock", listening)
    return seen


@pytest.fixture
def behind(monkeypatch):
    """The next look at what is there sees an older version, as it does when another writer is quicker."""

    def fall(version):
        plain = at_once.last

        def old(*asked):
            monkeypatch.setattr(at_once, "last", plain)
            return version

        monkeypatch.setattr(at_once, "last", old)

    return fall


def standing(house) -> Any:
    return at_once.last(house.connections[0], 1, "Basic", key("Basic", "note"))


def test_what_is_updated_and_deleted_needs_no_lock_and_is_found_and_audited(house, lazy, locked):
    lazy.update(NOTE)
    lazy.update(NOTE | {"code": {"text": "two"}})
    assert house.store().search("Basic", {"code:text": "two"}).resources[0].id == "note"
    lazy.delete("Basic", "note")
    with pytest.raises(Gone):
        lazy.read("Basic", "note")
    assert not house.store().search("Basic").resources
    lazy.update(NOTE)
    assert locked == []
    written = [event[:3] for event in house.heard() if event[0] in ("create", "update", "delete")]
    assert written == [("create", "Basic", 1), ("update", "Basic", 2), ("delete", "Basic", 3), ("create", "Basic", 4)]


def test_a_patch_needs_none_either(house, lazy, locked):
    from openward.fhir.interactions.patch import patch

    lazy.update(NOTE)
    patch(lazy, "Basic", "note", lambda content: {**content, "code": {"text": "three"}})
    assert (locked, lazy.read("Basic", "note").code.text) == ([], "three")


def test_who_was_overtaken_changes_what_stands_now(house, lazy, locked, behind):
    lazy.update(NOTE)
    first = standing(house)
    lazy.update(NOTE | {"code": {"text": "two"}})
    behind(first)
    assert lazy.update(NOTE | {"code": {"text": "three"}}).meta.versionId == "3"
    behind(None)
    assert lazy.update(NOTE | {"code": {"text": "four"}}).meta.versionId == "4"
    behind(first)
    lazy.delete("Basic", "note")
    assert standing(house).number == 5
    assert len(locked) == 3
    assert [event[0] for event in house.heard()] == ["create", "update", "update", "update", "delete"]


def test_who_was_overtaken_and_named_the_older_version_is_told(house, lazy, behind):
    lazy.update(NOTE)
    first = standing(house)
    lazy.update(NOTE | {"code": {"text": "two"}})
    for write in (lambda: lazy.update(NOTE | {"code": {"text": "three"}}, if_match=1), lambda: lazy.delete("Basic", "note", if_match=1)):
        behind(first)
        with pytest.raises(PreconditionFailed):
            write()
    assert standing(house).number == 2
    assert lazy.connection.info.transaction_status == TransactionStatus.IDLE


@pytest.mark.parametrize("make", [lambda patient: RICH, observation, task])
def test_the_index_is_left_as_a_lock_leaves_it(house, lazy, store, make):
    patient, other = (store.create(PATIENT).id for _ in range(2))
    changed = [make(other) | {"status": "cancelled"}, {name: value for name, value in make(patient).items() if name not in ("component", "executionPeriod", "effectivePeriod", "valueQuantity")}]  # fmt: skip
    for step in range(3):
        left = []
        for one in (store, lazy):
            house.connect().execute("truncate fhir.token")
            at_once._named.clear()
            id = one.create(make(patient)).id
            for content in changed[:step]:
                one.update(content | {"id": id})
            if step == 2:
                one.delete(make(patient)["resourceType"], id)
            left.append({table: _rows(one, table, columns, id) for table, columns in TABLES.items() if table != "token"})
        assert left[0] == left[1]


def _rows(store, table, columns, id):
    own = {"edge": "src = %s"}.get(table, "rkey = %s")
    return sorted(map(str, store.connection.execute(f"select row({columns})::text from fhir.{table} where {own}", (id,)).fetchall()))  # noqa: S608


def test_a_reference_to_nothing_is_refused_with_its_place(house, lazy):
    patient = lazy.create(PATIENT).id
    id = lazy.create(observation(patient)).id
    with pytest.raises(Invalid) as refused:
        lazy.update(observation("nobody") | {"id": id})
    assert refused.value.issues[0].expression == "Observation.subject.reference"
    assert lazy.read("Observation", id).meta.versionId == "1"
    assert [event for event in house.heard() if event[3]] == [("update", "Observation", None, 4)]


def test_a_guard_that_may_ask_the_database_has_the_lock(house, lazy, locked):
    guard("Basic", registry=house.guards)(lambda change, work: None)
    lazy.update(NOTE)
    assert locked == [("Basic", key("Basic", "note"))]


def test_a_quiet_guard_that_asks_for_once_is_run_again_with_the_lock_on_what_was_sent(house, lazy, locked):
    @guard("Basic", is_quiet=True, registry=house.guards)
    def sign(change, work):
        change.resource.data.setdefault("identifier", []).append({"value": "N-1"})
        if change.resource.data["code"]["text"] == "asking":
            work.connection.execute("select 1")

    lazy.update(NOTE)
    assert locked == []
    assert len(lazy.update(NOTE | {"code": {"text": "asking"}, "identifier": []} | {"identifier": [{"value": "own"}]}).identifier) == 2
    assert len(locked) == 1


def test_in_a_transaction_of_the_callers_the_row_is_locked(house, lazy, locked):
    with pytest.raises(RuntimeError), lazy.transaction():
        lazy.update(NOTE)
        raise RuntimeError
    assert len(locked) == 1
    assert house.count("fhir.body") == 0


def test_an_actor_who_sees_a_part_refers_to_what_they_see(house, lazy, locked):
    patient = lazy.create(PATIENT).id
    id = lazy.create(observation(patient)).id
    theirs = house.store(Visitor(patient=key("Patient", patient)))
    theirs.transaction = LazyTransaction(theirs.connection)
    theirs.update(observation(patient) | {"id": id, "status": "amended"})
    assert (locked, lazy.read("Observation", id).status) == ([], "amended")


def test_it_goes_on_after_what_was_prepared_is_gone(lazy):
    for number in range(3):
        lazy.update(NOTE | {"code": {"text": str(number)}})
        lazy.connection.execute("deallocate all")
    assert lazy.read("Basic", "note").meta.versionId == "3"


def test_nothing_is_lost_between_many_writers(house):
    stores = [house.store() for _ in range(4)]
    for store in stores:
        store.transaction = LazyTransaction(store.connection)

    def write(number: int) -> None:
        for turn in range(10):
            stores[number].update(NOTE | {"code": {"text": f"{number} {turn}"}})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert standing(house).number == 40
    assert house.connections[0].execute("select count(*), max(ver) from fhir.current").fetchone() == (1, 40)


def test_of_two_who_create_the_same_the_later_one_updates_it(house, lazy, monkeypatch):
    guard("Basic", registry=house.guards)(lambda change, work: None)
    plain, other = unlocked.lock, house.store()

    def late(store, addresses):
        found = plain(store, addresses)
        monkeypatch.setattr(unlocked, "lock", plain)
        other.update(NOTE | {"code": {"text": "theirs"}})
        return found

    monkeypatch.setattr(unlocked, "lock", late)
    assert lazy.update(NOTE).meta.versionId == "2"
    assert [event[::3] for event in house.heard()] == [("create", 0), ("update", 0)]


def test_of_two_who_name_the_same_version_one_wins(house):
    stores = [house.store() for _ in range(2)]
    for store in stores:
        store.transaction = LazyTransaction(store.connection)
    stores[0].update(NOTE)

    def write(number: int) -> int:
        won = 0
        for version in range(1, 15):
            try:
                stores[number].update(NOTE | {"code": {"text": f"{number} {version}"}}, if_match=version)
                won += 1
            except (PreconditionFailed, Conflict):
                pass
            both.wait()
        return won

    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(write, range(2))) == 14
    assert standing(house).number == 15


def test_it_waits_for_who_holds_the_row_and_then_changes_what_they_left(house, lazy):
    """And nobody waits for each other in a circle: the row is the first thing either asks for."""
    lazy.update(NOTE | {"subject": {"reference": f"Patient/{lazy.create(PATIENT).id}"}})
    holding = house.store()
    with ThreadPoolExecutor(1) as pool:
        with psycopg.Connection.transaction(holding.connection):
            lock(holding, [("Basic", key("Basic", "note"))])
            deleted = pool.submit(lazy.delete, "Basic", "note")
            _until_waiting(house)
            holding.update(NOTE)
        deleted.result(timeout=20)
    assert [version.op for version in lazy.history("Basic", "note").versions] == ["D", "U", "C"]
    assert house.count("fhir.edge") == house.count("fhir.current where rtype = 8") == 0


def _until_waiting(house) -> None:
    asked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while not house.connections[0].execute(asked).fetchone()[0]:
        pass
