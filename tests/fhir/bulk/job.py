"""One export job in a process of its own, that a test can kill: `python -m tests.fhir.bulk.job URL FOLDER ID`."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

import psycopg

from openward.fhir.bulk.house import Limits
from openward.fhir.bulk.running import run
from tests.fhir.bulk.conftest import Bulk
from tests.fhir.house import House


def main() -> None:
    url, folder, id = sys.argv[1:]
    bulk = Bulk(House(url), Path(folder), Limits(chunk_bytes=1, file_bytes=50_000, dawdle_seconds=0.0))
    with psycopg.connect(url, autocommit=True) as connection:
        run(connection, 1, UUID(id), bulk)


if __name__ == "__main__":
    main()
