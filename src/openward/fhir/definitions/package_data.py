"""Reads the compiled tables that `generate` wrote beside this module."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec


def load(name: str) -> Mapping[str, Any]:
    packed = files(__package__).joinpath("data", f"{name}.json.gz").read_bytes()
    table: Mapping[str, Any] = msgspec.json.decode(gzip.decompress(packed))
    return table
