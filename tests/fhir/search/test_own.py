"""Search parameters that a site adds itself: told, indexed while work goes on, searched by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from openward.fhir.errors import BadRequest, Conflict, Invalid
from openward.fhir.guards import guard
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import Call, named
from openward.fhir.search import own, reindex
from openward.fhir.search.own import OWN
from openward.fhir.search.query import NotIndexedYet, Unknown
from openward.fhir.search.reindex import progress, step
from openward.fhir.search.told import tell
from openward.fhir.store import Store
from tests.fhir.house import House

# Another process that indexes ten at a time and says so.
INDEXER = """
import sys, psycopg
from openward.fhir.search import reindex
reindex.BATCH = reindex.BATCH.replace("limit 500", "limit 10")
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    while (state := reindex.step(connection, settled=0.0)) is not None:
        print(state, flush=True)
"""


@pytest.fixture(autouse=True)
def looks_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every use looks for changes; nothing is left in this process afterwards."""
    monkeypatch.setattr(own, "LOOK_EVERY", 0.0)
    guard("SearchParameter", on=("create", "update", "delete"), registry=house.guards)(tell)  # type: ignore[arg-type]
    OWN.keep_fresh(house.connect(), now=True)
    yield
    house.connect().execute("delete from fhir.own_parameter")
    OWN.keep_fresh(house.connect(), now=True)


def parameter(code: str, type: str, expression: str, base: str = "Patient", **more: Any) -> dict[str, Any]:
    named = {"resourceType": "SearchParameter", "url": f"urn:site:{code}", "name": code.title().replace("-", ""), "status": "active"}
    return {**named, "description": "Ours.", "code": code, "base": [base], "type": type, "expression": expression, **more}


def patient(id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, **more}


def index_all(house: House) -> list[str]:
    """Every step's outcome."""
    steps = []
    while (state := step(house.connect(), settled=0.0)) is not None:
        steps.append(state)
        assert len(steps) < 100
    return steps


def ids(store: Store, query: str, type: str = "Patient") -> list[str]:
    params = [tuple(part.split("=", 1)) for part in query.split("&")]
    return sorted(str(found.id) for found in store.search(type, params))  # type: ignore[arg-type]


KINDS: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    "string": ("string", "Patient.contact.name.family", {"contact": [{"name": {"family": "Öberg"}}]}, "ober", "ada"),
    "token": ("token", "Patient.maritalStatus", {"maritalStatus": {"coding": [{"system": "urn:m", "code": "M"}]}}, "urn:m|M", "urn:m|S"),
    "code": ("token", "Patient.contact.gender", {"contact": [{"name": {"text": "x"}, "gender": "male"}]}, "male", "female"),
    "boolean": ("token", "Patient.multipleBirth.ofType(boolean)", {"multipleBirthBoolean": True}, "true", "false"),
    "number": ("number", "Patient.multipleBirth.ofType(integer)", {"multipleBirthInteger": 2}, "ge2", "gt2"),
    "date": ("date", "Patient.contact.period", {"contact": [{"name": {"text": "x"}, "period": {"start": "2020", "end": "2021"}}]}, "gt2020", "ge2022"),
    "uri": ("uri", "Patient.photo.url", {"photo": [{"url": "http://a.org/1"}]}, "http://a.org/1", "http://a.org/2"),
    "reference": ("reference", "Patient.contact.organization", {"contact": [{"organization": {"reference": "Organization/o"}}]}, "Organization/o", "Organization/p"),
    "extension": ("quantity", "Patient.extension('urn:height')", {"extension": [{"url": "urn:height", "valueQuantity": {"value": 180, "unit": "cm"}}]}, "gt170||cm", "gt190||cm"),
    "computed": ("string", "Patient.name.where(use = 'official').given.first()", {"name": [{"given": ["Eve"]}, {"use": "official", "given": ["Ada", "Bea"]}]}, "ada", "bea"),
    "condition": ("token", "(Patient.name.count() > 1)", {"name": [{"text": "a"}, {"text": "b"}]}, "true", "false"),
    "presence": ("token", "Patient.identifier.where(system = 'urn:x').exists()", {"identifier": [{"system": "urn:x", "value": "1"}]}, "true", "false,urn:x|1"),
    "joined": ("string", "Patient.name.given.first() & ' ' & Patient.name.family.first()", {"name": [{"given": ["Ada"], "family": "Okafor"}]}, "ada okafor", "okafor"),
}  # fmt: skip


class TestIndexing:
    @pytest.mark.parametrize(("type", "expression", "content", "found", "missed"), KINDS.values(), ids=KINDS.keys())
    def test_what_was_there_and_what_comes_later_is_found(
        self, house: House, type: str, expression: str, content: dict[str, Any], found: str, missed: str
    ) -> None:
        store = house.store(strict=False)
        store.update(patient("before", **content))
        targets = {"target": ["Organization"]} if type == "reference" else {}
        store.create(parameter("ours", type, expression, **targets))
        store.update(patient("between", **content))
        assert index_all(house) == ["running", "running", "active"]
        store.update(patient("after", **content))
        assert ids(store, f"ours={found}") == ["after", "before", "between"]
        assert "before" not in ids(store, f"ours={missed}")

    def test_each_value_is_indexed_once_however_often_it_is_done(self, house: House) -> None:
        store = house.store()
        store.update(patient("a", contact=[{"name": {"family": "Abel"}}]))
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        store.update(patient("b", contact=[{"name": {"family": "Bell"}}]))
        index_all(house)
        assert house.count("fhir.string_value where param = " + str(own_number("ours"))) == 2

    def test_a_chain_and_an_order_use_it_as_any_other(self, house: House) -> None:
        store = house.store()
        for id, family in (("a", "Young"), ("b", "Abel")):
            store.update(patient(id, contact=[{"name": {"family": family}}]))
            store.update({"resourceType": "Flag", "id": id, "status": "active", "code": {"text": "x"}, "subject": {"reference": f"Patient/{id}"}})
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        index_all(house)
        assert [found.id for found in store.search("Patient", {"_sort": "ours"})] == ["b", "a"]
        assert ids(store, "subject:Patient.ours=you", "Flag") == ["a"]
        assert ids(store, "_has:Flag:subject:status=active&ours:missing=false") == ["a", "b"]

    def test_an_order_by_what_stands_nowhere_is_refused(self, house: House) -> None:
        store = house.store()
        store.create(parameter("ours", "number", "Patient.contact.count()"))
        index_all(house)
        with pytest.raises(BadRequest, match="_sort"):
            store.search("Patient", {"_sort": "ours"})

    def test_a_reference_whose_targets_are_not_named_may_lead_anywhere(self, house: House) -> None:
        store = house.store(strict=False)
        store.update({"resourceType": "Organization", "id": "o", "name": "Ward"})
        store.update(patient("a", contact=[{"organization": {"reference": "Organization/o"}}]))
        store.create(parameter("ours", "reference", "Patient.contact.organization"))
        index_all(house)
        assert ids(store, "ours=Organization/o") == ids(store, "ours=o") == ids(store, "ours:Organization.name=ward") == ["a"]

    def test_another_expression_finds_what_it_says_and_nothing_of_the_old(self, house: House) -> None:
        store = house.store()
        store.update(patient("a", contact=[{"name": {"family": "Abel", "given": ["Bea"]}}]))
        kept = store.create(parameter("ours", "string", "Patient.contact.name.family"))
        index_all(house)
        store.update(kept.data | {"expression": "Patient.contact.name.given"})
        index_all(house)
        assert (ids(store, "ours=bea"), ids(store, "ours=abel")) == (["a"], [])


def own_number(code: str) -> int:
    from openward.fhir.search.parameters import number

    return number(code)


class TestMeanwhile:
    def test_it_is_not_searched_by_before_everything_is_indexed(self, house: House) -> None:
        store = house.store()
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        assert store.search("Patient", {"ours": "x"}).ignored == ["ours"]
        from openward.fhir.interactions.search import search

        with pytest.raises(NotIndexedYet, match="still being indexed"):
            search(store, "Patient", {"ours": "x"}, strict=True)

    def test_one_that_was_killed_goes_on_where_it_was(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        store = house.store()
        for number in range(10):
            store.update(patient(f"p{number}", contact=[{"name": {"family": f"Family{number}"}}]))
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        monkeypatch.setattr(reindex, "BATCH", reindex.BATCH.replace("limit 500", "limit 3"))
        assert [step(house.connect(), settled=0.0) for _ in range(3)] == ["running"] * 3
        killed = house.connect()
        monkeypatch.setattr(reindex, "write_index", lambda *_: killed.close())
        with pytest.raises(Exception):  # noqa: B017 - whatever the driver says of a connection that is gone
            step(killed, settled=0.0)
        monkeypatch.undo()
        assert [(one.state, one.done, one.total) for one in progress(house.connect())] == [("running", 6, 10)]
        index_all(house)
        OWN.keep_fresh(store.connection, now=True)
        assert len(ids(store, "ours=family")) == 10

    def test_what_another_process_is_at_is_waited_for(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        house.store().create(parameter("ours", "string", "Patient.contact.name.family"))
        monkeypatch.setattr(reindex, "SETTLED", 0.0)
        other, pauses = house.connect(), []
        other.execute("begin")
        other.execute("select 1 from fhir.own_parameter for update")

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                other.execute("commit")

        monkeypatch.setattr(reindex.time, "sleep", pause)
        reindex.run_out(house.connect())
        assert len(pauses) >= 3
        assert [one.state for one in progress(house.connect())] == ["active"]

    def test_killed_again_and_again_while_others_write_it_leaves_every_resource_indexed_once(self, house: House) -> None:
        store = house.store()
        for number in range(120):
            store.update(patient(f"p{number}", contact=[{"name": {"family": f"Family{number}"}}]))
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        kills, finished = 0, False
        while not finished:
            with subprocess.Popen([sys.executable, "-c", INDEXER, house.url], stdout=subprocess.PIPE, text=True) as indexer:
                assert indexer.stdout
                lines = [indexer.stdout.readline() for _ in range(4)]
                store.update(patient(f"p{kills}", contact=[{"name": {"family": f"Changed{kills}"}}], gender="female"))
                store.update(patient(f"late{kills}", contact=[{"name": {"family": f"Family{kills}"}}]))
                if finished := not all(lines):
                    indexer.wait()
                else:
                    indexer.kill()
                    kills += 1
        assert kills >= 2
        OWN.keep_fresh(store.connection, now=True)
        assert [one.state for one in progress(store.connection)] == ["active"]
        everyone = len(store.search("Patient", {"_count": 1000}))
        assert len(ids(store, "ours=family&_count=1000")) + len(ids(store, "ours=changed&_count=1000")) == everyone
        assert house.count("fhir.string_value where param = " + str(own_number("ours"))) == everyone

    def test_it_waits_for_writers_who_began_before_it_was_told(self, house: House) -> None:
        writer = house.connect()
        writer.execute("begin")
        writer.execute("select pg_current_xact_id()")
        house.store().create(parameter("ours", "string", "Patient.contact.name.family"))
        assert step(house.connect(), settled=0.0) == "waiting"
        writer.execute("commit")
        assert step(house.connect(), settled=0.0) == "running"

    def test_every_other_process_learns_of_it(self, house: House) -> None:
        elsewhere = own.Registry()
        elsewhere.keep_fresh(house.connect())
        house.store().create(parameter("ours", "string", "Patient.contact.name.family"))
        elsewhere.keep_fresh(house.connect())
        assert elsewhere.of("Patient")["ours"].is_ready is False
        index_all(house)
        elsewhere.keep_fresh(house.connect())
        assert elsewhere.of("Patient")["ours"].is_ready

    def test_what_was_read_before_it_was_known_is_read_again_when_it_is_written(self, house: House) -> None:
        from openward.fhir.interactions.sound import sound
        from openward.fhir.interactions.writing import prepare

        store = house.store()
        resource = patient("early", contact=[{"name": {"family": "Early"}}])
        examined = sound("Patient", "early", resource, tenant=1)
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        index_all(house)
        with store.attempt("create", "Patient"):
            prepare(store, "create", "Patient", "early", resource, None, examined)
        assert ids(store, "ours=early") == ["early"]

    def test_two_workers_do_not_stand_in_each_others_way(self, house: House) -> None:
        house.store().create(parameter("ours", "string", "Patient.contact.name.family"))
        first = house.connect()
        with first.transaction():
            first.execute("select from fhir.own_parameter for update")
            assert step(house.connect(), settled=0.0) is None
        assert step(house.connect(), settled=0.0) == "running"


class TestWhatIsStored:
    def test_deleted_or_retired_it_is_unknown_again(self, house: House) -> None:
        store = house.store()
        kept = store.create(parameter("ours", "string", "Patient.contact.name.family"))
        index_all(house)
        assert store.search("Patient", {"ours": "x"}).ignored == []
        store.update(kept.data | {"status": "retired"})
        assert store.search("Patient", {"ours": "x"}).ignored == ["ours"]
        store.update(kept.data | {"description": "Ours again."})
        index_all(house)
        assert store.search("Patient", {"ours": "x"}).ignored == []
        store.delete("SearchParameter", kept.id)
        assert store.search("Patient", {"ours": "x"}).ignored == ["ours"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": "composite"}, {"type": "special"}, {"code": "a b"}, {"code": "a.b"}, {"base": ["Resource"]},
            {"expression": "Patient.name.("}, {"expression": "x" * 5000},
        ],
    )  # fmt: skip
    def test_what_cannot_be_indexed_is_refused(self, house: House, wrong: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            house.store().create(parameter("ours", "string", "Patient.contact.name.family") | wrong)

    def test_a_draft_is_only_kept(self, house: House) -> None:
        house.store().create(parameter("ours", "composite", "Patient.nonsense((") | {"status": "draft"})
        assert progress(house.connect()) == []

    def test_a_code_the_specification_has_stays_what_it_is(self, house: House) -> None:
        house.store().create(parameter("family", "string", "Patient.contact.name.family"))
        assert progress(house.connect()) == []

    def test_two_may_not_have_the_same_code(self, house: House) -> None:
        store = house.store()
        store.create(parameter("ours", "string", "Patient.contact.name.family"))
        with pytest.raises(Conflict, match="urn:site:ours"):
            store.create(parameter("ours", "string", "Patient.contact.name.given") | {"url": "urn:other"})

    def test_a_parameter_unknown_to_a_type_stays_unknown_there(self, house: House) -> None:
        from openward.fhir.search.query import parse

        house.store().create(parameter("ours", "string", "Patient.contact.name.family"))
        index_all(house)
        with pytest.raises(Unknown):
            parse("Person", {"ours": "x"}, strict=True)


class TestTenants:
    """A parameter holds for all tenants; what they have stays theirs."""

    @pytest.fixture
    def both(self, house: House) -> tuple[Store, Store]:
        one, other = house.store(), house.store(tenant=2)
        for store, ids in ((one, ("mine",)), (other, ("theirs", "theirs-too"))):
            for id in ids:
                store.update(patient(id, maritalStatus={"text": "single"}))
        other.create(parameter("marital", "token", "Patient.maritalStatus"))
        index_all(house)
        return one, other

    def test_each_finds_its_own_resources_only(self, both: tuple[Store, Store]) -> None:
        one, other = both
        assert ids(one, "marital:missing=false", type="Patient") == ["mine"]
        assert ids(other, "marital:text=single", type="Patient") == ["theirs", "theirs-too"]

    def test_its_definition_cannot_be_read_by_another(self, both: tuple[Store, Store]) -> None:
        one, other = both
        assert [found.id for found in one.search("SearchParameter", {"url": "urn:site:marital"}).matches] == []
        assert len(other.search("SearchParameter", {"url": "urn:site:marital"}).matches) == 1

    def test_how_many_resources_another_has_is_not_told(self, house: House, both: tuple[Store, Store]) -> None:
        told = named("reindex-status", "type", "SearchParameter").carry(Call(both[0], "reindex-status", "SearchParameter", None, Parameters()))
        parts = {part["name"]: part for part in told["parameter"][0]["part"]}  # type: ignore[index]
        assert parts["percent"]["valueInteger"] == 100
        assert parts.keys().isdisjoint({"done", "total"})

    def test_an_only_tenant_is_told_the_numbers(self, house: House) -> None:
        store = house.store()
        store.update(patient("mine", maritalStatus={"text": "single"}))
        store.create(parameter("marital", "token", "Patient.maritalStatus"))
        index_all(house)
        told = named("reindex-status", "type", "SearchParameter").carry(Call(store, "reindex-status", "SearchParameter", None, Parameters()))
        parts = {part["name"]: part.get("valueInteger") for part in told["parameter"][0]["part"]}  # type: ignore[index]
        assert (parts["done"], parts["total"]) == (1, 1)
