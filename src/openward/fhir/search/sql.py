"""SQL in the making: constant text with named places, and the values that go into them. What a client sent only ever becomes a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openward.fhir.definitions import type_number
from openward.fhir.errors import BadRequest
from openward.fhir.protocols import Where

if TYPE_CHECKING:
    from openward.fhir.search.facts import Facts

FALSE = "false"


class Bindings:
    """The named parameters of one statement. `place` returns the text that stands for a value."""

    def __init__(self, tenant: int, facts: Facts | None = None, name: str = "p") -> None:
        """`name`: what the names of the values begin with."""
        self.tenant = tenant
        self.values: dict[str, Any] = {"tenant": tenant}
        self._facts = facts
        self._name = name
        self._policies = 0
        self.is_walked = False
        """Whether the rows are found by another index, so that one of tokens must not be thought of."""

    @property
    def can_look(self) -> bool:
        return self._facts is not None

    @property
    def facts(self) -> Facts:
        """What must be looked up first. Raises BadRequest where a condition that needs it cannot be asked."""
        if self._facts is None:
            raise BadRequest("This condition cannot be asked here.")
        return self._facts

    def place(self, value: Any, cast: str = "") -> str:
        name = f"{self._name}{len(self.values)}"
        self.values[name] = value
        return f"%({name})s{cast}"

    def numbers(self, values: Sequence[int]) -> str:
        return self.place(sorted(set(values)), "::bigint[]")

    def policy(self, where: Where) -> str:
        """The policy's condition with names of its own: one statement may hold the conditions of several types."""
        if where.everything:
            return "true"
        self._policies += 1
        prefix = f"w{self._policies}_"
        self.values.update({prefix + name: value for name, value in where.params.items()})
        return f"({where.sql.replace('%(policy_', f'%({prefix}policy_')})"


def all_of(conditions: Sequence[str]) -> str:
    return " and ".join(conditions) if conditions else "true"


def any_of(conditions: Sequence[str]) -> str:
    if len(conditions) == 1:
        return conditions[0]
    return "(" + " or ".join(conditions) + ")" if conditions else FALSE


def rtype(type: str) -> str:
    """The number of a resource type, written into the statement so that the planner sees the partition."""
    return str(type_number(type))
