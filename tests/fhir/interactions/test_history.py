from __future__ import annotations

import datetime as dt

import pytest

from openward.fhir.errors import BadRequest, Forbidden, NotFound
from openward.fhir.ids import key
from openward.fhir.resources import Patient
from openward.fhir.store import Store
from tests.fhir.house import House, Visitor


def walk(store: Store, type: str | None = None, count: int = 2) -> list[tuple[str, int]]:
    """Every version of every page."""
    found, cursor = [], None
    while True:
        page = store.history(type, count=count, cursor=cursor)
        found += [(version.id, version.number) for version in page]
        cursor = page.next
        if cursor is None:
            return found


class TestOfOne:
    def test_versions_come_newest_first_with_the_deletion(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        store.update({**made.data, "active": False})
        store.delete("Patient", made.id)
        assert [(v.number, v.op) for v in store.history("Patient", made.id)] == [(3, "D"), (2, "U"), (1, "C")]

    def test_pages_follow_one_another(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        for gender in ("female", "male", "other"):
            store.update({**made.data, "gender": gender})
        first = store.history("Patient", made.id, count=3)
        second = store.history("Patient", made.id, count=3, cursor=first.next)
        assert [v.number for v in (*first, *second)] == [4, 3, 2, 1]
        assert second.next is None

    def test_what_never_was_has_none(self, store: Store) -> None:
        with pytest.raises(NotFound):
            store.history("Patient", "nobody")

    def test_another_patients_history_does_not_exist(self, house: House, store: Store) -> None:
        made = store.create(Patient(active=True))
        with pytest.raises(NotFound):
            house.store(Visitor(patient=key("Patient", "me"))).history("Patient", made.id)

    def test_since_leaves_out_what_is_older(self, store: Store) -> None:
        made = store.create(Patient(active=True))
        later = store.update({**made.data, "active": False})
        since = dt.datetime.fromisoformat(later.data["meta"]["lastUpdated"])
        assert [v.number for v in store.history("Patient", made.id, since=since)] == [2]


class TestOfMany:
    def test_every_version_is_on_exactly_one_page(self, store: Store) -> None:
        for _ in range(5):
            store.update({**store.create(Patient(active=True)).data, "active": False})
        seen = walk(store, "Patient")
        assert len(seen) == len(set(seen)) == 10

    def test_what_is_written_during_the_walk_changes_no_later_page(self, store: Store) -> None:
        for _ in range(4):
            store.create(Patient(active=True))
        first = store.history("Patient", count=2)
        store.create(Patient(active=False))
        rest = store.history("Patient", count=10, cursor=first.next)
        assert len({v.id for v in (*first, *rest)}) == 4

    def test_the_system_history_holds_every_type(self, store: Store) -> None:
        store.create(Patient(active=True))
        store.create({"resourceType": "Basic", "code": {"text": "x"}})
        assert {v.type for v in store.history()} == {"Patient", "Basic"}

    def test_a_patient_sees_only_their_own(self, house: House, store: Store) -> None:
        mine, other = store.create(Patient(active=True)), store.create(Patient(active=True))
        store.delete("Patient", other.id)
        portal = house.store(Visitor(patient=key("Patient", str(mine.id))))
        assert {v.id for v in portal.history("Patient")} == {mine.id}

    def test_a_patient_still_sees_their_deleted_resource(self, house: House, store: Store) -> None:
        mine = store.create(Patient(active=True))
        note = store.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{mine.id}"}})
        store.delete("Observation", note.id)
        portal = house.store(Visitor(patient=key("Patient", str(mine.id))))
        assert [v.op for v in portal.history("Observation")] == ["D", "C"]

    def test_a_type_without_a_grant_is_forbidden(self, house: House) -> None:
        with pytest.raises(Forbidden):
            house.store(Visitor(types=frozenset())).history("Patient")

    def test_a_cursor_that_is_not_ours_is_refused(self, store: Store) -> None:
        with pytest.raises(BadRequest):
            store.history("Patient", cursor="bm90IG91cnM")

    def test_an_uncommitted_earlier_write_is_not_skipped(self, house: House, store: Store) -> None:
        slow = house.store()
        with slow.transaction():
            late = slow.create(Patient(active=True))
            store.create(Patient(active=True))
            first = store.history("Patient", count=1)
        assert first.versions == []
        assert late.id in {v.id for v in store.history("Patient")}
