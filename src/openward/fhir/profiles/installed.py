"""The guides a site installed, as the tables hold them. https://hl7.org/fhir/R4/packages.html"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from openward.fhir.profiles.catalogue import DEFAULT_US_CORE, Catalogue, built_in_catalogue
from openward.fhir.profiles.expansions import Codes
from openward.fhir.profiles.facts import Profile
from openward.fhir.profiles.packages import US_CORE, Guide, encode
from openward.fhir.profiles.policy import current

if TYPE_CHECKING:
    from psycopg import Connection

    from openward.fhir.store import Store

REVISION = "select revision from fhir.guide_revision where tenant = %(tenant)s"
RAISE = """insert into fhir.guide_revision as r (tenant, revision) values (%(tenant)s, 1)
  on conflict (tenant) do update set revision = r.revision + 1"""
GUIDES = "select guide, installed, title, resources from fhir.guide where tenant = %(tenant)s order by number"
PROFILES = "select guide, url, facts from fhir.guide_profile where tenant = %(tenant)s"
CODES = "select guide, value_set, codes from fhir.guide_codes where tenant = %(tenant)s"
COUNTS = """select g.guide, (select count(*) from fhir.guide_profile p where p.tenant = g.tenant and p.guide = g.guide)
  from fhir.guide g where g.tenant = %(tenant)s"""
INSERT = """insert into fhir.guide (tenant, guide, number, title, resources)
  select %(tenant)s, %(guide)s, coalesce(max(number), 0) + 1, %(title)s, %(resources)s from fhir.guide where tenant = %(tenant)s"""
INSERT_PROFILES = """insert into fhir.guide_profile (tenant, guide, url, facts)
  select %(tenant)s, %(guide)s, u, f from unnest(%(urls)s::text[], %(facts)s::text[]) n(u, f)"""
INSERT_CODES = """insert into fhir.guide_codes (tenant, guide, value_set, codes)
  select %(tenant)s, %(guide)s, u, c from unnest(%(urls)s::text[], %(codes)s::text[]) n(u, c)"""
PARTS = ("fhir.guide_profile", "fhir.guide_codes", "fhir.guide")

DEFAULT = (US_CORE[DEFAULT_US_CORE],)
FRESH_FOR = 1.0
"""Seconds a process goes on with what it knows before it asks whether a guide was installed meanwhile. An operation asks always."""


@dataclass(frozen=True, slots=True)
class Installed:
    guide: str
    at: dt.datetime
    title: str
    resources: Sequence[str]
    profiles: int


_known: dict[tuple[str, int], tuple[float, int, Catalogue]] = {}
_databases: WeakKeyDictionary[Connection[Any], str] = WeakKeyDictionary()


def catalogue_of(store: Store, *, fresh: bool = False) -> Catalogue:
    """What is known to this installation: what is built in and what the site installed. Compiled once for every revision of it."""
    key = _database(store.connection), store.tenant
    asked, revision, catalogue = _known.get(key, (0.0, -1, built_in_catalogue()))
    if not fresh and revision >= 0 and time.monotonic() - asked < FRESH_FOR:
        return catalogue
    row = store.execute(REVISION, {"tenant": store.tenant}).fetchone()
    latest = int(row[0]) if row else 0
    if latest != revision:
        catalogue = _catalogue(store)
    _known[key] = time.monotonic(), latest, catalogue
    return catalogue


def _database(connection: Connection[Any]) -> str:
    """Which database it is a connection to; the driver takes longer to say so than to look it up."""
    known = _databases.get(connection)
    if known is None:
        info = connection.info
        known = _databases[connection] = f"{info.host} {info.port} {info.dbname}"
    return known


def _catalogue(store: Store) -> Catalogue:
    params = {"tenant": store.tenant}
    names = [row[0] for row in store.execute(GUIDES, params)]
    if not names and tuple(current().prefer) in ((), DEFAULT):
        return built_in_catalogue()
    profiles: dict[str, dict[str, msgspec.Raw]] = {name: {} for name in names}
    for guide, url, facts in store.execute(PROFILES, params):
        profiles.setdefault(guide, {})[url] = msgspec.Raw(facts.encode())
    codes: dict[str, dict[str, Codes]] = {name: {} for name in names}
    for guide, value_set, held in store.execute(CODES, params):
        codes.setdefault(guide, {})[value_set] = json.loads(held)
    return Catalogue([Guide(name, profiles[name], codes[name]) for name in names], prefer=current().prefer)


def forget() -> None:
    """Ask the tables anew: another policy prefers other guides."""
    _known.clear()


def guides(store: Store) -> list[Installed]:
    """In the order of installation."""
    counts = dict(store.execute(COUNTS, {"tenant": store.tenant}).fetchall())
    rows = store.execute(GUIDES, {"tenant": store.tenant}).fetchall()
    return [Installed(guide, at, title, resources, counts[guide]) for guide, at, title, resources in rows]


def keep(store: Store, guide: str, title: str, profiles: Sequence[Profile], codes: Mapping[str, Codes], resources: Sequence[str]) -> None:
    """Put a guide's tables in place of what they were."""
    drop(store, guide)
    who: dict[str, Any] = {"tenant": store.tenant, "guide": guide}
    store.execute(INSERT, {**who, "title": title, "resources": list(resources)})
    facts = [encode(profile).decode() for profile in profiles]
    store.execute(INSERT_PROFILES, {**who, "urls": [profile.url for profile in profiles], "facts": facts})
    store.execute(INSERT_CODES, {**who, "urls": list(codes), "codes": [json.dumps(held) for held in codes.values()]})
    store.execute(RAISE, {"tenant": store.tenant})


def drop(store: Store, guide: str) -> None:
    for table in PARTS:
        store.execute(f"delete from {table} where tenant = %(tenant)s and guide = %(guide)s", {"tenant": store.tenant, "guide": guide})  # noqa: S608
    store.execute(RAISE, {"tenant": store.tenant})
