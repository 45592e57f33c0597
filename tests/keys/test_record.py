"""The record sealed: what stands in the database, what is read, and what is found."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection

from openward.access.actor import Actor
from openward.fhir.errors import FhirError
from openward.fhir.sealing.bodies import in_clear
from openward.fhir.sealing.port import Locked
from openward.fhir.store import Store
from openward.keys import resealing, rotation
from openward.keys.models import DataKey
from openward.keys.ring import RING
from openward.keys.sealing import key_id
from openward.record import open_store, unit_of_work

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("sealing", tenant=1)
SSN = "http://hl7.org/fhir/sid/us-ssn"
RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
PSYCHIATRY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
TYPED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS"}]}


@pytest.fixture(autouse=True)
def fresh_ring() -> Iterator[None]:
    RING.forget()
    yield
    RING.forget()


def write(*resources: dict[str, Any]) -> list[Any]:
    with unit_of_work(by=ACTOR) as work:
        return [work.store.create(resource) for resource in resources]


def store() -> Store:
    return open_store(ACTOR)


def bodies() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select body from fhir.body where body is not null order by rtype, rkey, ver")
        return [row[0] for row in cursor.fetchall()]


def dumped() -> str:
    """Every table of the database as COPY writes it, binary columns in hexadecimal as they are."""
    wire = connection.connection
    tables = psycopg.Cursor(wire).execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    )
    parts = []
    for (name,) in tables.fetchall():
        with psycopg.Cursor(wire).copy(f"copy (select * from {name}) to stdout".encode()) as copy:
            parts += [bytes(chunk) for chunk in copy]
    return b"".join(parts).decode()


def person(value: str = "999-12-3456", system: str | None = SSN, **more: Any) -> dict[str, Any]:
    identifier = {"value": value, **({"system": system} if system else {}), **more}
    return {"resourceType": "Patient", "identifier": [identifier], "name": [{"family": "Marlow", "given": ["Ada"]}]}


def note(*labels: dict[str, str], text: str = "the very secret note") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "meta": {"security": list(labels)} if labels else {"tag": [{"code": "plain"}]},
        "text": {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'},
        "status": "final",
        "code": {"text": "Visit"},
        "valueString": f"{text} as an answer",
        "note": [{"text": f"{text} in an annotation"}],
    }


class TestASocialSecurityNumber:
    def test_is_read_as_it_was_written_and_stands_nowhere_in_clear(self) -> None:
        (one,) = write(person())
        assert store().read("Patient", one.id).data["identifier"][0]["value"] == "999-12-3456"
        everything = dumped()
        assert "999-12-3456" not in everything
        assert "999123456" not in everything

    @pytest.mark.parametrize("asked", [f"{SSN}|999-12-3456", "999-12-3456"])
    def test_is_found_exactly_with_and_without_its_system(self, asked: str) -> None:
        mine, _ = write(person(), person("999-12-3457"))
        assert [one.id for one in store().search("Patient", {"identifier": asked})] == [mine.id]

    @pytest.mark.parametrize("asked", [f"{SSN}|999-12-345", f"{SSN}|999123456", "|999-12-3456", "urn:other|999-12-3456"])
    def test_is_not_found_by_less_or_by_another_system(self, asked: str) -> None:
        write(person())
        assert not list(store().search("Patient", {"identifier": asked}))

    @pytest.mark.parametrize("asked", ["urn:payer|A-77", "A-77"])
    def test_told_by_its_type_alone_is_sealed_and_found_as_well(self, asked: str) -> None:
        (one,) = write(person("A-77", "urn:payer", type=TYPED))
        assert "A-77" not in dumped()
        assert [found.id for found in store().search("Patient", {"identifier": asked})] == [one.id]

    def test_is_found_by_its_type(self) -> None:
        (one,) = write(person(type=TYPED))
        asked = "http://terminology.hl7.org/CodeSystem/v2-0203|SS|999-12-3456"
        assert [found.id for found in store().search("Patient", {"identifier:of-type": asked})] == [one.id]

    def test_is_found_by_the_system_alone(self) -> None:
        (one,) = write(person())
        assert [found.id for found in store().search("Patient", {"identifier": f"{SSN}|"})] == [one.id]

    def test_is_found_by_the_front_desk_when_it_is_typed_whole(self) -> None:
        from openward.fhir.protocols import Where
        from openward.fhir.search.people import PatientFinder

        (one,) = write(person())
        finder = PatientFinder(connection.connection, 1, Where())
        assert [[found.id for found in finder.find(typed)] for typed in ("999-12-3456", "999123456", "99912")] == [[one.id], [one.id], []]

    def test_tells_the_matcher_who_is_the_same(self) -> None:
        from openward.fhir.matching.matcher import Matcher
        from openward.fhir.protocols import Where

        (one,) = write(person())
        other = {**person(), "name": [{"family": "Zzyx", "given": ["Quill"]}]}
        found = Matcher(connection.connection, 1, Where()).matches(other, least=0.0)
        assert [match.id for match in found] == [one.id]

    def test_named_in_a_reference_is_found_through_it(self) -> None:
        reference = {"identifier": {"system": SSN, "value": "999-12-3456"}}
        (one,) = write({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": reference})
        assert "999-12-3456" not in dumped()
        assert [found.id for found in store().search("Observation", {"subject:identifier": f"{SSN}|999-12-3456"})] == [one.id]

    def test_other_identifiers_stay_as_they_are(self) -> None:
        (one,) = write(person("MRN-5", "urn:mrn"))
        assert "MRN-5" in bodies()[0]
        assert [found.id for found in store().search("Patient", {"identifier": "urn:mrn|MRN-5"})] == [one.id]

    def test_taken_away_is_not_found_any_more(self) -> None:
        (one,) = write(person())
        changed = store().read("Patient", one.id)
        changed.data["identifier"] = [each for each in changed.data["identifier"] if each.get("system") != SSN]
        with unit_of_work(by=ACTOR) as work:
            work.store.update(changed)
        assert not list(store().search("Patient", {"identifier": "999-12-3456"}))


class TestAnAttachment:
    DATA = base64.b64encode(b"what the scan says of Ada").decode()

    @pytest.mark.parametrize(
        "resource",
        [
            {"resourceType": "Binary", "contentType": "text/plain", "data": DATA},
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "content": [{"attachment": {"contentType": "text/plain", "data": DATA, "title": "Scan"}}],
            },
            {"resourceType": "Media", "status": "completed", "content": {"contentType": "text/plain", "data": DATA}},
            {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "code": {"text": "x"},
                "presentedForm": [{"contentType": "text/plain", "data": DATA}],
            },
            {"resourceType": "Communication", "status": "completed", "payload": [{"contentAttachment": {"contentType": "text/plain", "data": DATA}}]},
            {"resourceType": "Patient", "name": [{"family": "M"}], "photo": [{"contentType": "text/plain", "data": DATA}]},
            {
                "resourceType": "Basic",
                "code": {"text": "x"},
                "extension": [{"url": "urn:e", "valueAttachment": {"contentType": "text/plain", "data": DATA}}],
            },
            {
                "resourceType": "List",
                "status": "current",
                "mode": "working",
                "contained": [{"resourceType": "Binary", "id": "b", "data": DATA, "contentType": "text/plain"}],
                "entry": [{"item": {"reference": "#b"}}],
            },
        ],
        ids=lambda resource: resource["resourceType"],
    )
    def test_is_read_as_it_was_written_and_stands_nowhere_in_clear(self, resource: dict[str, Any]) -> None:
        (one,) = write(resource)
        read = store().read(resource["resourceType"], one.id).data
        assert {name: read[name] for name in resource} == resource
        everything = dumped()
        assert self.DATA not in everything
        assert "what the scan says" not in everything

    @pytest.mark.parametrize("data", ["", "aGk", "aGk=\n", "a Gk=", "aGl=", "Ⓧ"])
    def test_whose_bytes_are_not_written_in_the_one_usual_way_is_kept_letter_by_letter(self, data: str) -> None:
        from openward.fhir.sealing.bodies import sealed

        text = f'{{"resourceType":"Binary","id":"1","contentType":"x/y","data":{psycopg_json(data)}}}'
        stored = sealed(1, text)
        assert stored != text
        assert in_clear(stored) == text

    def test_measurements_of_a_device_are_no_attachment(self) -> None:
        sampled = {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2 3"}
        write({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueSampledData": sampled})
        assert "1 2 3" in bodies()[0]


def psycopg_json(text: str) -> str:
    from openward.fhir.json import dumps

    return dumps(text).decode()


class TestASensitiveNote:
    @pytest.mark.parametrize("label", [RESTRICTED, PSYCHIATRY], ids=["confidentiality", "sensitivity"])
    def test_is_read_as_it_was_written_and_stands_nowhere_in_clear(self, label: dict[str, str]) -> None:
        resource = note(label)
        (one,) = write(resource)
        read = store().read("Observation", one.id).data
        assert {name: read[name] for name in resource if name != "meta"} == {name: resource[name] for name in resource if name != "meta"}
        assert "secret" not in dumped()

    def test_without_a_label_stays_as_it_is(self) -> None:
        write(note())
        assert "the very secret note" in bodies()[0]

    @pytest.mark.parametrize("words", ["_text", "_content"])
    def test_is_not_found_by_its_words_and_one_without_a_label_is(self, words: str) -> None:
        _, plain = write(note(RESTRICTED), note())
        assert [one.id for one in store().search("Observation", {words: "secret"})] == [plain.id]

    def test_labelled_later_is_sealed_in_its_older_versions_too(self) -> None:
        (one,) = write(note())
        labelled = store().read("Observation", one.id)
        labelled.data["meta"]["security"] = [RESTRICTED]
        with unit_of_work(by=ACTOR) as work:
            work.store.update(labelled)
        assert "secret" in dumped()
        assert resealing.seal_older_versions(10) == 1
        assert "secret" not in dumped()
        assert "very secret" in str(next(v for v in store().history("Observation", one.id).versions if v.number == 1).content["text"])


class TestWhatAClientSends:
    @pytest.mark.parametrize("text", ["/ow1.AAAA", '"\\/ow1.AAAA"', "\\/ow1.AAAA", ' {"resourceType"', "ow1.AR13"])
    def test_that_looks_sealed_comes_back_as_that_text(self, text: str) -> None:
        named, attached = write(person(text), {"resourceType": "Basic", "code": {"text": text}, "subject": {"display": text}})
        assert store().read("Patient", named.id).data["identifier"][0]["value"] == text
        assert store().read("Basic", attached.id).data["subject"]["display"] == text

    def test_of_a_value_sealed_elsewhere_is_never_opened(self) -> None:
        write(person())
        stolen = bodies()[0].split('"\\/')[1].partition('"')[0]
        (one,) = write({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"display": f"/{stolen}"}})
        assert store().read("Basic", one.id).data["subject"]["display"] == f"/{stolen}"


class TestAValueThatCannotBeOpened:
    def lost(self) -> None:
        DataKey.objects.filter(purpose="record-attachment").delete()
        RING.forget()

    def written(self) -> tuple[Any, Any]:
        return tuple(  # type: ignore[return-value]
            write(
                {
                    "resourceType": "Basic",
                    "code": {"text": "x"},
                    "extension": [{"url": "urn:e", "valueAttachment": {"contentType": "text/plain", "data": "aGk="}}],
                },
                {"resourceType": "Basic", "code": {"text": "x"}},
            )
        )

    def test_is_said_with_the_id_of_its_resource(self) -> None:
        sealed, _ = self.written()
        self.lost()
        with pytest.raises(Locked, match=f"Basic/{sealed.id} holds sealed values") as told:
            store().read("Basic", sealed.id)
        assert told.value.status == 500

    def test_leaves_everything_else_readable(self) -> None:
        _, plain = self.written()
        self.lost()
        assert store().read("Basic", plain.id).id == plain.id

    def test_stands_on_a_page_of_a_search_as_an_outcome_beside_what_can_be_read(self) -> None:
        from openward.fhir.interactions.search import searchset
        from openward.fhir.json import dumps, loads

        sealed, plain = self.written()
        self.lost()
        entries = loads(dumps(searchset(store(), "Basic", [], "http://x")))["entry"]
        assert {(entry["fullUrl"], entry["search"]["mode"], entry["resource"]["resourceType"]) for entry in entries} == {
            (f"http://x/Basic/{plain.id}", "match", "Basic"),
            (f"http://x/Basic/{sealed.id}", "outcome", "OperationOutcome"),
        }

    def test_moved_to_another_resource_does_not_open(self) -> None:
        one, other = write(person(), person("999-12-0000"))
        with connection.cursor() as cursor:
            cursor.execute(
                'update fhir.body set body = replace(body, substring(body from \'"\\\\/[^"]*"\'),'
                ' (select substring(body from \'"\\\\/[^"]*"\') from fhir.body where rkey::text = %s)) where rkey::text = %s',
                [one.id, other.id],
            )
        with pytest.raises(Locked):
            store().read("Patient", other.id)

    def test_changed_by_a_letter_does_not_open(self) -> None:
        (one,) = write(person())
        with connection.cursor() as cursor:
            cursor.execute(
                "update fhir.body set body = regexp_replace(body, '(\"\\\\/ow1.{40})(.)', '\\1' || case when '\\2' = 'A' then 'B' else 'A' end)"
            )
        with pytest.raises(Locked):
            store().read("Patient", one.id)

    def test_of_a_purpose_that_is_not_the_records_does_not_open(self) -> None:
        from openward.keys.sealing import seal

        (one,) = write(person())
        foreign = seal("totp", "secret", about=("Patient", one.id))
        with connection.cursor() as cursor:
            cursor.execute('update fhir.body set body = regexp_replace(body, \'"\\\\/[^"]*"\', %s)', [f'"\\\\/{foreign}"'])
        with pytest.raises(Locked):
            store().read("Patient", one.id)

    def test_without_the_key_of_the_blind_index_other_numbers_are_found(self) -> None:
        one, _ = write(person("MRN-5", "urn:mrn"), person())
        with connection.cursor() as cursor:
            cursor.execute("update keys_datakey set wrapped = '\\x00' where purpose = 'record-identifier:blind'")
        RING.forget()
        assert [found.id for found in store().search("Patient", {"identifier": "urn:mrn|MRN-5"})] == [one.id]
        with pytest.raises(FhirError, match="the key they are found by is missing"):
            store().search("Patient", {"identifier": f"{SSN}|999-12-3456"})


class TestRotation:
    def key_ids(self) -> set[int]:
        return {key_id(part.partition('"')[0]) for body in bodies() for part in body.split('"\\/')[1:]}

    def test_seals_bodies_anew_and_changes_nothing_that_is_read(self) -> None:
        (one,) = write(person())
        before = store().read("Patient", one.id).data
        old = self.key_ids()
        rotation.new_data_keys()
        while rotation.reseal_batch():
            pass
        assert self.key_ids().isdisjoint(old)
        assert store().read("Patient", one.id).data == before
        assert [found.id for found in store().search("Patient", {"identifier": "999-12-3456"})] == [one.id]

    def test_stopped_half_way_goes_on_where_it_was_and_all_can_be_read_meanwhile(self) -> None:
        found = write(*(person(f"999-12-000{number}") for number in range(5)))
        old = self.key_ids()
        rotation.new_data_keys()
        assert resealing.reseal(2) == 2
        assert self.key_ids() & old
        assert [len(store().search("Patient", {"identifier": f"999-12-000{number}"})) for number in range(5)] == [1] * 5
        assert [resealing.reseal(2), resealing.reseal(2), resealing.reseal(2)] == [2, 1, 0]
        assert self.key_ids().isdisjoint(old)
        assert [store().read("Patient", one.id).id for one in found] == [one.id for one in found]

    def test_leaves_what_cannot_be_opened_and_goes_on_with_the_rest(self) -> None:
        write(person(), {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="})
        rotation.new_data_keys()
        with connection.cursor() as cursor:
            cursor.execute("update keys_datakey set wrapped = '\\x00' where purpose = 'record-attachment' and retired_at is not null")
        RING.forget()
        assert resealing.reseal(10) == 1
        assert resealing.reseal(10) == 0

    def test_of_history_too(self) -> None:
        (one,) = write(person())
        again = store().read("Patient", one.id)
        again.data["active"] = True
        with unit_of_work(by=ACTOR) as work:
            work.store.update(again)
        old = self.key_ids()
        rotation.new_data_keys()
        assert resealing.reseal(10) == 2
        assert self.key_ids().isdisjoint(old)


class TestARecordOfBeforeItWasSealed:
    @pytest.fixture
    def old(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """What stood there: written while nothing was sealed."""
        from openward.fhir.sealing import port

        keys = port.held()
        port._held.clear()
        written = write(person(), note(RESTRICTED), note(), {"resourceType": "Binary", "contentType": "text/plain", "data": "dGhlIHNjYW4="})
        assert keys is not None
        port.install(keys)
        with connection.cursor() as cursor:
            cursor.execute("update fhir.sealing_walk set done = ''")
        return written

    def test_is_told_from_one_that_began_empty(self) -> None:
        beginning = import_module("openward.record.migrations.0012_sealed_from_the_start").nothing_stands_in_clear
        with connection.cursor() as cursor:
            cursor.execute(resealing.MAKE)  # tests whose commits are real leave the table without its row
            cursor.execute("update fhir.sealing_walk set done = ''")
        assert resealing.is_unfinished()
        beginning(apps, SimpleNamespace(connection=connection))
        assert not resealing.is_unfinished()

    def test_is_read_before_and_after_and_stands_sealed_after(self, old: list[Any]) -> None:
        before = [store().read(one.data["resourceType"], one.id).data for one in old]
        assert "999-12-3456" in dumped()
        while rotation.reseal_batch():
            pass
        assert [store().read(one.data["resourceType"], one.id).data for one in old] == before
        left = dumped()
        assert [text in left for text in ("999-12-3456", "999123456", "dGhlIHNjYW4=")] == [False] * 3
        assert sum("secret" in body for body in bodies()) == 1

    def test_says_until_when_something_stood_in_clear(self, old: list[Any]) -> None:
        assert resealing.clear_until() is None
        assert resealing.reseal(100) == 3
        until = resealing.clear_until()
        assert until is not None
        rotation.new_data_keys()
        while rotation.reseal_batch():
            pass
        assert resealing.clear_until() == until

    def test_is_found_after_as_before(self, old: list[Any]) -> None:
        while rotation.reseal_batch():
            pass
        assert [one.id for one in store().search("Patient", {"identifier": f"{SSN}|999-12-3456"})] == [old[0].id]
        assert [one.id for one in store().search("Patient", {"family": "Marlow"})] == [old[0].id]

    def test_is_gone_through_once(self, old: list[Any]) -> None:
        assert resealing.reseal(100) == 3
        assert resealing.reseal(100) == 0
        with connection.cursor() as cursor:
            cursor.execute("select done, wanted from fhir.sealing_walk")
            assert cursor.fetchone() == (resealing.RULES, "")

    def test_keeps_the_transaction_and_time_of_its_versions(self, old: list[Any]) -> None:
        columns = "select tenant, rtype, rkey, ver, tx::text, ts, op, patient, id from fhir.body order by rkey"
        with connection.cursor() as cursor:
            cursor.execute(columns)
            before = cursor.fetchall()
            resealing.reseal(100)
            cursor.execute(columns)
            assert cursor.fetchall() == before
