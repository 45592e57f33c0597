"""Reads the compiled tables that `generate` wrote beside this module."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


def load(name: str) -> Mapping[str, Any]:
    packed = Path(__file__).parent.joinpath("data", f"{name}.json.gz").read_bytes()
    table: Mapping[str, Any] = msgspec.json.decode(gzip.decompress(packed))
    return table
