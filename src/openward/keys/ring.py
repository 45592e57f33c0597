"""The data keys of this installation, unwrapped in this process's memory only."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from openward.keys.errors import DataKeyMissing
from openward.keys.models import DataKey
from openward.keys.outer import KEY_BYTES, OuterKeys, outer_keys

EVERYWHERE = 0
"""Whose the keys of blind indexes were before each tenant had its own; it is retired, and gone when nothing is found by it any more."""
REMEMBERED_SECONDS = 60  # after a rotation the other processes go on sealing with the old key this long; it still unseals


BLIND = ":blind"
"""Ends the purpose of the key by which the values of a purpose are found."""
HEARD_OF = dt.timedelta(seconds=2 * REMEMBERED_SECONDS)


@dataclass(frozen=True)
class OpenKey:
    id: int
    secret: bytes
    tenant: int
    purpose: str

    @cached_property
    def cipher(self) -> AESGCM:
        return AESGCM(self.secret)

    def __repr__(self) -> str:
        return f"OpenKey({self.id})"


@dataclass(frozen=True)
class BlindKey:
    key: OpenKey
    made_at: dt.datetime


class Ring:
    """Looks keys up and remembers them. What is made in a transaction is remembered as the one to seal with only once it is committed."""

    def __init__(self) -> None:
        self._by_id: dict[int, OpenKey] = {}
        self._active: dict[tuple[int, str], tuple[OpenKey, float]] = {}
        self._blind: dict[tuple[int, str], tuple[Sequence[BlindKey], float]] = {}
        self._outer: OuterKeys | None = None
        self._lock = threading.Lock()

    @property
    def outer(self) -> OuterKeys:
        """Raises as `installed`."""
        with self._lock:
            if self._outer is None:
                self._outer = installed()
            return self._outer

    def forget(self) -> None:
        """Read everything anew from the database and the key files."""
        self._by_id, self._active, self._blind, self._outer = {}, {}, {}, None

    def named(self, id: int) -> OpenKey:
        """Raises DataKeyMissing, OuterKeyMissing, SealBroken."""
        found = self._by_id.get(id)
        if found is None:
            row = DataKey.objects.filter(id=id).first()
            if row is None:
                raise DataKeyMissing(id=id)
            found = self._by_id[id] = self.unwrapped(row)
        return found

    def active(self, tenant: int, purpose: str) -> OpenKey:
        """The key to seal with, made the first time. Raises OuterKeyMissing, SealBroken, KeyFileUnusable."""
        remembered, until = self._active.get((tenant, purpose), (None, 0.0))
        if remembered is not None and time.monotonic() < until:
            return remembered
        row = self._active_row(tenant, purpose) or self._made(tenant, purpose)
        key = self.named(row.id)
        transaction.on_commit(lambda: self._remember(tenant, purpose, key))
        return key

    def blind(self, tenant: int, purpose: str) -> list[OpenKey]:
        """Every key a value of this tenant may be indexed under, first the one to index with; made the first time. Raises as `active`.

        A new one is indexed with only when every process has read that it is there and looks for it: until then nobody would find what it indexed.
        """
        known, until = self._blind.get((tenant, purpose), ((), 0.0))
        if not known or time.monotonic() >= until:
            known = self._blind_keys(tenant, purpose)
            transaction.on_commit(lambda: self._blind.update({(tenant, purpose): (known, time.monotonic() + REMEMBERED_SECONDS)}))
        heard = timezone.now() - HEARD_OF
        first = next((one for one in known if one.made_at < heard), known[-1])
        return [first.key, *(one.key for one in known if one is not first)]

    def _blind_keys(self, tenant: int, purpose: str) -> Sequence[BlindKey]:
        """The newest first."""
        rows = DataKey.objects.filter(tenant__in=(tenant, EVERYWHERE), purpose=purpose)
        if not rows.filter(tenant=tenant, retired_at__isnull=True).exists():
            self._made(tenant, purpose)
        return [BlindKey(self.named(row.id), row.made_at) for row in rows.order_by("-made_at", "id")]

    def replace(self, tenant: int, purpose: str) -> OpenKey:
        """A new key to seal with; the one before is retired and still unseals."""
        with transaction.atomic():
            DataKey.objects.filter(tenant=tenant, purpose=purpose, retired_at__isnull=True).update(retired_at=timezone.now())
            self._active.pop((tenant, purpose), None)
            if purpose.endswith(BLIND):
                self._blind.pop((tenant, purpose), None)
                return self.named(self._made(tenant, purpose).id)
            return self.active(tenant, purpose)

    def rewrap(self, row: DataKey) -> None:
        """Wrap a key that is there under the first outer key."""
        secret = self.named(row.id).secret
        row.outer, row.wrapped = self.outer.first.id, self.outer.first.wrap(secret, _context(row))
        row.save(update_fields=["outer", "wrapped"])

    def _remember(self, tenant: int, purpose: str, key: OpenKey) -> None:
        self._active[tenant, purpose] = key, time.monotonic() + REMEMBERED_SECONDS

    def _active_row(self, tenant: int, purpose: str) -> DataKey | None:
        return DataKey.objects.filter(tenant=tenant, purpose=purpose, retired_at__isnull=True).first()

    def _made(self, tenant: int, purpose: str) -> DataKey:
        row = DataKey(id=secrets.randbits(62) + 1, tenant=tenant, purpose=purpose, outer=self.outer.first.id)
        row.wrapped = self.outer.first.wrap(secrets.token_bytes(KEY_BYTES), _context(row))
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:  # another process made one this moment
            found = self._active_row(tenant, purpose)
            if found is None:
                raise
            return found
        return row

    def unwrapped(self, row: DataKey) -> OpenKey:
        """Raises OuterKeyMissing, SealBroken."""
        return OpenKey(row.id, self.outer.named(row.outer).unwrap(bytes(row.wrapped), _context(row)), row.tenant, row.purpose)


def _context(row: DataKey) -> bytes:
    """What a wrapped key is bound to: a row copied to another purpose or tenant does not unwrap."""
    return f"openward data key\0{row.id}\0{row.tenant}\0{row.purpose}".encode()


def installed() -> OuterKeys:
    """The outer keys of the settings. The first file is made while nothing is wrapped here yet, and never again: a key made because a disk was not
    mounted would seal what nobody can read once it is. Raises KeyFileMissing, KeyFileUnusable, ServiceUnset."""
    return outer_keys(settings.OPENWARD_KEK_FILES, settings.OPENWARD_KMS, make=not DataKey.objects.exists())


RING = Ring()
