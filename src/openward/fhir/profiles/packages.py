"""Guides: the profiles and value sets of one implementation guide, those built in and those a site installed."""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from openward.fhir.profiles.expansions import Codes
from openward.fhir.profiles.facts import Profile

CORE = "hl7.fhir.r4.core#4.0.1"
US_CORE = {version: f"hl7.fhir.us.core#{version}" for version in ("6.1.0", "7.0.0", "8.0.0")}
FILES = {CORE: "core", **{guide: f"us-core-{version}" for version, guide in US_CORE.items()}}


class _Tables(msgspec.Struct):
    profiles: dict[str, msgspec.Raw]
    value_sets: dict[str, dict[str, Any]]


_tables = msgspec.json.Decoder(_Tables)
_profile = msgspec.json.Decoder(Profile, float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(slots=True)
class Guide:
    """`name` is `package#version`. Profiles are read when first asked for: most never are."""

    name: str
    packed: Mapping[str, msgspec.Raw]
    value_sets: Mapping[str, Codes]

    def profile(self, url: str) -> Profile | None:
        found = self.packed.get(url)
        return None if found is None else decode(found)


def decode(packed: bytes | msgspec.Raw) -> Profile:
    return _profile.decode(packed)


def encode(profile: Profile) -> bytes:
    """The numbers of fixed values, patterns and limits as numbers, digit for digit: `decode` reads them as Decimal again."""
    return _encoder.encode(profile)


@cache
def built_in(name: str) -> Guide:
    """KeyError for a guide that is not built in."""
    packed = Path(__file__).parent.joinpath("data", f"{FILES[name]}.json.xz").read_bytes()
    tables = _tables.decode(lzma.decompress(packed))
    sets = {
        url: {system: codes if isinstance(codes, str) else frozenset(codes) for system, codes in found.items()}
        for url, found in tables.value_sets.items()
    }
    return Guide(name, tables.profiles, sets)


def supported(type: str) -> tuple[str, ...]:
    """The US Core profiles of a resource type that are built in, without a version and in each, for the CapabilityStatement."""
    return _supported().get(type, ())


@cache
def _supported() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, list[str]]] = {}
    for guide in map(built_in, US_CORE.values()):
        for url, packed in guide.packed.items():
            profile = decode(packed)
            found.setdefault(profile.type, {}).setdefault(url, []).append(profile.canonical)
    return {type: tuple(one for url, versions in sorted(urls.items()) for one in (url, *versions)) for type, urls in found.items()}
