"""A view: attributes over a dictionary of JSON values that stays the only copy."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar, Self


class View:
    """One FHIR object. `data` is its dictionary: str, bool, int, Decimal, list, dict; written through at once, never copied."""

    __slots__ = ("data",)

    TYPE: ClassVar[str]
    data: dict[str, Any]

    def __init__(self, **elements: Any) -> None:
        self.data = self._blank()
        self._set(elements)

    def _blank(self) -> dict[str, Any]:
        return {}

    def _set(self, elements: dict[str, Any]) -> None:
        for name, value in elements.items():
            if not hasattr(getattr(type(self), name, None), "key"):
                raise TypeError(f"{type(self).__name__} has no element {name!r}")
            setattr(self, name, value)

    @classmethod
    def over(cls, data: dict[str, Any]) -> Self:
        """A view of `data` itself, trusted to be of this type."""
        made = cls.__new__(cls)
        made.data = data
        return made

    def copy(self) -> Self:
        """The same again, sharing nothing."""
        return self.over(deepcopy(self.data))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and type(self) is type(other) and self.data == other.data

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (self.TYPE, self.data)

    def __repr__(self) -> str:
        """Type, id and the elements present; never their values, which may be a patient's."""
        named = f"/{self.data['id']}" if "id" in self.data else ""
        return f"<{self.TYPE}{named}: {', '.join(key for key in self.data if key not in ('id', 'resourceType'))}>"


def _revive(type: str, data: dict[str, Any]) -> Any:
    from openward.fhir.resources.making import view_of

    return view_of(type).over(data)
