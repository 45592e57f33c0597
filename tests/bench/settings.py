"""The product's settings with one page more: an empty one, the floor of every other."""

from __future__ import annotations

from openward.server.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
