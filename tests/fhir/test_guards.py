from __future__ import annotations

import pytest

from openward.fhir.errors import Invalid, Refused
from openward.fhir.guards import Change, Guards, guard
from openward.fhir.resources import Patient
from openward.fhir.store import Store
from openward.fhir.work import UnitOfWork
from tests.fhir.house import House


class TestRegistry:
    def test_registering_twice_keeps_one(self) -> None:
        guards = Guards()

        def hold(change: Change, work: UnitOfWork) -> None:
            """Hold it."""

        guard("Patient", registry=guards)(hold)
        guard("Patient", registry=guards)(hold)
        assert [registered.sentence for registered in guards] == ["Hold it."]
        assert len(guards.of("Patient", "create")) == 1

    def test_a_guard_runs_only_for_its_interactions(self) -> None:
        guards = Guards()
        guard("Patient", on=("delete",), registry=guards)(lambda change, work: None)
        assert not guards.of("Patient", "create")
        assert guards.of("Patient", "delete")


class TestGuards:
    def test_a_guard_sees_before_and_after(self, house: House, store: Store) -> None:
        seen: list[tuple[object, object]] = []

        @guard("Patient", on=("update",), registry=house.guards)
        def look(change: Change, work: UnitOfWork) -> None:
            assert change.before
            seen.append((change.before.active, change.resource.active))

        made = store.create(Patient(active=True))
        store.update({**made.data, "active": False})
        assert seen == [(True, False)]

    def test_what_a_guard_amends_is_what_is_stored(self, house: House, store: Store) -> None:
        @guard("Patient", on=("create",), registry=house.guards)
        def number(change: Change, work: UnitOfWork) -> None:
            change.resource.gender = "unknown"

        made = store.create(Patient(active=True))
        assert store.search("Patient", {"gender": "unknown"}).resources[0].id == made.id

    def test_a_guard_may_amend_meta_alone(self, house: House, store: Store) -> None:
        @guard("Patient", on=("create",), registry=house.guards)
        def tag(change: Change, work: UnitOfWork) -> None:
            change.resource.data.setdefault("meta", {})["tag"] = [{"system": "urn:t", "code": "seen"}]

        made = store.create(Patient(active=True))
        assert store.search("Patient", {"_tag": "urn:t|seen"}).resources[0].id == made.id

    def test_what_a_guard_makes_unsound_is_refused(self, house: House, store: Store) -> None:
        @guard("Patient", on=("create",), registry=house.guards)
        def spoil(change: Change, work: UnitOfWork) -> None:
            change.resource.data["gender"] = "nobody knows"

        with pytest.raises(Invalid):
            store.create(Patient(active=True))
        assert house.count("fhir.body") == 0

    def test_a_refusal_leaves_nothing_behind(self, house: House, store: Store) -> None:
        @guard("Patient", registry=house.guards)
        def refuse(change: Change, work: UnitOfWork) -> None:
            work.connection.execute("create table if not exists shadow (id int)")
            raise Refused("No.")

        with pytest.raises(Refused):
            store.create(Patient(active=True))
        assert house.count("fhir.body") == 0
        assert house.connections[0].execute("select to_regclass('shadow')").fetchone() == (None,)

    def test_a_guard_in_a_bundle_sees_what_came_before_it(self, house: House, store: Store) -> None:
        found: list[int] = []

        @guard("Basic", registry=house.guards)
        def look(change: Change, work: UnitOfWork) -> None:
            found.append(len(work.store.search("Patient", {}).resources))

        patient = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
        basic = {"resource": {"resourceType": "Basic", "code": {"text": "x"}}, "request": {"method": "POST", "url": "Basic"}}
        store.bundle({"resourceType": "Bundle", "type": "transaction", "entry": [patient, basic]})
        assert found == [1]

    def test_a_guard_may_write_further_resources(self, house: House, store: Store) -> None:
        @guard("Patient", on=("create",), registry=house.guards)
        def welcome(change: Change, work: UnitOfWork) -> None:
            work.store.create({"resourceType": "Basic", "code": {"text": "welcome"}})

        store.create(Patient(active=True))
        assert house.count("fhir.current") == 2

    def test_a_guard_on_delete_may_refuse(self, house: House, store: Store) -> None:
        @guard("Patient", on=("delete",), registry=house.guards)
        def keep(change: Change, work: UnitOfWork) -> None:
            raise Refused("Patients stay.")

        made = store.create(Patient(active=True))
        with pytest.raises(Refused):
            store.delete("Patient", made.id)
        assert store.find("Patient", made.id)


class TestUnitOfWork:
    def test_what_follows_the_commit_runs_after_it(self, house: House, store: Store) -> None:
        order: list[str] = []

        @guard("Patient", registry=house.guards)
        def follow(change: Change, work: UnitOfWork) -> None:
            work.on_commit(lambda: order.append(f"committed {house.count('fhir.body')}"))
            order.append("guarded")

        store.create(Patient(active=True))
        assert order == ["guarded", "committed 1"]

    def test_nothing_follows_a_rollback(self, house: House, store: Store) -> None:
        order: list[str] = []

        @guard("Patient", registry=house.guards)
        def follow(change: Change, work: UnitOfWork) -> None:
            work.on_commit(lambda: order.append("committed"))
            raise Refused("No.")

        with pytest.raises(Refused):
            store.create(Patient(active=True))
        assert order == []

    def test_a_notification_arrives_on_commit(self, house: House, store: Store) -> None:
        listener = house.connect()
        listener.execute("listen board")

        @guard("Patient", registry=house.guards)
        def tell(change: Change, work: UnitOfWork) -> None:
            work.notify("board", id=change.id)

        made = store.create(Patient(active=True))
        notice = next(listener.notifies(timeout=5))
        assert f'"{made.id}"' in notice.payload
