"""Our `dataclass` makes the same classes as the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import asdict, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pytest

from openward.plain import dataclass

Item = TypeVar("Item")
Maker = Callable[..., Any]


class Named(Protocol):
    name: str


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)
    secret: str = field(default="s", repr=False)
    cache: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Place(Point):
    name: str = "here"


@dataclass
class Counter:
    count: int = 0
    LIMIT: ClassVar[int] = 7

    def __post_init__(self) -> None:
        self.count += 1


@dataclass(frozen=True)
class Word:
    text: str

    @cached_property
    def length(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True)
class Box(Generic[Item]):
    inside: Item


@dataclass(frozen=True, slots=True)
class Plate(Named):
    name: str


@dataclass(frozen=True, slots=True)
class Coded:
    code: str
    display: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Coded) and other.code == self.code

    def __repr__(self) -> str:
        return "mine"


def shaped(make: Maker) -> list[type]:
    @make(frozen=True, slots=True)
    class One:
        first: int
        second: tuple[str, ...] = ()

    @make(slots=True)
    class Two:
        first: int
        second: list[int] = field(default_factory=list)

    @make(frozen=True)
    class Three:
        first: int
        second: str = field(default="x", repr=False, compare=False)

    @make
    class Four:
        first: int
        second: str = "x"

    @make(frozen=True, slots=True, order=True)
    class Five:
        first: int
        second: str = field(default="x", init=False)

    return [One, Two, Three, Four, Five]


TWINS = list(zip(shaped(dataclass), shaped(dataclasses.dataclass), strict=True))


@pytest.mark.parametrize(("ours", "theirs"), TWINS, ids=lambda one: one.__name__)
class TestAsTheStandardLibrary:
    def test_the_fields_are_the_same(self, ours: Any, theirs: Any) -> None:
        assert [(one.name, one.default, one.type) for one in fields(ours)] == [(one.name, one.default, one.type) for one in fields(theirs)]

    def test_the_words_for_an_object_are_the_same(self, ours: Any, theirs: Any) -> None:
        assert repr(ours(3)) == repr(theirs(3))

    def test_what_differs_in_a_field_is_not_equal(self, ours: Any, theirs: Any) -> None:
        assert [ours(1) == ours(1), ours(1) == ours(2), ours(1) == theirs(1)] == [True, False, False]

    def test_it_can_be_hashed_or_not(self, ours: Any, theirs: Any) -> None:
        assert (ours.__hash__ is None) == (theirs.__hash__ is None)
        assert ours.__hash__ is None or hash(ours(1)) == hash(theirs(1))

    def test_what_is_frozen_and_slotted_is_so(self, ours: Any, theirs: Any) -> None:
        def refused(made: Any) -> list[bool]:
            return [
                _is_refused(lambda: setattr(made, "first", 9)),
                _is_refused(lambda: setattr(made, "third", 9)),
                _is_refused(lambda: delattr(made, "first")),
            ]

        assert refused(ours(1)) == refused(theirs(1))
        assert ours.__dict__.get("__slots__") == theirs.__dict__.get("__slots__")

    def test_a_wrong_call_is_refused_in_the_same_words(self, ours: Any, theirs: Any) -> None:
        for values, named in [((), {}), ((1, 2, 3), {}), ((1,), {"third": 2})]:
            with pytest.raises(TypeError) as refused:
                theirs(*values, **named)
            with pytest.raises(TypeError, match=str(refused.value).partition(".")[2].partition(" ")[2].replace("(", r"\(").replace(")", r"\)")):
                ours(*values, **named)

    def test_matching_by_position_takes_the_same_names(self, ours: Any, theirs: Any) -> None:
        assert ours.__match_args__ == theirs.__match_args__


def _is_refused(act: Callable[[], None]) -> bool:
    try:
        act()
    except (AttributeError, TypeError):  # the standard library's frozen slots stumble over their own `super`
        return True
    return False


class TestObjects:
    def test_every_object_has_a_default_of_its_own(self) -> None:
        Point(1).tags.append("mine")
        assert Point(1).tags == []

    def test_what_is_not_to_be_compared_is_not(self) -> None:
        assert Point(1, cache={"a": 1}) == Point(1)

    def test_one_is_made_from_another(self) -> None:
        assert replace(Point(1, tags=["a"]), y=5) == Point(1, 5, ["a"])

    def test_it_becomes_a_dictionary(self) -> None:
        assert asdict(Box(Plate("a"))) == {"inside": {"name": "a"}}

    def test_a_copy_equals_it(self) -> None:
        made = Place(1, name="there")
        assert [copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))] == [made] * 3  # noqa: S301 - what was written here

    def test_what_is_inherited_comes_first(self) -> None:
        assert Place(1, 2, [], "s", {}, "there").name == "there"
        assert "x" not in Place.__dict__["__slots__"]

    def test_what_runs_after_it_is_made_runs(self) -> None:
        assert Counter(4).count == 5
        assert Counter.LIMIT == 7

    def test_a_value_worked_out_once_is_kept_beside_the_frozen_ones(self) -> None:
        assert Word("abc").length == 3

    def test_what_a_class_says_itself_stays(self) -> None:
        assert Coded("a", "x") == Coded("a", "y")
        assert repr(Coded("a")) == "mine"

    def test_a_default_that_all_would_share_is_refused(self) -> None:
        with pytest.raises(ValueError, match="mutable default"):

            @dataclass
            class Shared:
                values: list[int] = []  # noqa: RUF008 - which is what is refused

    def test_an_object_that_holds_itself_can_be_shown(self) -> None:
        box: Box[list[object]] = Box([])
        box.inside.append(box)
        assert repr(box) == "Box(inside=[...])"
