"""Who acts. Nothing reads or writes without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openward.access.permissions import Permission
from openward.access.roles import role_of
from openward.access.scopes import Scopes

Kind = Literal["staff", "patient", "client", "system"]


@dataclass(frozen=True)
class Actor:
    """A person, a client program or a named system purpose.

    `id` is stable for ever (`user:<uuid>`, `client:<name>`, `system:<purpose>`); `reference` is the actor's own resource, such as `Practitioner/<id>`;
    `scopes`, when present, only ever narrow what the role allows.
    """

    id: str
    name: str
    kind: Kind
    tenant: int
    role: str | None = None
    reference: str | None = None
    user_id: str | None = None
    scopes: Scopes | None = None
    purpose: str = "TREAT"
    on_behalf_of: str | None = None
    request_id: str | None = None
    address: str | None = None

    @classmethod
    def system(cls, purpose: str, *, tenant: int, on_behalf_of: Actor | None = None) -> Actor:
        """Work no person does by hand; the purpose is what the audit trail shows."""
        return cls(
            id=f"system:{purpose}",
            name=f"Openward ({purpose})",
            kind="system",
            tenant=tenant,
            purpose="HOPERAT",
            on_behalf_of=on_behalf_of.id if on_behalf_of else None,
            request_id=on_behalf_of.request_id if on_behalf_of else None,
        )

    @property
    def reference_id(self) -> str | None:
        return self.reference.split("/")[1] if self.reference else None

    def may(self, permission: Permission) -> bool:
        """Whether the actor may use pages that need `permission`. Clients and system purposes use no pages."""
        role = role_of(self)
        return role is not None and role.may(permission)

    def during(self, *, request_id: str, address: str | None) -> Actor:
        """The same actor in one request. A copy of what the object holds, since it is made for every read: `dataclasses.replace` takes twenty times as long."""
        same = object.__new__(Actor)
        same.__dict__.update(self.__dict__, request_id=request_id, address=address)
        return same
