from __future__ import annotations

from uuid import UUID

import pytest

from openward.fhir.ids import is_id, key, new_id, stored_id


class TestKeys:
    def test_a_uuid_is_its_own_key_in_every_type(self) -> None:
        text = "0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"
        assert key("Patient", text) == key("Observation", text) == UUID(text)

    def test_any_other_id_has_a_key_of_its_type(self) -> None:
        assert key("Patient", "1") != key("Observation", "1")
        assert key("Patient", "1") == key("Patient", "1")

    def test_an_id_that_only_looks_like_a_uuid_is_another(self) -> None:
        text = "0d1a9f0e-9c0b-4f0e-8d53-0f5c1b8e2a11"
        assert key("Patient", text.upper()) != UUID(text)

    def test_the_mapping_never_changes(self) -> None:
        assert str(key("Patient", "example")) == "bb8b53a2-3adb-59ec-af52-4079150079ab"

    def test_only_what_the_key_does_not_say_is_stored(self) -> None:
        text = new_id()
        assert stored_id(text) is None
        assert stored_id("example") == "example"


class TestNewIds:
    def test_they_are_version_seven_and_later_ones_sort_later(self) -> None:
        made = [new_id() for _ in range(1000)]
        assert all(UUID(id).version == 7 and UUID(id).variant == "specified in RFC 4122" for id in made)
        assert [id[:13] for id in made] == sorted(id[:13] for id in made)
        assert len(set(made)) == 1000


class TestIds:
    @pytest.mark.parametrize("id", ["a", "A-1.b", "x" * 64])
    def test_what_may_be_an_id(self, id: str) -> None:
        assert is_id(id)

    @pytest.mark.parametrize("id", ["", "a b", "a_b", "x" * 65, "é", "a/b", None, 7, "a\n"])
    def test_what_may_not(self, id: object) -> None:
        assert not is_id(id)
