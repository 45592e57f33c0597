"""A field that stands sealed, and the rotation of what seals it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.checks import Error
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps
from pytest_django.fixtures import Settings

from openward.keys import rotation
from openward.keys.errors import SealBroken
from openward.keys.fields import SealedTextField
from openward.keys.models import DataKey
from openward.keys.outer import make_key_file
from openward.keys.ring import RING
from openward.keys.sealing import prefix_of
from openward.server.rotation import keys, reseal

pytestmark = pytest.mark.django_db


@isolate_apps("openward.keys")
def _model() -> type[models.Model]:
    class Holder(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        secret = SealedTextField("holder", blank=True)

        class Meta:
            app_label = "keys"

        def __str__(self) -> str:
            return "holder"

    return Holder


Holder = _model()


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Holder)
    monkeypatch.setattr(rotation, "sealed_fields", lambda: iter([Holder._meta.get_field("secret")]))
    yield
    RING.forget()


def made(secret: str = "JBSWY3DP") -> models.Model:
    row = Holder(secret=secret)
    row.save()
    return row


def column() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select secret from keys_holder order by id")
        return [row[0] for row in cursor.fetchall()]


def read(row: models.Model) -> str:
    secret: str = Holder._base_manager.get(pk=row.pk).secret
    return secret


class TestASealedField:
    def test_reads_as_it_was_written_and_stands_sealed(self) -> None:
        row = made()
        assert read(row) == "JBSWY3DP"
        assert column()[0].startswith("ow1.")

    def test_saved_again_it_still_reads(self) -> None:
        row = Holder._base_manager.get(pk=made().pk)
        row.save()
        assert read(row) == "JBSWY3DP"

    def test_empty_stays_empty(self) -> None:
        assert read(made("")) == ""

    def test_text_that_looks_sealed_is_sealed_like_any(self) -> None:
        assert read(made("ow1.AAAA")) == "ow1.AAAA"

    def test_copied_to_another_row_it_does_not_open(self) -> None:
        one, other = made("mine"), made("yours")
        with connection.cursor() as cursor:
            cursor.execute("update keys_holder set secret = (select secret from keys_holder where id = %s) where id = %s", [one.pk, other.pk])
        with pytest.raises(SealBroken):
            read(other)

    def test_without_its_instance_it_prints_nothing(self) -> None:
        made()
        assert repr(list(Holder._base_manager.values_list("secret", flat=True))) == "[<sealed>]"

    def test_cannot_be_written_or_looked_for_in_clear(self) -> None:
        made()
        with pytest.raises(TypeError, match="is sealed"):
            Holder._base_manager.update(secret="clear")
        with pytest.raises(TypeError, match="is sealed"):
            Holder._base_manager.filter(secret="JBSWY3DP").exists()

    def test_writes_itself_into_migrations(self) -> None:
        written, _ = MigrationWriter.serialize(SealedTextField("holder", row="client"))
        assert written == "openward.keys.fields.SealedTextField('holder', row='client')"

    @isolate_apps("openward.keys")
    def test_of_a_row_that_is_numbered_on_saving_is_refused_by_the_system_check(self) -> None:
        class Numbered(models.Model):
            secret = SealedTextField("holder")

            class Meta:
                app_label = "keys"

            def __str__(self) -> str:
                return "numbered"

        assert [found.id for found in Numbered._meta.get_field("secret").check() if isinstance(found, Error)] == ["openward.keys.E001"]


class TestRotation:
    def test_seals_everything_anew_under_a_new_key(self) -> None:
        rows = [made(f"secret {number}") for number in range(5)]
        before = RING.active(1, "holder")
        assert rotation.new_data_keys() == 1
        reseal()
        after = RING.active(1, "holder")
        assert after.id != before.id
        assert all(text.startswith(prefix_of(after.id)) for text in column())
        assert [read(row) for row in rows] == [f"secret {number}" for number in range(5)]

    def test_stopped_after_a_batch_it_goes_on_and_everything_reads_meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [made(f"secret {number}") for number in range(5)]
        monkeypatch.setattr(rotation, "BATCH", 2)
        rotation.new_data_keys()
        done = []
        while batch := rotation.reseal_batch():
            done.append(batch)
            assert [read(row) for row in rows] == [f"secret {number}" for number in range(5)]
        assert done == [2, 2, 1]

    def test_leaves_the_keys_of_blind_indexes_that_nobody_makes_anew(self) -> None:
        from openward.keys.sealing import blind

        before = blind("ssn", "123-45-6789")
        rotation.new_data_keys()
        assert blind("ssn", "123-45-6789") == before

    def test_moves_data_keys_under_a_new_outer_key_and_the_old_one_can_go(self, settings: Settings, tmp_path: Path) -> None:
        row, old = made(), settings.OPENWARD_KEK_FILES
        settings.OPENWARD_KEK_FILES = [make_key_file(tmp_path / "new.key").path, *old]
        RING.forget()
        reseal()
        settings.OPENWARD_KEK_FILES = [tmp_path / "new.key"]
        RING.forget()
        assert read(row) == "JBSWY3DP"
        assert set(DataKey.objects.values_list("outer", flat=True)) == {RING.outer.first.id}

    def test_reaches_places_that_are_no_fields(self, monkeypatch: pytest.MonkeyPatch) -> None:
        left = [3]
        monkeypatch.setitem(rotation.PLACES, "elsewhere", lambda limit: left.pop() if left else 0)  # noqa: ARG005
        assert [rotation.reseal_batch(), rotation.reseal_batch()] == [3, 0]


class TestTheHealthOfKeys:
    def test_is_well_while_all_unwrap(self) -> None:
        made()
        assert keys() is None

    def test_says_when_the_outer_key_is_gone(self, settings: Settings, tmp_path: Path) -> None:
        made()
        settings.OPENWARD_KEK_FILES = [tmp_path / "fresh.key"]
        RING.forget()
        assert "1 data keys cannot be unwrapped" in str(keys())
