from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from openward.fhir.errors import BadRequest, Forbidden, NotFound
from openward.fhir.operations.parameters import Parameters
from openward.fhir.operations.registry import OPERATIONS, Answer, Call, named, operation
from tests.fhir.house import House, Visitor


@pytest.fixture
def echo() -> Iterator[None]:
    """`Patient/$echo`, which says what it was given."""

    @operation("echo", on=("type",), types=("Patient",), url="urn:test:echo")
    def carry(call: Call) -> Mapping[str, Any] | Answer:
        if call.parameters.flag("fail"):
            raise BadRequest("Asked to fail.")
        return Answer(status=202, headers={"X-Said": call.parameters.text("word") or ""})

    yield
    del OPERATIONS["echo", "Patient"]


@pytest.mark.usefixtures("echo")
class TestAnOperation:
    def test_is_found_only_where_it_stands(self) -> None:
        assert named("echo", "type", "Patient").name == "echo"
        for level, type in (("instance", "Patient"), ("type", "Observation"), ("system", None)):
            with pytest.raises(NotFound):
                named("echo", level, type)  # type: ignore[arg-type]

    def test_asks_the_policy_before_it_begins(self, house: House) -> None:
        store = house.store(Visitor(interactions=frozenset({"create"})))
        with pytest.raises(Forbidden):
            named("echo", "type", "Patient")(Call(store, "echo", "Patient", None, Parameters()))

    def test_leaves_an_event_when_it_worked_and_when_it_did_not(self, house: House) -> None:
        store = house.store()
        echo = named("echo", "type", "Patient")
        echo(Call(store, "echo", "Patient", None, Parameters([("word", "hello")])))
        with pytest.raises(BadRequest):
            echo(Call(store, "echo", "Patient", None, Parameters([("fail", True)])))
        assert house.heard() == [("$echo", "Patient", None, 0), ("$echo", "Patient", None, 4)]


class TestParameters:
    def test_mean_the_same_by_query_and_as_a_resource(self) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "count", "valueInteger": 3}, {"name": "deep", "valueBoolean": True}]}
        for given in (Parameters.of([("count", "3"), ("deep", "true")], None), Parameters.of([], body)):
            assert (given.number("count"), given.flag("deep"), given.text("absent")) == (3, True, None)

    def test_take_any_other_resource_as_the_parameter_resource(self) -> None:
        assert Parameters.of([], {"resourceType": "Patient"}).resource("resource") == {"resourceType": "Patient"}

    @pytest.mark.parametrize("parameter", [{}, {"name": 3}, {"name": "a"}, {"name": "a", "valueString": "x", "valueCode": "y"}, "text"])
    def test_refuse_what_has_no_name_or_not_one_value(self, parameter: Any) -> None:
        with pytest.raises(BadRequest):
            Parameters.of([], {"resourceType": "Parameters", "parameter": [parameter]})

    @pytest.mark.parametrize(("name", "value"), [("number", "-1"), ("number", "9" * 11), ("number", True), ("flag", "yes"), ("instant", "soon")])
    def test_say_what_is_wrong_with_a_value(self, name: str, value: Any) -> None:
        with pytest.raises(BadRequest, match="it"):
            getattr(Parameters([("it", value)]), name)("it")
