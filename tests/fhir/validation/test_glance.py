"""What is told at a glance to be sound is sound when it is looked at closely."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from openward.fhir.json import loads
from openward.fhir.validation.compiled import CHECKS
from openward.fhir.validation.glance import GLANCES, held_by
from openward.fhir.validation.whole import _is_sound, _looked_at

EXAMPLES = Path(__file__).resolve().parents[2] / "node_modules" / "hl7.fhir.r4.examples"
LARGEST = 30_000
WRONG: list[Any] = [
    None, "", [], {}, 0, -1, True, "x y ", " a", "a\tb", "2023-02-30", "2020", [None], [{}], {"id": "a"}, {"reference": "#nope"},
    {"reference": "Foo/1"}, {"reference": "Patient/1"}, {"coding": [{"system": "urn:x", "code": "zz"}]}, "final", "http://a b", "\x01", "#",
]  # fmt: skip
NAMES = ("foo", "valueString", "extension", "contained", "id", "text", "modifierExtension", "period")


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    if not EXAMPLES.is_dir():
        pytest.skip("the examples of the specification are not here: make setup-test brings them")
    files = sorted(path for path in EXAMPLES.glob("*-*.json") if path.stat().st_size < LARGEST)
    return [resource for resource in (loads(path.read_bytes()) for path in files) if "resourceType" in resource]


def _places(value: Any) -> list[tuple[Any, Any]]:
    found, rest = [], [value]
    while rest:
        node = rest.pop()
        if isinstance(node, dict | list):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            found += [(node, key) for key in keys]
            rest += [node[key] for key in keys]
    return found


def _spoilt(resource: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    spoilt = copy.deepcopy(resource)
    node, key = chance.choice(_places(spoilt))
    match chance.randrange(5):
        case 0:
            del node[key]
        case 1:
            node[key] = chance.choice(WRONG)
        case 2 if isinstance(node, dict):
            node[chance.choice((*NAMES, f"_{key}"))] = chance.choice(WRONG)
        case 3:
            other, name = chance.choice(_places(resource))
            node[key] = copy.deepcopy(other[name])
        case _:
            node[key] = [node[key], node[key]]
    return spoilt


def test_nothing_that_a_close_look_finds_faults_in_passes_the_glance(resources):
    chance = random.Random(20261122)
    spoilt = [_spoilt(chance.choice(resources), chance) for _ in range(3000)]
    passed = [one for one in [*resources, *spoilt] if _is_sound(one)]
    assert [fault for one in passed for fault in _looked_at(one) or ()] == []
    assert len(passed) > 1000


def test_most_of_what_is_sound_passes_the_glance(resources):
    sound = [one for one in resources if _looked_at(one) is None]
    assert sum(map(_is_sound, sound)) > 0.95 * len(sound)


@pytest.mark.parametrize(
    ("key", "value"),
    [("status", None), ("status", ["final"]), ("status", "ended"), ("valueString", "two values"), ("_status", {"id": "a"}), ("made", "up")],
)
def test_an_observation_with_one_thing_amiss_does_not_pass(key, value):
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueBoolean": True}
    assert GLANCES["Observation"](observation, {})
    assert not GLANCES["Observation"](observation | {key: value}, {})


def test_a_local_reference_is_right_where_the_resource_contains_such_a_thing():
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "#o"}}
    right, wrong = {"resourceType": "Organization", "id": "o", "name": "x"}, {"resourceType": "Device", "id": "o"}
    held = held_by([right])
    assert GLANCES["Patient"](patient | {"contained": [right]}, held)
    assert held[None] == {"o"}
    assert not GLANCES["Patient"](patient, held_by([wrong]))
    assert not GLANCES["Patient"](patient, {})


def test_both_looks_know_the_same_rules(resources):
    broken = {"resourceType": "Patient", "contact": [{"gender": "male"}]}
    assert not GLANCES["Patient"](broken, {})
    assert "pat-1" in str(CHECKS["Patient"](broken))
