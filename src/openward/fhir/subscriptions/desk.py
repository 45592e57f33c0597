"""What subscriptions ask of the installation around the engine: its address, its jobs, its mail, and how an owner is made again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from openward.fhir.errors import FhirError
from openward.fhir.outgoing import Network

if TYPE_CHECKING:
    from openward.fhir.store import Store


class Desk(Protocol):
    """The installation, as subscriptions need it."""

    @property
    def base_url(self) -> str:
        """The FHIR base as clients reach it, such as `https://clinic.example/fhir`."""

    @property
    def allowed(self) -> Sequence[Network]:
        """Private networks that may be called all the same."""

    def may_own(self, actor: Any) -> bool:
        """Whether the actor is someone who can be told: not an import, not this server itself."""

    def is_own(self, actor: Any) -> bool:
        """Whether this is the desk itself, which only writes how a subscription stands."""

    def remember(self, actor: Any) -> dict[str, Any]: ...

    def open_store(self, owner: dict[str, Any]) -> AbstractContextManager[Store]:
        """The record as the owner may see it now. Raises Forbidden when their credentials have been withdrawn."""

    def own_store(self, tenant: int) -> AbstractContextManager[Store]:
        """A store that writes, as the desk itself."""

    def collect_later(self, store: Store) -> None:
        """Queue `collect` in the store's transaction."""

    def tell_later(self, tenant: int, subscription: UUID, *, seconds: float = 0, by: Store | None = None) -> None:
        """Queue the telling of one subscription, in the transaction of `by` if it is given."""

    def send_mail(self, tenant: int, to: str, subscription: str, words: str) -> None:
        """Put an e-mail into the outbox."""

    def seal(self, tenant: int, value: str, about: tuple[str, ...]) -> str:
        """The value as it may stand in the record; one that is sealed already, for the same `about`, as it is. Raises ValueError for another's."""

    def unseal(self, tenant: int, value: str, about: tuple[str, ...]) -> str:
        """The value in clear, also one that was never sealed. Raises ValueError when it does not open."""

    def show(self, tenant: int, subscription: UUID) -> None:
        """Wake the open event streams of a subscription."""


class NoDesk(FhirError):
    """This server has no queue for jobs: subscriptions are not offered."""

    status = 501
    code = "not-supported"


_installed: list[Desk] = []


def install(desk: Desk) -> None:
    """Say which installation this process is. The last one said holds."""
    _installed[:] = [desk]


def is_open() -> bool:
    return bool(_installed)


def desk() -> Desk:
    """Raises NoDesk."""
    if not _installed:
        raise NoDesk
    return _installed[0]
