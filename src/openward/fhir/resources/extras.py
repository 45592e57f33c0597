"""What some types can do besides holding elements."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from openward.fhir.errors import Malformed
from openward.fhir.resources.fields import Field, One, view
from openward.fhir.resources.view import View


class Extensible:
    """Anything with extensions. https://hl7.org/fhir/R4/extensibility.html"""

    __slots__ = ()
    data: dict[str, Any]

    def extension_value(self, url: str) -> Any:
        """The value of the first extension of that url, None when there is none."""
        found = (extension for extension in self.data.get("extension", ()) if extension.get("url") == url)
        extension = next(found, None)
        return view("Extension", extension).value if extension else None

    def set_extension(self, url: str, **value: Any) -> None:
        """Make `url` say `value` (`valueInteger=30`) and nothing else; without a value, take it out."""
        kept = [extension for extension in self.data.get("extension", ()) if extension.get("url") != url]
        if value:
            extension = view("Extension", {"url": url})
            extension._set(value)
            kept.append(extension.data)
        if kept:
            self.data["extension"] = kept
        else:
            self.data.pop("extension", None)


class AnyResource:
    """A resource: knows its type, and how others refer to it."""

    __slots__ = ()
    resourceType: ClassVar[str]
    data: dict[str, Any]

    def _blank(self) -> dict[str, Any]:
        return {"resourceType": self.resourceType}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """The view of the class that `resourceType` names. Raises UnknownType, or Malformed when it is not this one."""
        made = view("Resource", data)
        if not isinstance(made, cls):
            raise Malformed(f"This is {data['resourceType']}, not {cls.resourceType}.")
        return made

    @property
    def reference(self) -> Any:
        """A Reference to this resource; ValueError while it has no id."""
        return view("Reference", {}).to(self)


class Pointing:
    """A Reference. https://hl7.org/fhir/R4/references.html"""

    __slots__ = ()
    data: dict[str, Any]

    def __init__(self, literal: str | None = None, /, **elements: Any) -> None:
        super().__init__(**({"reference": literal} if literal is not None else {}) | elements)

    @classmethod
    def to(cls, resource: Any, *, display: str | None = None) -> Any:
        """The relative reference to a stored resource; ValueError while it has no id."""
        if not resource.id:
            raise ValueError(f"this {resource.resourceType} has no id yet")
        return view("Reference", {"reference": f"{resource.resourceType}/{resource.id}"} | ({"display": display} if display else {}))

    def _parts(self) -> list[str]:
        literal = self.data.get("reference") or ""
        return [] if literal.startswith(("#", "urn:")) else literal.split("/_history/")[0].split("/")[-2:]

    @property
    def target_type(self) -> str | None:
        """The type it points at, as its `type` or its literal reference says."""
        parts = self._parts()
        return self.data.get("type") or (parts[0] if len(parts) == 2 else None)

    @property
    def target_id(self) -> str | None:
        """The id it points at; None for a contained, logical or urn: reference."""
        parts = self._parts()
        return parts[1] if len(parts) == 2 else None


class TargetType(One):
    """`Reference.type`, read off the literal reference where it is not stated."""

    __slots__ = ()

    def __get__(self, view: View | None, owner: type | None = None) -> Any:
        return self if view is None else view.target_type  # type: ignore[attr-defined]


FIELDS: dict[str, dict[str, Field]] = {"Reference": {"type": TargetType("type", "uri")}}

EXTRAS: dict[str, tuple[type, ...]] = {
    "Element": (Extensible,),
    "Resource": (AnyResource,),
    "DomainResource": (Extensible,),
    "Reference": (Pointing,),
}
