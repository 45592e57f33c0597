from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openward.fhir.errors import Forbidden, Gone, NotFound, UnknownType
from openward.fhir.ids import key
from openward.fhir.interactions.read import read_to_send
from openward.fhir.packed import EPOCH
from openward.fhir.protocols import AuditInsert, Event, Interaction, Where
from openward.fhir.resources import HumanName, Patient
from openward.fhir.sealing import port
from openward.fhir.sealing.port import Locked
from openward.fhir.search.token import token_hash
from openward.fhir.store import Store
from openward.fhir.versions import instant
from tests.fhir.house import House, PlainKeys, TablePolicy, Visitor


def ada(store: Store) -> Patient:
    return store.create(Patient(name=[HumanName(family="Okafor", given=["Ada"])], birthDate="1980-02-03"))


class TestRead:
    def test_what_was_created_comes_back_typed(self, store: Store) -> None:
        made = ada(store)
        assert store.read(Patient, made.id).name[0].family == "Okafor"

    def test_a_read_is_audited_with_version_and_patient(self, house: House, store: Store) -> None:
        made = ada(store)
        store.read("Patient", made.id)
        row = house.connections[0].execute("select rkey, ver, patient, outcome from heard where interaction = 'read'").fetchone()
        assert row == (UUID(made.id), 1, UUID(made.id), 0)

    def test_a_client_id_that_is_no_uuid_is_kept(self, store: Store) -> None:
        store.update({"resourceType": "Patient", "id": "Pat.1", "active": True})
        assert store.read("Patient", "Pat.1").data["id"] == "Pat.1"

    def test_ids_are_case_sensitive(self, store: Store) -> None:
        store.update({"resourceType": "Patient", "id": "pat", "active": True})
        assert store.find("Patient", "PAT") is None

    def test_what_never_was_is_not_found_and_audited(self, house: House, store: Store) -> None:
        with pytest.raises(NotFound, match="Patient/nobody does not exist"):
            store.read("Patient", "nobody")
        assert house.heard() == [("read", "Patient", None, 4)]

    def test_what_was_deleted_is_gone(self, store: Store) -> None:
        made = ada(store)
        store.delete("Patient", made.id)
        with pytest.raises(Gone):
            store.read("Patient", made.id)

    def test_a_type_that_is_not_fhir_is_unknown(self, store: Store) -> None:
        with pytest.raises(UnknownType):
            store.read("Pasient", "1")

    def test_another_tenants_resource_does_not_exist(self, house: House, store: Store) -> None:
        made = ada(store)
        with pytest.raises(NotFound):
            house.store(tenant=2).read("Patient", made.id)

    def test_find_gives_none_for_what_is_gone(self, store: Store) -> None:
        made = ada(store)
        store.delete("Patient", made.id)
        assert store.find(Patient, made.id) is None


class TestReadUnderPolicy:
    def test_another_patients_resource_does_not_exist(self, house: House, store: Store) -> None:
        made = ada(store)
        stranger = house.store(Visitor(patient=key("Patient", "somebody-else")))
        with pytest.raises(NotFound):
            stranger.read("Patient", made.id)

    def test_the_refusal_is_audited_as_refused(self, house: House, store: Store) -> None:
        made = ada(store)
        stranger = house.store(Visitor(id="stranger", patient=key("Patient", "somebody-else")))
        assert stranger.find("Patient", made.id) is None
        assert house.heard()[-1] == ("read", "Patient", None, 4)

    def test_a_deleted_resource_one_could_not_see_is_not_gone_but_not_found(self, house: House, store: Store) -> None:
        made = ada(store)
        store.delete("Patient", made.id)
        with pytest.raises(NotFound):
            house.store(Visitor(patient=key("Patient", "somebody-else"))).read("Patient", made.id)

    def test_a_type_without_a_grant_does_not_exist(self, house: House, store: Store) -> None:
        made = ada(store)
        with pytest.raises(NotFound):
            house.store(Visitor(types=frozenset({"Observation"}))).read("Patient", made.id)

    def test_searching_a_type_without_a_grant_is_forbidden(self, house: House) -> None:
        with pytest.raises(Forbidden):
            house.store(Visitor(types=frozenset({"Observation"}))).search("Patient", {})

    def test_there_is_no_store_without_an_actor(self, store: Store) -> None:
        with pytest.raises(TypeError, match="no actor, no access"):
            Store(store.connection, 1, None, policy=store.policy, auditor=store.auditor, transaction=store.transaction)


class TestReadMany:
    def test_several_come_in_the_order_asked_for(self, store: Store) -> None:
        first, second = ada(store), ada(store)
        found = store.read_many([("Patient", second.id), (Patient, first.id)])
        assert [resource.id for resource in found] == [second.id, first.id]

    def test_what_may_not_be_seen_is_left_out(self, house: House, store: Store) -> None:
        mine, other = ada(store), ada(store)
        portal = house.store(Visitor(patient=UUID(mine.id)))
        assert [resource.id for resource in portal.read_many([("Patient", other.id), ("Patient", mine.id)])] == [mine.id]

    def test_each_is_audited(self, house: House, store: Store) -> None:
        first, second = ada(store), ada(store)
        store.read_many([("Patient", first.id), ("Patient", second.id)])
        assert house.heard().count(("read", "Patient", 1, 0)) == 2


class TestVread:
    def test_an_old_version_comes_as_it_was(self, store: Store) -> None:
        made = ada(store)
        made.birthDate = "1981-02-03"
        store.update(made)
        assert store.vread(Patient, made.id, 1).birthDate == "1980-02-03"

    def test_a_version_that_never_was_is_not_found(self, store: Store) -> None:
        made = ada(store)
        with pytest.raises(NotFound):
            store.vread("Patient", made.id, 2)

    def test_a_version_from_before_the_deletion_can_be_read(self, store: Store) -> None:
        made = ada(store)
        store.delete("Patient", made.id)
        assert store.vread(Patient, made.id, 1).birthDate == "1980-02-03"

    def test_the_version_that_deletes_is_gone(self, store: Store) -> None:
        made = ada(store)
        store.delete("Patient", made.id)
        with pytest.raises(Gone):
            store.vread("Patient", made.id, 2)

    def test_another_patients_version_does_not_exist(self, house: House, store: Store) -> None:
        made = ada(store)
        with pytest.raises(NotFound):
            house.store(Visitor(patient=key("Patient", "x"))).vread("Patient", made.id, 1)


OWN = Visitor(id="ada", patient=key("Patient", "ada"))
SSN = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"}


class Listening:
    """An auditor without a table in the record's database."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, connection: Any, tenant: int, actor: Visitor, events: Sequence[Event]) -> None:
        self.events += events

    def insert(self, connection: Any, tenant: int, actor: Visitor, interaction: str, type: str, *, many: bool) -> AuditInsert | None:
        return None


SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
R, OTHER = {"system": SYSTEM, "code": "R"}, {"system": SYSTEM, "code": "N"}


class HidesLabelled(TablePolicy):
    """As a policy by sensitivity labels: a row that is there is seen if it has not the label R."""

    def where(self, actor: Visitor, interaction: Interaction, type: str) -> Where | None:
        hidden = "c.date_lo is not null and not c.tok && %(policy_hidden)s::bigint[]"
        return Where(hidden, {"policy_hidden": [token_hash("_security", SYSTEM, "R")]}, hides_labelled_alone=True)


class TestReadToSend:
    @pytest.fixture(autouse=True)
    def stored(self, store: Store) -> None:
        store.update({"resourceType": "Patient", "id": "ada", "birthDate": "1980-02-03"})
        store.update({"resourceType": "Patient", "id": "ada", "birthDate": "1980-03-02", "name": [{"family": "Ok\u00e1for"}]})

    @pytest.mark.parametrize("actor", [Visitor(), OWN], ids=["who may see all", "whose record it is"])
    def test_what_is_sent_is_what_is_read(self, house: House, actor: Visitor) -> None:
        for store in (house.store(actor), house.reading_store(actor)):
            sent, read = read_to_send(store, "Patient", "ada"), house.store(actor).read("Patient", "ada")
            assert (json.loads(sent.body), sent.number) == (read.data, 2)
            assert instant(EPOCH + dt.timedelta(microseconds=sent.at)) == read.data["meta"]["lastUpdated"]

    def test_it_is_on_record_once(self, house: House) -> None:
        read_to_send(house.reading_store(OWN), "Patient", "ada")
        row = house.connections[0].execute("select actor, rkey, ver, patient, outcome from heard where interaction = 'read'").fetchall()
        assert row == [("ada", key("Patient", "ada"), 2, key("Patient", "ada"), 0)]

    def test_an_auditor_without_a_table_is_told(self, house: House) -> None:
        listening = Listening()
        read_to_send(house.reading_store(auditor=listening), "Patient", "ada")
        assert listening.events == [Event("read", "Patient", key("Patient", "ada"), 2, (key("Patient", "ada"),))]

    @pytest.mark.parametrize("id", ["ada", "nobody"])
    def test_what_may_not_be_seen_or_never_was_is_not_found_and_refused(self, house: House, id: str) -> None:
        with pytest.raises(NotFound):
            read_to_send(house.reading_store(Visitor(patient=key("Patient", "ben"))), "Patient", id)
        assert house.heard()[-1] == ("read", "Patient", None, 4)

    @pytest.mark.parametrize("actor", [Visitor(), OWN], ids=["who may see all", "whose record it is"])
    def test_what_was_deleted_is_gone(self, house: House, store: Store, actor: Visitor) -> None:
        store.delete("Patient", "ada")
        with pytest.raises(Gone):
            read_to_send(house.reading_store(actor), "Patient", "ada")
        assert house.heard()[-1] == ("read", "Patient", None, 4)

    def test_who_is_shown_all_but_what_is_labelled_is_sent_nothing_that_is(self, house: House, store: Store) -> None:
        reader, labelled = house.reading_store(), {"meta": {"security": [R]}}
        reader.policy = HidesLabelled()
        assert read_to_send(reader, "Patient", "ada").number == 2
        store.update({"resourceType": "Patient", "id": "ada", **labelled})
        with pytest.raises(NotFound):
            read_to_send(reader, "Patient", "ada")
        store.update({"resourceType": "Patient", "id": "ada", "meta": {"security": [OTHER]}})
        assert read_to_send(reader, "Patient", "ada").number == 4
        store.update({"resourceType": "Patient", "id": "ada", "name": [{"text": 'what is "security"?'}]})
        assert read_to_send(reader, "Patient", "ada").number == 5
        store.delete("Patient", "ada")
        with pytest.raises(NotFound):
            read_to_send(reader, "Patient", "ada")

    def test_what_is_sealed_is_opened(self, house: House, store: Store) -> None:
        store.update({"resourceType": "Patient", "id": "ada", "identifier": [SSN]})
        assert json.loads(read_to_send(house.reading_store(), "Patient", "ada").body)["identifier"] == [SSN]

    def test_what_does_not_open_is_not_sent_and_its_failure_on_record(self, house: House, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.update({"resourceType": "Patient", "id": "ada", "identifier": [SSN]})
        others = PlainKeys()
        others._secret = AESGCM(b"o" * 32)
        monkeypatch.setattr(port, "_held", [others])
        with pytest.raises(Locked):
            read_to_send(house.reading_store(), "Patient", "ada")
        assert house.heard()[-1] == ("read", "Patient", 3, 8)
