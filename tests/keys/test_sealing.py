"""Sealed values open where they belong and nowhere else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from openward.backup import here
from openward.keys.errors import DataKeyMissing, KeyFileMissing, KeyFileUnusable, OuterKeyMissing, SealBroken
from openward.keys.models import DataKey
from openward.keys.outer import make_key_file, outer_keys, read_key_file
from openward.keys.ring import RING, Ring, installed
from openward.keys.sealing import PREFIX, blind, is_sealed, prefix_of, seal, seal_bytes, unseal, unseal_bytes, unseal_named

pytestmark = pytest.mark.django_db
ABOUT = ("user", "7")


class TestASealedText:
    @given(st.text())
    def test_opens_to_what_it_was(self, text: str) -> None:
        assert unseal("test", seal("test", text, about=ABOUT), about=ABOUT) == text

    def test_shows_nothing_of_the_text(self) -> None:
        sealed = seal("test", "JBSWY3DPEHPK3PXP")
        assert is_sealed(sealed)
        assert "JBSWY3DPEHPK3PXP" not in sealed
        assert b"JBSWY3DPEHPK3PXP" not in base64.urlsafe_b64decode(sealed[4:] + "==")

    def test_is_another_each_time(self) -> None:
        assert seal("test", "same") != seal("test", "same")

    @pytest.mark.parametrize(
        ("purpose", "about", "tenant"),
        [("other", ABOUT, 1), ("test", ("user", "8"), 1), ("test", ("user",), 1), ("test", ("us", "er7"), 1), ("test", ABOUT, 2)],
        ids=["purpose", "row", "fewer parts", "parts cut elsewhere", "tenant"],
    )
    def test_does_not_open_where_it_does_not_belong(self, purpose: str, about: tuple[str, ...], tenant: int) -> None:
        sealed = seal("test", "secret", about=ABOUT)
        with pytest.raises(SealBroken):
            unseal(purpose, sealed, about=about, tenant=tenant)

    @pytest.mark.parametrize("garbage", ["", "ow1.", "ow1.!!!!", "ow1.AAAA", "plain text", "ow1." + "A" * 90, "ow1.é"])
    def test_garbage_is_refused_by_name(self, garbage: str) -> None:
        with pytest.raises((SealBroken, DataKeyMissing)):
            unseal("test", garbage)

    def test_changed_in_any_byte_it_does_not_open(self) -> None:
        sealed = seal_bytes("test", b"secret", about=ABOUT)
        for place in range(len(sealed)):
            changed = bytearray(sealed)
            changed[place] ^= 1
            with pytest.raises((SealBroken, DataKeyMissing)):
                unseal_bytes("test", bytes(changed), about=ABOUT)

    def test_begins_with_a_byte_that_begins_no_json(self) -> None:
        assert seal_bytes("test", b"{}")[0] == 1

    def test_tells_by_its_beginning_which_key_it_needs(self) -> None:
        key = RING.active(1, "test")
        assert seal("test", "x").startswith(prefix_of(key.id))
        assert prefix_of(key.id).startswith(PREFIX)

    def test_opens_by_the_name_of_its_key_only_for_the_purposes_that_are_asked_for(self) -> None:
        sealed = seal_bytes("record", b"secret", about=ABOUT)
        assert unseal_named(sealed, about=ABOUT, purposes={"record"}) == b"secret"
        with pytest.raises(SealBroken):
            unseal_named(seal_bytes("totp", b"secret", about=ABOUT), about=ABOUT, purposes={"record"})


class TestDataKeys:
    def test_stand_in_the_database_wrapped(self) -> None:
        key = RING.active(1, "test")
        row = DataKey.objects.get(id=key.id)
        assert key.secret not in bytes(row.wrapped)
        assert repr(key) == f"OpenKey({key.id})"

    def test_are_one_for_each_purpose_and_tenant(self) -> None:
        assert len({RING.active(tenant, purpose).secret for tenant in (1, 2) for purpose in ("a", "b")}) == 4

    def test_moved_to_another_purpose_do_not_unwrap(self) -> None:
        key = RING.active(1, "test")
        DataKey.objects.filter(id=key.id).update(purpose="moved")
        with pytest.raises(SealBroken):
            Ring().named(key.id)

    def test_of_another_installation_are_said_to_need_its_outer_key(self, settings: Settings, tmp_path: Path) -> None:
        sealed = seal("test", "secret")
        key, outer = RING.active(1, "test"), RING.outer.first.id
        settings.OPENWARD_KEK_FILES = [make_key_file(tmp_path / "another.key").path]
        with pytest.raises(OuterKeyMissing, match=outer):
            Ring().named(key.id)
        assert unseal("test", sealed) == "secret"

    def test_that_were_rolled_back_are_not_sealed_with_again(self) -> None:
        ring = Ring()
        first = ring.active(1, "test")
        DataKey.objects.filter(id=first.id).delete()
        assert ring.active(1, "test").id != first.id

    def test_made_at_once_by_two_are_one(self) -> None:
        one, other = Ring(), Ring()
        made = one.active(1, "test")
        assert other._made(1, "test").id == made.id
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from keys_datakey where purpose = 'test'")
            assert cursor.fetchone() == (1,)


class TestABlindIndex:
    def test_finds_what_is_equal_and_shows_nothing(self) -> None:
        assert blind("ssn", "123-45-6789") == blind("ssn", "123-45-6789") != blind("ssn", "123-45-6780")
        assert b"6789" not in blind("ssn", "123-45-6789")

    def test_is_another_for_another_tenant(self) -> None:
        assert blind("ssn", "123-45-6789") != blind("ssn", "123-45-6789", tenant=2)


class TestTheOuterKeyFile:
    def test_is_made_once_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "outer.key"
        first = outer_keys([path]).first.id
        assert outer_keys([path]).first.id == first
        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        "content", [b"", b"00", b"zz" * 32, b"\xff" * 64, b"00" * 31], ids=["empty", "short", "no digits", "no text", "31 bytes"]
    )
    def test_that_is_no_key_is_refused_with_its_path(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "outer.key"
        path.write_bytes(content)
        with pytest.raises(KeyFileUnusable, match=r"outer\.key cannot be used"):
            read_key_file(path)

    def test_that_is_named_second_is_not_made(self, tmp_path: Path) -> None:
        outer_keys([tmp_path / "a"])
        with pytest.raises(KeyFileUnusable):
            outer_keys([tmp_path / "a", tmp_path / "b"])

    def test_that_went_away_is_missed_and_not_made_anew(self, tmp_path: Path, settings: Settings) -> None:
        """A disk that is not mounted: what a new key sealed could be read by nobody once the old one is back in its place."""
        path = tmp_path / "outer.key"
        settings.OPENWARD_KEK_FILES = (path,)
        Ring().active(1, "test")
        path.rename(tmp_path / "elsewhere")
        for do in (lambda: Ring().active(1, "test"), lambda: Ring().active(1, "another"), installed, here.keys):
            with pytest.raises(KeyFileMissing, match="is a disk not mounted"):
                do()
        assert not path.exists()
        (tmp_path / "elsewhere").rename(path)
        assert Ring().active(1, "test")

    def test_is_not_printed(self, tmp_path: Path) -> None:
        key = outer_keys([tmp_path / "a"]).first
        assert (tmp_path / "a").read_text().strip() not in repr(key)
        assert "secret" not in repr(key)


class StandInService:
    """A key service as an adapter sees one: it wraps under a name, and knows nothing else."""

    id = "kms:alias/openward"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in key) + context

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        if wrapped[32:] != context:
            raise SealBroken
        return bytes(byte ^ 0x5A for byte in wrapped[:32])


def test_a_key_service_wraps_what_is_new_and_a_file_unwraps_what_it_wrapped(settings: Settings) -> None:
    before = RING.active(1, "before")
    settings.OPENWARD_KMS = f"{__name__}.StandInService"
    ring = Ring()
    after = ring.active(1, "after")
    assert DataKey.objects.get(id=after.id).outer == "kms:alias/openward"
    assert ring.named(before.id).secret == before.secret
