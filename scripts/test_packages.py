"""Fetch what only the tests need of npm, named and hashed in tests/package-lock.json, into tests/node_modules.

Run by `make setup-test`, with the same npm as scripts/assets.py. Does nothing when the lock file is the one they were fetched by.
"""

from __future__ import annotations

import hashlib
import sys

from assets import ROOT, run_npm

LOCK = ROOT / "tests/package-lock.json"
STAMP = ROOT / "tests/node_modules/.made-from"


def main() -> int:
    made_from = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not (STAMP.exists() and STAMP.read_text() == made_from):
        run_npm("ci", "--prefix", "tests", "--ignore-scripts", "--no-audit", "--no-fund")
        STAMP.write_text(made_from)
    return 0


if __name__ == "__main__":
    sys.exit(main())
