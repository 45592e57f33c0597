"""`openward ig`: implementation guides put into the record, listed and taken out."""

from __future__ import annotations

import argparse

from openward.access.actor import Actor
from openward.fhir.profiles import installed
from openward.fhir.profiles.installing import install, remove
from openward.fhir.profiles.packages import FILES
from openward.fhir.store import Store
from openward.record import open_store

ACTOR = Actor.system("implementation guides", tenant=1)


def run(options: argparse.Namespace) -> list[str]:
    """What to tell whoever called. Raises FhirError and OSError."""
    return {"install": _install, "list": _list, "remove": _remove}[options.action](open_store(ACTOR), options)


def _install(store: Store, options: argparse.Namespace) -> list[str]:
    return [str(install(store, options.file.read_bytes()))]


def _list(store: Store, options: argparse.Namespace) -> list[str]:
    own = [f"{one.guide:45} {one.profiles:5,} profiles  installed {one.at:%Y-%m-%d}  {one.title}" for one in installed.guides(store)]
    return [f"{guide:45} built in" for guide in FILES] + own


def _remove(store: Store, options: argparse.Namespace) -> list[str]:
    return [f"{guide} is removed." for guide in remove(store, options.name)]
