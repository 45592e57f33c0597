"""A profile as the facts that it adds to its base type. https://hl7.org/fhir/R4/elementdefinition.html

What the base type says already is left out (see `reduction`): the base validation checks that. Field names are short because thousands are stored.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Strength = Literal["required", "extensible"]


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all facts have in common: immutable, absent means unstated."""


class Binding(Facts, frozen=True, omit_defaults=True):
    """`most`: the value set that codes of an extensible or preferred binding may not leave (maxValueSet)."""

    strength: Strength | None = None
    value_set: str | None = msgspec.field(default=None, name="set")
    most: str | None = None


class Constraint(Facts, frozen=True, omit_defaults=True):
    key: str
    expression: str = msgspec.field(name="fp")
    human: str = ""
    is_warning: bool = msgspec.field(default=False, name="warn")


class Discriminator(Facts, frozen=True, omit_defaults=True):
    """https://hl7.org/fhir/R4/profiling.html#discriminator"""

    type: str
    path: str = "$this"


class Slicing(Facts, frozen=True, omit_defaults=True):
    discriminators: tuple[Discriminator, ...] = msgspec.field(default=(), name="by")
    rules: Literal["open", "closed", "openAtEnd"] = "open"
    ordered: bool = False


class Node(Facts, frozen=True, omit_defaults=True):
    """One element of the profile, or one slice of it.

    `name` is the JSON key, the stem for a choice. `max` None: no limit of the profile's own. `types` empty: those of the base.
    `profiles` by type: canonicals one of which the value conforms to. `targets`: canonicals of what a Reference may point at.
    `content`: path of the element of the same profile whose rules hold here too (contentReference).
    """

    name: str
    slice: str | None = None
    min: int = 0
    max: int | None = None
    types: tuple[str, ...] = ()
    profiles: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    targets: tuple[str, ...] = ()
    fixed: Any = None
    pattern: Any = None
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    children: tuple[Node, ...] = msgspec.field(default=(), name="of")
    slices: tuple[Node, ...] = ()
    content: str | None = None
    max_length: int | None = None
    min_value: Any = None
    max_value: Any = None

    def child(self, name: str) -> Node | None:
        return next((child for child in self.children if child.name == name), None)


class Context(Facts, frozen=True, omit_defaults=True):
    """Where an extension may stand."""

    type: str
    expression: str = ""


class Profile(Facts, frozen=True, omit_defaults=True):
    """`type` is the resource or data type constrained; `guide` the package it came in, as `name#version`."""

    url: str
    version: str
    type: str
    root: Node
    title: str = ""
    guide: str = ""
    is_modifier: bool = False
    contexts: tuple[Context, ...] = ()
    context_invariants: tuple[str, ...] = ()

    @property
    def canonical(self) -> str:
        return f"{self.url}|{self.version}" if self.version else self.url

    @property
    def name(self) -> str:
        """The last word of the address, for sentences."""
        return self.url.rsplit("/", 1)[-1]
