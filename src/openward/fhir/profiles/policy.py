"""Which profiles a write is held to, besides its base type. https://hl7.org/fhir/R4/validation.html

`off`         none.
`versioned`   what `meta.profile` declares with its version, and without one where the guide is known in one version only: the claim is clear then.
`declared`    what `meta.profile` declares, if it is known here; without a version the preferred release of the guide is meant.

To each come the profiles configured for the type. Profiles that are not known here never refuse a write; `$validate` warns of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

Mode = Literal["off", "versioned", "declared"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """`by_type`: resource type → canonicals it must conform to. `prefer`: guides that an address without a version means, the first that has it."""

    mode: Mode = "versioned"
    by_type: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prefer: Sequence[str] = ()


_policies = [WritePolicy()]


def current() -> WritePolicy:
    """The policy of this process."""
    return _policies[-1]


def use(policy: WritePolicy) -> None:
    """Hold writes to `policy` from now on. Raises ValueError for a mode there is none of."""
    if policy.mode not in MODES:
        raise ValueError(f"Profiles of writes are checked in one of the modes {', '.join(MODES)}, not {policy.mode!r}.")
    _policies[:] = [policy]


def parse(mode: str, by_type: Sequence[str], prefer: Sequence[str]) -> WritePolicy:
    """From settings: `by_type` as `Patient=http://…|6.1.0`, a type as often as it has profiles. Raises ValueError."""
    table: dict[str, list[str]] = {}
    for item in by_type:
        type, separator, canonical = item.partition("=")
        if not separator or not canonical.strip():
            raise ValueError(f"A profile of a type is written Type=canonical, not {item!r}.")
        table.setdefault(type.strip(), []).append(canonical.strip())
    found = next((one for one in MODES if one == mode), None)
    if found is None:
        raise ValueError(f"Profiles of writes are checked in one of the modes {', '.join(MODES)}, not {mode!r}.")
    return WritePolicy(found, table, tuple(prefer))
