"""`openward terminology`: code systems loaded from the files a house has licensed, and what is here and what is lacking."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import psycopg

from openward.database import Database
from openward.fhir.terminology.loading.listing import Here, here, lacking
from openward.fhir.terminology.loading.load import Loaded, found, load
from openward.server.progress import ProgressBar

TENANT = 1
SENTENCES = {
    "loaded": "{0.title} {0.version}: {0.concepts:,} concepts are in.",
    "resumed": "{0.title} {0.version}: {0.concepts:,} concepts are in; an earlier load was taken up where it ended.",
    "there": "{0.title} {0.version} was in already: {0.concepts:,} concepts.",
}


def run(options: argparse.Namespace, database: Database) -> list[str]:
    """What to tell whoever called. Raises FhirError and OSError."""
    if options.action == "list":
        with database.connect() as connection:
            return list(_listed(connection))
    releases = found(options.paths, options.version)
    with database.connect() as connection, ProgressBar("terminology") as bar:
        connection.autocommit = True
        return [_sentence(one) for one in load(connection, releases, bar.update)]


def _sentence(one: Loaded) -> str:
    return SENTENCES[one.outcome].format(one)


def _listed(connection: psycopg.Connection[object]) -> Iterator[str]:
    for one in here(connection, TENANT):
        yield _line(one)
    for missing in lacking(connection, TENANT):
        yield f"LACKING  {missing.title} ({missing.url}): not checked are {missing.unchecked}. Wanted: {missing.wanted}."


def _line(one: Here) -> str:
    count = f"{one.concepts:,} concepts" if one.concepts is not None else "by grammar"
    return f"{one.title:46.46} {one.version or '':44.44} {count:>20}  {one.where}"
