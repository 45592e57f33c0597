"""What was stored before a rule was there gets its label in the background, while everything else goes on; killed, the pass goes on where it was."""

from __future__ import annotations

import datetime as dt
import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone

from openward.access import rules as access_rules
from openward.access.actor import Actor
from openward.access.known import changing, forget
from openward.access.labels import labels_of
from openward.access.models import LabelInUse, LabelRule, Relabelling
from openward.access.policy import AccessPolicy
from openward.accounts.models import User
from openward.audit.models import AuditEvent
from openward.fhir.errors import Forbidden, NotFound
from openward.fhir.guards import GUARDS
from openward.fhir.loading import load
from openward.fhir.store import Store
from openward.privacy.labelling import actions, jobs, relabelling
from openward.privacy.labelling.actions import RuleIsThere, set_labels
from openward.record import open_store, unit_of_work
from tests import cast
from tests.access.people import DEPRESSION, HYPERTENSION, ICD, OPIOIDS, condition, encounter, house, seen

pytestmark = pytest.mark.django_db
CLIENT, OFFICER, NURSE = cast.client("system/*.cruds"), cast.staff("privacy-officer"), cast.staff("nurse")
TUBERCULOSIS = "A15.0"


@pytest.fixture
def store(db: None) -> Store:
    """That of an installation which knows nothing of the rules by which it was filled."""
    Relabelling.objects.all().delete()
    return house()


def test_a_record_that_began_empty_has_had_its_labels_on_the_way_in(db: None) -> None:
    Relabelling.objects.all().delete()
    import_module("openward.record.migrations.0013_labelled_from_the_start").nothing_stands_unlabelled(apps, SimpleNamespace(connection=connection))
    house().update(condition("opioids", OPIOIDS))
    assert seen(CLIENT) == set()
    begun = go()
    assert (Relabelling.objects.count(), begun.total) == (1, 0)


def old(*resources: dict[str, Any]) -> None:
    """Store these as they were before labels."""
    from openward.access import guards

    kept = guards.implied
    guards.implied = lambda *_: frozenset()  # type: ignore[assignment]
    try:
        for one in resources:
            open_store(cast.system()).update(one)
    finally:
        guards.implied = kept


def go() -> Relabelling:
    relabelling.run(1, settle=False)
    row = relabelling.latest(1)
    assert row is not None
    return row


def rule(code: str = TUBERCULOSIS, *, label: str = "V", is_start: bool = False) -> LabelRule:
    return actions.add_rule(label=label, system=ICD, code=code, is_start=is_start, by=OFFICER)


class TestThePass:
    def test_labels_what_was_stored_before_the_rule(self, store: Store) -> None:
        old(condition("opioids", OPIOIDS), condition("pressure", HYPERTENSION))
        assert seen(CLIENT) == {"opioids", "pressure"}
        assert go().labelled == 1
        assert seen(CLIENT) == {"pressure"}

    def test_hides_earlier_versions_exports_and_history_with_it(self, store: Store) -> None:
        old(condition("opioids", OPIOIDS), condition("opioids", OPIOIDS, onsetString="last year"))
        assert LabelInUse.objects.count() == 0
        go()
        with pytest.raises(NotFound):
            open_store(CLIENT).vread("Condition", "opioids", 1)
        assert not list(open_store(CLIENT).history("Condition"))
        where = AccessPolicy().where(CLIENT, "export", "Condition")
        assert where is not None
        assert not where.everything

    def test_labels_what_inherits_from_it(self, store: Store) -> None:
        claim = {
            "resourceType": "Claim", "id": "claim", "status": "active", "use": "claim", "created": "2026-01-02", "patient": {"reference": f"Patient/{cast.PATIENT_ID}"},
            "type": {"text": "professional"}, "priority": {"text": "normal"}, "provider": {"display": "x"}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}],
            "diagnosis": [{"sequence": 1, "diagnosisReference": {"reference": "Condition/opioids"}}],
        }  # fmt: skip
        old(condition("opioids", OPIOIDS), claim)
        go()
        assert labels_of(store.read("Claim", "claim").data) == {"ETH"}

    def test_does_not_put_back_what_was_taken_away_by_hand(self, store: Store) -> None:
        store.update(encounter("visit"))
        store.update(condition("opioids", OPIOIDS))
        set_labels(type="Condition", id="opioids", labels=[], by=cast.staff("clinician"))
        assert go().labelled == 0
        assert labels_of(store.read("Condition", "opioids").data) == frozenset()

    def test_leaves_what_is_deleted(self, store: Store) -> None:
        old(condition("opioids", OPIOIDS))
        store.delete("Condition", "opioids")
        assert (go().labelled, go().failed) == (0, 0)

    def test_is_done_once_for_the_same_rules(self, store: Store) -> None:
        go()
        go()
        assert Relabelling.objects.count() == 1

    def test_begins_anew_when_the_rules_openward_comes_with_change(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        go()
        monkeypatch.setattr(access_rules, "SHIPPED", (*access_rules.SHIPPED, ("V", ICD, TUBERCULOSIS, False)))
        go()
        assert Relabelling.objects.count() == 2

    def test_killed_goes_on_where_it_was(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(relabelling, "BATCH", relabelling.BATCH.replace("limit 200", "limit 2"))
        old(*(condition(f"opioids-{number}", OPIOIDS) for number in range(5)))
        relabelling.ask(1)
        relabelling.step(1, settle=False)
        first = relabelling.latest(1)
        assert first is not None
        assert (first.done, first.labelled, first.finished_at) == (2, 2, None)
        assert go().labelled == 5
        assert seen(CLIENT) == set()

    def test_is_left_to_who_is_at_it(self, store: Store) -> None:
        """The row is locked while a batch is under way: a second worker has nothing to do."""
        assert relabelling.step(1, settle=False) is None

    def test_that_cannot_label_one_labels_the_others_and_says_so(self, store: Store) -> None:
        from openward.fhir.errors import Conflict
        from openward.fhir.guards import Change
        from openward.fhir.work import UnitOfWork

        old(condition("opioids", OPIOIDS), condition("sad", DEPRESSION))

        def refuse(change: Change, work: UnitOfWork) -> None:
            if change.id == "opioids":
                raise Conflict("never")

        names, changes = dict(GUARDS._by_name), {change: list(found) for change, found in GUARDS._by_change.items()}
        GUARDS.register(refuse, ("Condition",), ("update",))
        try:
            row = go()
        finally:
            GUARDS._by_name, GUARDS._by_change = names, changes
        assert (row.labelled, row.failed) == (1, 1)
        assert "could not be given" in str(jobs.labels_reach_what_is_stored())

    def test_is_on_the_trail_with_every_label_it_gave(self, store: Store) -> None:
        old(condition("opioids", OPIOIDS))
        go()
        told = [one.detail or "" for one in AuditEvent.objects.filter(interaction="relabel", actor="system:label what is stored").order_by("at")]
        assert "begun" in told[0]
        assert "1 labelled" in told[-1]
        assert AuditEvent.objects.filter(interaction="update", actor="system:label what is stored").count() == 1

    def test_that_stands_still_is_unwell(self, store: Store) -> None:
        relabelling.ask(1)
        assert jobs.labels_reach_what_is_stored() is None
        long_ago = timezone.now() - dt.timedelta(hours=2)
        Relabelling.objects.update(asked_at=long_ago, moved_at=long_ago)
        assert "stood still" in str(jobs.labels_reach_what_is_stored())


class TestEveryTenant:
    """Another house on the same installation, with a record and rules of its own."""

    @pytest.fixture
    def next_door(self, store: Store) -> Store:
        open_store(Actor.system("next door", tenant=9)).update({"resourceType": "Patient", "id": cast.PATIENT_ID, "name": [{"family": "Neighbour"}]})
        with changing():
            LabelRule.objects.create(tenant=9, label="V", system=ICD, code=TUBERCULOSIS, made_by="x")
        return open_store(Actor.system("next door", tenant=9))

    def test_there_is_has_what_it_stored_labelled_by_its_own_rules(self, next_door: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("openward.access.guards.implied", lambda *_: frozenset())
        next_door.update(condition("tb", TUBERCULOSIS))
        open_store(cast.system()).update(condition("tb", TUBERCULOSIS))
        monkeypatch.undo()
        monkeypatch.setattr(relabelling, "SETTLED", dt.timedelta(0))
        monkeypatch.setattr(relabelling, "_is_settled", lambda *_: True)
        jobs.resume()
        assert labels_of(next_door.read("Condition", "tb").data) == {"V"}
        assert labels_of(open_store(cast.system()).read("Condition", "tb").data) == frozenset()

    def test_with_something_stored_or_with_a_rule_is_known(self, next_door: Store) -> None:
        with changing():
            LabelRule.objects.create(tenant=12, label="V", system=ICD, code=TUBERCULOSIS, made_by="x")
        assert relabelling.tenants() == [1, 9, 12]

    def test_waits_for_no_other_that_has_more_to_go_through(self, next_door: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        order: list[int] = []
        step = relabelling.step
        monkeypatch.setattr(relabelling, "step", lambda tenant, *, settle: order.append(tenant) or step(tenant, settle=settle))
        relabelling.run(1, 9, settle=False)
        assert order[:4] == [1, 9, 1, 9]
        assert {row.tenant for row in relabelling.newest() if row.finished_at} == {1, 9}

    def test_whose_pass_stands_still_is_unwell(self, next_door: Store) -> None:
        relabelling.ask(9)
        long_ago = timezone.now() - dt.timedelta(hours=2)
        Relabelling.objects.filter(tenant=9).update(asked_at=long_ago, moved_at=long_ago)
        assert "stood still" in str(jobs.labels_reach_what_is_stored())


class TestARuleOfTheHouse:
    def test_labels_what_is_written_from_now_on(self, store: Store) -> None:
        rule()
        assert labels_of(store.update(condition("tb", TUBERCULOSIS)).data) == {"V"}
        assert labels_of(store.update(condition("other", "A15.5")).data) == frozenset()

    def test_of_a_beginning_labels_every_code_that_begins_so(self, store: Store) -> None:
        rule("A15", is_start=True)
        assert labels_of(store.update(condition("tb", "A15.5")).data) == {"V"}

    def test_labels_what_is_stored_too(self, store: Store) -> None:
        store.update(condition("tb", TUBERCULOSIS))
        go()
        assert seen(NURSE) == {"tb"}
        rule()
        assert go().labelled == 1
        assert seen(NURSE) == set()

    def test_made_while_a_pass_is_under_way_begins_it_anew(self, store: Store) -> None:
        store.update(condition("tb", TUBERCULOSIS))
        relabelling.ask(1)
        while (row := relabelling.latest(1)) is not None and row.place < 3:
            relabelling.step(1, settle=False)
        rule()
        assert go().labelled == 1

    def test_queues_the_pass(self, store: Store) -> None:
        rule()
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from procrastinate_jobs where task_name = 'privacy.relabel'")
            assert cursor.fetchone()[0] == 1

    def test_is_made_once(self, store: Store) -> None:
        rule()
        with pytest.raises(RuleIsThere):
            rule()
        with pytest.raises(RuleIsThere):
            actions.add_rule(label="ETH", system=ICD, code="F11", is_start=True, by=OFFICER)

    def test_is_made_and_ended_by_who_reviews_privacy_alone(self, store: Store) -> None:
        made = rule()
        for who in (cast.staff("clinician"), NURSE, CLIENT, cast.patient()):
            with pytest.raises(Forbidden):
                actions.add_rule(label="V", system=ICD, code="Z99", is_start=False, by=who)
            with pytest.raises(Forbidden):
                actions.end_rule(rule=str(made.id), by=who)
        assert LabelRule.objects.filter(ended_at__isnull=True).count() == 1

    def test_that_ended_labels_no_more_and_keeps_what_it_labelled(self, store: Store) -> None:
        made = rule()
        store.update(condition("tb", TUBERCULOSIS))
        actions.end_rule(rule=str(made.id), by=OFFICER)
        assert labels_of(store.update(condition("later", TUBERCULOSIS)).data) == frozenset()
        assert labels_of(store.read("Condition", "tb").data) == {"V"}

    def test_of_a_label_that_is_no_more_is_left_out(self, store: Store) -> None:
        with changing():
            LabelRule.objects.create(tenant=1, label="GONE", system=ICD, code=TUBERCULOSIS, made_by="x")
        assert labels_of(store.update(condition("tb", TUBERCULOSIS)).data) == frozenset()


class TestThePage:
    @pytest.fixture
    def officer(self, client: Client, store: Store) -> Client:
        client.force_login(User.objects.create_user(sign_in="pia", password=None, role="privacy-officer", name="Pia"))
        return client

    def test_makes_and_ends_a_rule(self, officer: Client) -> None:
        officer.post("/privacy/rules", {"label": "V", "system": ICD, "code": TUBERCULOSIS})
        made = LabelRule.objects.get()
        assert TUBERCULOSIS in officer.get("/privacy/rules").content.decode()
        officer.post(f"/privacy/rules/{made.id}/end")
        assert LabelRule.objects.get().ended_by == "Pia"

    @pytest.mark.parametrize(
        "typed",
        [
            {},
            {"label": "V", "system": ICD, "code": ""},
            {"label": "V", "system": ICD, "code": "F"},
            {"label": "V", "system": ICD, "code": "F1", "is_start": "on"},
            {"label": "V", "system": ICD, "code": "%' or 1=1"},
            {"label": "XX", "system": ICD, "code": TUBERCULOSIS},
            {"label": "V", "system": "urn:made-up", "code": TUBERCULOSIS},
            {"label": "V", "system": ICD, "code": "A" * 500},
            {"label": "ETH", "system": ICD, "code": "F11", "is_start": "on"},
        ],
    )
    def test_refuses_garbage_and_keeps_nothing(self, officer: Client, typed: dict[str, str]) -> None:
        assert officer.post("/privacy/rules", typed).status_code == 422
        assert not LabelRule.objects.exists()

    def test_shows_how_far_the_pass_is(self, officer: Client) -> None:
        relabelling.ask(1)
        assert "Going through what is stored" in officer.get("/privacy/rules").content.decode()
        go()
        page = officer.get("/privacy/rules/progress").content.decode()
        assert "looked at" in page
        assert "hx-get" not in page

    def test_of_a_rule_that_is_not_there_does_not_exist(self, officer: Client) -> None:
        assert officer.post("/privacy/rules/nothing/end").status_code == 404
        assert officer.post("/privacy/rules/0199c1f0-0000-7000-8000-00000000ffff/end").status_code == 404


def test_what_is_imported_has_its_labels_on_the_way_in(store: Store, tmp_path: Path) -> None:
    """Also what a claim inherits from a diagnosis that comes in the same file."""
    ids = [f"0199c1f0-0000-7000-8000-00000000100{number}" for number in range(2)]
    claim = {
        "resourceType": "Claim", "id": ids[1], "status": "active", "use": "claim", "created": "2026-01-02", "patient": {"reference": f"Patient/{cast.PATIENT_ID}"},
        "type": {"text": "professional"}, "priority": {"text": "normal"}, "provider": {"display": "x"}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}],
        "diagnosis": [{"sequence": 1, "diagnosisReference": {"reference": f"urn:uuid:{ids[0]}"}}],
    }  # fmt: skip
    entries = [
        {"fullUrl": f"urn:uuid:{one['id']}", "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for one in (condition(ids[0], OPIOIDS), claim)
    ]
    (tmp_path / "file.json").write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    report = load([tmp_path], lambda: open_store(cast.system("import")))
    assert (report.created, report.refused) == (2, [])
    assert [labels_of(store.read(type, id).data) for type, id in zip(("Condition", "Claim"), ids, strict=True)] == [{"ETH"}, {"ETH"}]


def test_a_writer_who_began_before_the_rule_is_waited_for(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it stores without the label is committed before the pass looks."""
    from threading import Event, Thread

    monkeypatch.setattr(relabelling, "SETTLED", dt.timedelta(0))
    Relabelling.objects.all().delete()
    house()
    begun, may_end = Event(), Event()

    def slow() -> None:
        with unit_of_work(by=cast.system()) as work:
            work.store.update(condition("tb", TUBERCULOSIS))
            work.store.flush()
            begun.set()
            may_end.wait(30)
        connection.close()

    writer = Thread(target=slow)
    writer.start()
    assert begun.wait(30)
    rule()
    states = [relabelling.step(1) for _ in range(3) if relabelling.ask(1) is None]
    assert set(states) == {"waiting"}
    may_end.set()
    writer.join()
    relabelling.run(1)
    forget()
    assert labels_of(open_store(cast.system()).read("Condition", "tb").data) == {"V"}
