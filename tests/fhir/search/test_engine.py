from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from openward.fhir.errors import BadRequest, TooCostly
from openward.fhir.search import include, search
from openward.fhir.search.cursor import BadCursor
from openward.fhir.search.engine import Search
from openward.fhir.search.places import SYSTEM
from openward.fhir.search.query import Unknown, parse
from openward.fhir.search.sort import order
from tests.fhir.search.shelf import Shelf, everything


def _observation(number: int, **more: Any) -> dict[str, Any]:
    day = f"2020-01-{number % 28 + 1:02}"
    value = {"value": number, "unit": "mg"}
    content = {"resourceType": "Observation", "id": f"o{number:03}", "status": "final", "code": {"coding": [{"code": "A", "system": "urn:x"}]}}
    return content | {"effectiveDateTime": day, "valueQuantity": value, "subject": {"reference": f"Patient/p{number % 3}"}} | more


def _patient(id: str, family: str, *given: str, birth: str = "1980-01-01") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, "name": [{"family": family, "given": list(given)}], "birthDate": birth}


def walk(shelf: Shelf, query: str, *, between: Any = None, **how: Any) -> list[list[str]]:
    """Every page's ids, following `next` to the end; `between` is called after each page."""
    pages, cursor = [], ""
    while True:
        page = shelf.search(query + cursor, **how)
        pages.append([version.id for version in page.matches])
        if page.next is None:
            return pages
        cursor = f"&_cursor={page.next}"
        if between:
            between()


def flat(pages: list[list[str]]) -> list[str]:
    return [id for page in pages for id in page]


class TestPaging:
    ORDERS = (
        "",
        "_sort=date",
        "_sort=-date",
        "_sort=_id",
        "_sort=-_lastUpdated",
        "_sort=value-quantity",
        "_sort=-value-quantity,date",
        "_sort=status,-date",
    )

    @pytest.mark.parametrize("sort", ORDERS)
    def test_the_pages_together_are_everything_once(self, shelf: Shelf, sort: str) -> None:
        shelf.put(*(_observation(number) for number in range(50)))
        pages = walk(shelf, f"Observation?_count=7&{sort}")
        assert [len(page) for page in pages] == [7] * 7 + [1]
        assert sorted(flat(pages)) == [f"o{number:03}" for number in range(50)]

    @pytest.mark.parametrize("sort", ["", "_sort=date", "_sort=-date", "_sort=-_lastUpdated"])
    def test_what_is_written_meanwhile_loses_and_repeats_nothing(self, shelf: Shelf, sort: str) -> None:
        shelf.put(*(_observation(number) for number in range(30)))
        fresh = iter(range(100, 200))
        pages = walk(shelf, f"Observation?_count=4&{sort}", between=lambda: shelf.put(_observation(next(fresh))))
        seen = flat(pages)
        assert len(seen) == len(set(seen))
        assert {f"o{number:03}" for number in range(30)} <= set(seen)

    @pytest.mark.parametrize("sort", ["", "_sort=_id", "_sort=-_lastUpdated", "_sort=_lastUpdated", "_sort=status,-_lastUpdated"])
    def test_what_is_changed_meanwhile_is_seen_once(self, shelf: Shelf, sort: str) -> None:
        shelf.put(*(_observation(number) for number in range(30)))
        shelf.put(*(_observation(number, language="en") for number in (3, 4)))
        changed = iter([1, 2, 28, 29, 14, 15, 3, 3])
        pages = walk(shelf, f"Observation?_count=4&{sort}", between=lambda: shelf.put(_observation(next(changed), language="fr")))
        assert sorted(flat(pages)) == [f"o{number:03}" for number in range(30)]

    def test_a_page_stays_whole_while_other_connections_write(self, shelf: Shelf, engine_url: str) -> None:
        shelf.put(*(_observation(number) for number in range(40)))
        done = threading.Event()

        def write() -> None:
            with psycopg.connect(engine_url, autocommit=True) as connection:
                other, number = Shelf(connection), 1000
                while not done.is_set():
                    other.put(_observation(number))
                    number += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            seen = flat(walk(shelf, "Observation?_count=5&_sort=date&date=lt2021"))
        finally:
            done.set()
            writer.join()
        assert len(seen) == len(set(seen))
        assert {f"o{number:03}" for number in range(40)} <= set(seen)

    def test_a_removed_row_does_not_shift_the_next_page(self, shelf: Shelf) -> None:
        shelf.put(*(_observation(number) for number in range(10)))
        first = shelf.search("Observation?_count=5&_sort=_id")
        shelf.take("Observation", first.matches[0].id)
        shelf.take("Observation", first.matches[4].id)
        assert shelf.ids(f"Observation?_count=5&_sort=_id&_cursor={first.next}") != []
        assert len(flat([[v.id for v in first.matches], shelf.ids(f"Observation?_count=5&_sort=_id&_cursor={first.next}")])) == 10

    def test_the_size_of_the_pages_may_change_on_the_way(self, shelf: Shelf) -> None:
        shelf.put(*(_observation(number) for number in range(10)))
        first = shelf.search("Observation?_count=3&_sort=date")
        assert len(shelf.ids(f"Observation?_count=100&_sort=date&_cursor={first.next}")) == 7


class TestCursors:
    def test_a_forged_cursor_is_refused(self, shelf: Shelf) -> None:
        shelf.put(*(_observation(number) for number in range(5)))
        cursor = shelf.search("Observation?_count=2").next or ""
        for forged in (cursor[:-4] + "AAAA", "x", "", "%%%", "eyJhIjoxfQ", cursor + "A" * 4):
            if forged:
                with pytest.raises(BadCursor):
                    shelf.search(f"Observation?_count=2&_cursor={forged}")

    def test_a_cursor_is_good_for_its_own_search_only(self, shelf: Shelf) -> None:
        shelf.put(*(_observation(number) for number in range(5)))
        cursor = shelf.search("Observation?_count=2&status=final").next
        with pytest.raises(BadCursor):
            shelf.search(f"Observation?_count=2&status=amended&_cursor={cursor}")
        with pytest.raises(BadCursor):
            Shelf(shelf.connection, tenant=2).search(f"Observation?_count=2&status=final&_cursor={cursor}")


class TestOrder:
    @pytest.fixture
    def people(self, shelf: Shelf) -> Shelf:
        shelf.put(
            _patient("a", "Young", "Zoe", birth="1990-01-01"),
            _patient("b", "Abel", "Tom", birth="1950"),
            _patient("c", "Young", "Ada", birth="1970-05-05"),
            {"resourceType": "Patient", "id": "d", "gender": "male"},
        )
        return shelf

    @pytest.mark.parametrize(
        ("sort", "expected"),
        {
            "family,given": "bcad",
            "-family,given": "cabd",
            "family,-given": "bacd",
            "-birthdate": "acbd",
            "birthdate": "bcad",
            "birthdate,-family": "bcad",
            "gender,birthdate": "dbca",
            "death-date,birthdate": "bcad",
            "name": "bcad",
            "gender,_id": "dabc",
            "-_lastUpdated": "dcba",
            "_lastUpdated": "abcd",
        }.items(),
    )
    def test_keys_count_in_turn_and_what_has_no_value_comes_last(self, people: Shelf, sort: str, expected: str) -> None:
        found = people.ids(f"Patient?_sort={sort}")
        if "_id" in sort:
            assert found[0] == "d"
        else:
            assert "".join(found) == expected

    def test_across_types_what_has_no_date_comes_last_too(self, shelf: Shelf) -> None:
        for number in range(4):
            dated = number % 2 == 0
            visit = {"resourceType": "Encounter", "id": f"e{number}", "status": "finished", "class": {"code": "AMB"}}
            shelf.put(visit | ({"period": {"start": f"2019-0{number + 1}-01"}} if dated else {}))
            shelf.put({name: value for name, value in _observation(number).items() if dated or name != "effectiveDateTime"})
        asked: list[tuple[str, str]] = [("_type", "Observation,Encounter"), ("_sort", "date"), ("_count", "1")]
        found: list[str] = []
        cursor: list[tuple[str, str]] = []
        while len(found) < 20:
            page = search(shelf.connection, 1, SYSTEM, [*asked, *cursor], where=everything)
            found += [version.id for version in page.matches]
            if page.next is None:
                break
            cursor = [("_cursor", page.next)]
        assert found[:4] == ["e0", "e2", "o000", "o002"]
        assert sorted(found[4:]) == ["e1", "e3", "o001", "o003"]

    @pytest.mark.parametrize(("sort", "expected"), {"date": ["started", "ended", "undated"], "-date": ["started", "ended", "undated"]}.items())
    def test_a_period_without_a_start_stands_with_what_has_no_date(self, shelf: Shelf, sort: str, expected: list[str]) -> None:
        moments = {"started": {"start": "2020-01-01"}, "ended": {"end": "2010-01-01"}, "undated": None}
        for id, period in reversed(moments.items()):
            content = {key: value for key, value in _observation(1).items() if key != "effectiveDateTime"} | {"id": id}
            shelf.put(content | ({"effectivePeriod": period} if period else {}))
        found = shelf.ids(f"Observation?_sort={sort}")
        assert found[0] == expected[0]
        assert set(found[1:]) == set(expected[1:])

    @pytest.mark.parametrize(
        ("date", "expected"),
        {"ge2005": ["started", "ended"], "le2015": ["ended"], "2020-01-01": [], "sa2019": ["started"], "ge2005,le2015": ["started", "ended"]}.items(),
    )
    def test_one_that_is_asked_for_by_its_end_is_found_though_its_start_sorts_it(self, shelf: Shelf, date: str, expected: list[str]) -> None:
        for id, period in {"ended": {"end": "2010-01-01"}, "started": {"start": "2020-01-01"}}.items():
            content = {key: value for key, value in _observation(1).items() if key != "effectiveDateTime"} | {"id": id}
            shelf.put(content | {"effectivePeriod": period})
        assert shelf.ids(f"Observation?_sort=date&date={date}") == expected

    @pytest.mark.parametrize(
        ("asked", "walks"),
        {
            "Appointment?date=ge2020&_sort=date": 1,
            "Appointment?date=lt2020&_sort=date": 2,
            "Appointment?date:missing=false&_sort=date": 2,
            "Appointment?_sort=date": 2,
            "Encounter?date=ge2020&_sort=date": 2,
            "Encounter?date=sa2020&_sort=date": 1,
            "Appointment?date=ge2020&_sort=-date": 1,
        }.items(),
    )
    def test_what_has_no_date_is_walked_along_only_where_it_can_be_found(self, shelf: Shelf, asked: str, walks: int) -> None:
        type, _, query = asked.partition("?")
        one = Search(shelf.connection, 1, parse(type, [tuple(part.split("=")) for part in query.split("&")]), everything)  # type: ignore[misc]
        scope = one.scope()
        statement = one.statement(scope, order(one.query, scope.bind))
        assert statement is not None
        assert statement.count("from fhir.current c") == walks

    @pytest.mark.parametrize(
        "query",
        [
            "_sort=date",
            "_sort=-date",
            "_sort=date&subject=Patient/p1",
            "_sort=date,_id",
            "_sort=date,-status",
            "_sort=value-quantity",
            "_sort=-value-quantity",
        ],
    )
    def test_pages_go_from_what_has_a_date_to_what_has_none_whatever_is_written_meanwhile(self, shelf: Shelf, query: str) -> None:
        def put(number: int, *, dated: bool) -> None:
            content = _observation(number) | {"subject": {"reference": "Patient/p1"}}
            shelf.put(content if dated else {key: value for key, value in content.items() if key not in ("effectiveDateTime", "valueQuantity")})

        for number in range(24):
            put(number, dated=number % 2 == 0)
        fresh = iter(range(100, 200))
        pages = walk(shelf, f"Observation?_count=5&{query}", between=lambda: put(next(fresh), dated=next(fresh) % 4 == 1))
        seen = flat(pages)
        there = [id for id in seen if id < "o100"]
        assert len(seen) == len(set(seen))
        assert set(there) == {f"o{number:03}" for number in range(24)}
        assert [int(id[1:]) % 2 for id in there] == [0] * 12 + [1] * 12

    def test_numbers_are_sorted_as_numbers_and_dates_as_dates(self, shelf: Shelf) -> None:
        shelf.put(*(_observation(number) for number in (2, 10, 9, 100)))
        assert shelf.ids("Observation?_sort=value-quantity") == ["o002", "o009", "o010", "o100"]
        assert shelf.ids("Observation?_sort=-value-quantity&_count=3") == ["o100", "o010", "o009"]
        assert shelf.ids("Observation?_sort=date") == ["o002", "o009", "o010", "o100"]

    def test_a_quantity_or_a_reference_that_is_none_comes_last(self, shelf: Shelf) -> None:
        """One with a unit alone, one by a name alone."""
        values: dict[str, Any] = {"unit": {"unit": "mg"}, "none": {}, "two": {"value": 2}, "one": {"value": 1}}
        by = {"unit": {"display": "Dr. A"}, "none": {"identifier": {"value": "1"}}, "two": {"reference": "Practitioner/b"}}
        for id, value in values.items():
            content = _observation(1) | {"id": id, "valueQuantity": value}
            shelf.put(content | ({"subject": by[id]} if id in by else {"subject": {"reference": "Patient/a"}}))
        sampled = {"origin": {"value": 1}, "period": 1, "dimensions": 1, "data": "E"}
        wave = {name: value for name, value in _observation(1).items() if name not in ("valueQuantity", "subject")}
        shelf.put(wave | {"id": "wave", "valueSampledData": sampled})
        assert shelf.ids("Observation?_sort=value-quantity")[:2] == ["one", "two"]
        assert shelf.ids("Observation?_sort=-value-quantity")[:2] == ["two", "one"]
        assert shelf.ids("Observation?_sort=subject")[:2] == ["one", "two"]
        assert shelf.ids("Observation?_sort=-subject")[:2] == ["two", "one"]

    def test_of_several_references_the_least_and_the_greatest_count(self, shelf: Shelf) -> None:
        performers = {"o1": ["c", "d"], "o2": ["a", "f"], "o3": ["b", "e"]}
        for id, names in performers.items():
            shelf.put(_observation(1) | {"id": id, "performer": [{"display": id, "reference": f"Practitioner/{name}"} for name in names]})
        shelf.put(_observation(1) | {"id": "o4", "performer": [{"reference": "Practitioner/bb"}]})
        assert shelf.ids("Observation?_sort=performer") == ["o2", "o3", "o4", "o1"]
        assert shelf.ids("Observation?_sort=-performer") == ["o2", "o3", "o1", "o4"]

    @pytest.mark.parametrize(
        ("sort", "expected"),
        {"identifier": "bac", "-identifier": "cab", "phone": "cab", "-phone": "bac", "active,identifier": "cba", "-active,identifier": "bca"}.items(),
    )
    def test_identifiers_telephones_and_booleans_sort_by_what_they_say(self, shelf: Shelf, sort: str, expected: str) -> None:
        people = {"c": ("7", "555-0101", False), "a": ("3", "555-0102", None), "b": ("1", "555-0103", True)}
        for id, (number, phone, active) in people.items():
            telecom = [{"system": "email", "value": f"{id}@x.org"}, {"system": "phone", "value": phone}]
            patient = {"resourceType": "Patient", "id": id, "identifier": [{"system": "urn:mrn", "value": number}, {"system": "urn:none"}]}
            shelf.put(patient | {"telecom": telecom} | ({} if active is None else {"active": active}))
        assert "".join(shelf.ids(f"Patient?_sort={sort}")) == expected

    def test_an_order_one_key_of_which_is_unknown_is_left_out_whole_on_every_page(self, shelf: Shelf) -> None:
        shelf.put(*(_observation(number) for number in range(6)))
        asked = "Observation?_sort=status,shoe-size&_count=2"
        first = shelf.search(asked, strict=False)
        assert first.ignored == ["_sort"]
        assert [version.id for version in first.matches] == shelf.ids("Observation?_count=2")
        assert shelf.ids(f"Observation?_cursor={first.next}", strict=False) == shelf.ids("Observation")[2:4]

    def test_an_update_moves_a_resource_to_the_front_of_the_latest(self, people: Shelf) -> None:
        people.put(_patient("b", "Abel", "Tom", birth="1951"))
        assert people.ids("Patient?_sort=-_lastUpdated") == ["b", "d", "c", "a"]

    def test_an_order_there_is_none_of_is_refused(self, shelf: Shelf) -> None:
        with pytest.raises(BadRequest, match="_sort"):
            shelf.search("Observation?_sort=code-value-quantity")
        with pytest.raises(Unknown):
            shelf.search("Observation?_sort=shoe-size")


class TestTotals:
    @pytest.fixture
    def many(self, shelf: Shelf) -> Shelf:
        shelf.put(*(_observation(number) for number in range(30)))
        return shelf

    def test_no_total_unless_asked_for(self, many: Shelf) -> None:
        assert many.search("Observation?").total is None
        assert many.search("Observation?_total=none").total is None

    def test_an_accurate_total_counts_every_match(self, many: Shelf) -> None:
        page = many.search("Observation?patient=p1&_count=2&_total=accurate")
        assert (len(page), page.total) == (2, 10)

    def test_a_few_are_counted_even_when_an_estimate_would_do(self, many: Shelf) -> None:
        page = many.search("Observation?_count=2&_total=estimate")
        assert (page.total, page.is_estimate) == (30, False)

    def test_a_count_brings_nothing_but_the_number(self, many: Shelf) -> None:
        for query in ("Observation?_summary=count", "Observation?_count=0"):
            page = many.search(query)
            assert (page.total, len(page), page.next) == (30, 0, None)

    def test_twenty_a_page_unless_asked_and_a_thousand_at_most(self, many: Shelf) -> None:
        assert len(many.search("Observation?")) == 20
        assert len(many.search("Observation?_count=100000")) == 30


class TestShortAnswers:
    CONTENT = _patient("p", "Okafor", "Ada") | {
        "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>Ada</div>"},
        "photo": [{"contentType": "image/png"}],
        "meta": {"tag": [{"code": "vip"}]},
        "_birthDate": {"extension": [{"url": "urn:x", "valueString": "y"}]},
    }

    def _answer(self, shelf: Shelf, query: str) -> dict[str, Any]:
        shelf.put(self.CONTENT)
        return shelf.search(f"Patient?{query}").matches[0].content

    def test_elements_keep_what_was_named_and_say_so(self, shelf: Shelf) -> None:
        content = self._answer(shelf, "_elements=birthDate,Patient.name")
        assert set(content) == {"resourceType", "id", "meta", "name", "birthDate", "_birthDate"}
        assert [tag["code"] for tag in content["meta"]["tag"]] == ["vip", "SUBSETTED"]

    def test_a_summary_leaves_out_what_is_not_marked(self, shelf: Shelf) -> None:
        content = self._answer(shelf, "_summary=true")
        assert "photo" not in content
        assert "text" not in content
        assert content["name"]

    def test_data_leaves_out_the_narrative_and_text_keeps_little_else(self, shelf: Shelf) -> None:
        assert "text" not in self._answer(shelf, "_summary=data")
        assert set(self._answer(shelf, "_summary=text")) == {"resourceType", "id", "meta", "text"}

    def test_mandatory_elements_stay(self, shelf: Shelf) -> None:
        shelf.put(_observation(1))
        content = shelf.search("Observation?_elements=value").matches[0].content
        assert {"status", "code", "valueQuantity"} <= set(content)
        assert "subject" not in content


class TestWhatIsNotUnderstood:
    def test_lenient_ignores_and_reports_unknown_parameters(self, shelf: Shelf) -> None:
        shelf.put(_observation(1))
        page = shelf.search("Observation?shoe-size=9&status=final&hat=x", strict=False)
        assert page.ignored == ["shoe-size", "hat"]
        assert page.used == [("status", "final")]
        assert len(page) == 1

    def test_strict_refuses_unknown_parameters(self, shelf: Shelf) -> None:
        with pytest.raises(Unknown, match="shoe-size is not a search parameter of Observation"):
            shelf.search("Observation?shoe-size=9")

    def test_a_parameter_without_a_value_is_no_condition(self, shelf: Shelf) -> None:
        shelf.put(_observation(1))
        assert len(shelf.search("Observation?status=")) == 1

    @pytest.mark.parametrize(
        "query", ["_count=-1", "_count=x", "_total=maybe", "_summary=short", "_sort=a,b,c,d,e,f", "code:missing=perhaps", "_id:exact=1"]
    )
    def test_a_bad_value_is_refused(self, shelf: Shelf, query: str) -> None:
        with pytest.raises(BadRequest):
            shelf.search(f"Observation?{query}")

    @pytest.mark.parametrize("value", ["'; drop table fhir.current; --", "%(tenant)s", "%s", "\\", "{}", "a$b|c,d", "\u202e", "a" * 5000])
    def test_nothing_a_client_sends_becomes_sql(self, shelf: Shelf, value: str) -> None:
        shelf.put(_observation(1), _patient("p", "X"))
        for name in ("status", "identifier", "subject", "value-string", "_tag", "_profile", "patient.name", "code:text", "value-string:contains"):
            search(shelf.connection, 1, "Observation", [(name, value)], where=everything)
        for name in ("date", "value-quantity", "_lastUpdated", "_sort", "_include", "_cursor", "_has:Encounter:patient:status", value):
            with pytest.raises(BadRequest):
                search(shelf.connection, 1, "Observation", [(name, value)], where=everything, strict=True)


class TestLimits:
    def test_a_thousand_alternatives_are_taken_and_no_more(self, shelf: Shelf) -> None:
        shelf.put(_observation(1))
        assert len(shelf.search(f"Observation?code={','.join(['A'] * 1000)}")) == 1
        with pytest.raises(TooCostly, match="at most 1,000 values"):
            shelf.search(f"Observation?code={','.join(['A'] * 1001)}")

    def test_more_includes_than_allowed_fail_loudly(self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
        shelf.put(_patient("p0", "X"), *(_observation(number * 3) for number in range(10)))
        monkeypatch.setattr(include, "MAX_INCLUDED", 9)
        with pytest.raises(TooCostly, match="more than 9 resources"):
            shelf.search("Patient?_revinclude=Observation:patient")


def test_an_include_brings_the_version_that_is_named(shelf: Shelf) -> None:
    """search.html#include: of a versioned reference the specified version should be provided. Of one that is not here, the resource as it is."""
    for family in ("First", "Second", "Third"):
        shelf.put({"resourceType": "Patient", "id": "ada", "name": [{"family": family}], "managingOrganization": {"reference": "Organization/north"}})
    shelf.put({"resourceType": "Organization", "id": "north", "name": "North"})
    for id, suffix in (("plain", ""), ("first", "/_history/1"), ("third", "/_history/3"), ("gone", "/_history/9")):
        shelf.put({"resourceType": "Observation", "id": id, "status": "final", "code": {}, "subject": {"reference": f"Patient/ada{suffix}"}})

    def included(query: str) -> list[tuple[str, int]]:
        return sorted((version.id, version.number) for version in shelf.search(f"Observation?{query}&_include=Observation:subject").includes)

    assert included("_id=first") == [("ada", 1)]
    assert included("_id=first&_include:iterate=Patient:organization") == [("ada", 1), ("north", 1)]
    assert included("_id=plain") == included("_id=third") == included("_id=gone") == included("_id=plain,third,gone") == [("ada", 3)]
    assert included("") == [("ada", 1), ("ada", 3)]
    shelf.take("Patient", "ada")
    assert included("_id=first") == []


def test_values_of_python_are_taken_as_parameters(shelf: Shelf) -> None:
    shelf.put(_observation(1), _observation(2))
    page = search(shelf.connection, 1, "Observation", {"status": ["final"], "_count": 1, "date": "2020-01-03"}, where=everything)
    assert [resource.id for resource in page] == ["o002"]
    assert page.resources[0].status == "final"  # type: ignore[attr-defined]
