"""Rows → tables: a batch is copied into temporary tables and merged from there, so that loading it twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from openward.fhir.terminology.loading.release import ConceptRow, NameRow, ParentRow, PropertyRow, Release, Row, StagedRow

STAGE = (
    """create temp table if not exists t_concept (n int, code text, display text, definition text, inactive boolean, abstract boolean)
       on commit delete rows""",
    "create temp table if not exists t_name (code text, key text, language text, system text, use text, title text, value text) on commit delete rows",
    "create temp table if not exists t_property (code text, property text, kind text, value text) on commit delete rows",
    "create temp table if not exists t_parent (code text, parent text) on commit delete rows",
    "create temp table if not exists t_staged (kind text, key text, value text) on commit delete rows",
)
NAMES = """insert into fhir.designation (tenant, cs, code, key, language, use_system, use_code, use_display, value)
  select distinct on (code, key) %(tenant)s::int, %(cs)s::bigint, code, key, language, system, use, title, value from t_name
  on conflict (tenant, cs, code, key) do nothing"""
PREFERRED = """(select d.value from fhir.designation d left join fhir.terminology_staged s
    on s.tenant = d.tenant and s.cs = d.cs and s.kind = 'p' and s.key = d.key
  where d.tenant = %(tenant)s and d.cs = %(cs)s and d.code = t.code
  order by s.key is not null desc, array_position(%(uses)s::text[], d.use_code), d.key limit 1)"""
CONCEPTS = f"""with first as (select coalesce(max(ord), -1) + 1 as ord from fhir.concept where tenant = %(tenant)s and cs = %(cs)s),
  t as (select distinct on (code) * from t_concept order by code, display is null, n)
  insert into fhir.concept as c (tenant, cs, code, ord, display, definition, inactive, abstract)
  select %(tenant)s::int, %(cs)s::bigint, t.code, first.ord + t.n, coalesce(t.display, case when %(named)s then {PREFERRED} end), t.definition,
    t.inactive, t.abstract from t, first
  on conflict (tenant, cs, code) do update set display = coalesce(excluded.display, c.display), definition = coalesce(excluded.definition, c.definition),
    inactive = c.inactive or excluded.inactive, abstract = c.abstract or excluded.abstract
    where (c.display, c.definition, c.inactive, c.abstract) is distinct from (coalesce(excluded.display, c.display),
      coalesce(excluded.definition, c.definition), c.inactive or excluded.inactive, c.abstract or excluded.abstract)"""  # noqa: S608 - fixed text
PROPERTIES = """insert into fhir.concept_property (tenant, cs, code, property, kind, value)
  select distinct %(tenant)s::int, %(cs)s::bigint, code, property, kind, value from t_property on conflict do nothing"""
PARENTS = """insert into fhir.concept_parent (tenant, cs, code, parent)
  select distinct %(tenant)s::int, %(cs)s::bigint, code, parent from t_parent where code <> parent on conflict do nothing"""
STAGED = """insert into fhir.terminology_staged (tenant, cs, kind, key, value)
  select distinct on (kind, key) %(tenant)s::int, %(cs)s::bigint, kind::"char", key, value from t_staged on conflict do nothing"""

# ICD-10-CM: of the shorter codes that were offered as parents the longest that exists. HCPCS: the lines that continue a text.
FINISH = (
    """insert into fhir.concept_parent (tenant, cs, code, parent)
       select distinct on (split_part(s.key, '|', 1)) s.tenant, s.cs, split_part(s.key, '|', 1), c.code from fhir.terminology_staged s
       join fhir.concept c on c.tenant = s.tenant and c.cs = s.cs and c.code = split_part(s.key, '|', 2)
       where s.tenant = %(tenant)s and s.cs = %(cs)s and s.kind = 'a' order by split_part(s.key, '|', 1), length(c.code) desc on conflict do nothing""",
    """update fhir.concept c set display = c.display || ' ' || more.value from
         (select split_part(key, '|', 1) as code, string_agg(value, ' ' order by key) as value from fhir.terminology_staged
          where tenant = %(tenant)s and cs = %(cs)s and kind = 'c' group by 1) more
       where c.tenant = %(tenant)s and c.cs = %(cs)s and c.code = more.code""",
    "delete from fhir.terminology_staged where tenant = %(tenant)s and cs = %(cs)s",
)

COLUMNS: Mapping[str, Sequence[str]] = {
    "t_concept": ("n", "code", "display", "definition", "inactive", "abstract"),
    "t_name": ("code", "key", "language", "system", "use", "title", "value"),
    "t_property": ("code", "property", "kind", "value"),
    "t_parent": ("code", "parent"),
    "t_staged": ("kind", "key", "value"),
}


def prepare(connection: Connection[Any]) -> None:
    for sql in STAGE:
        connection.execute(sql.encode())


def merge(connection: Connection[Any], tenant: int, cs: int, release: Release, batch: Sequence[Row]) -> None:
    """One batch, inside the caller's transaction."""
    bound = {"tenant": tenant, "cs": cs, "named": release.named_by_preference, "uses": list(release.uses)}
    staged = _sorted_out(batch)
    for name, rows in staged.items():
        _copy(connection, name, rows)
    for name, sql in (("t_staged", STAGED), ("t_name", NAMES), ("t_concept", CONCEPTS), ("t_property", PROPERTIES), ("t_parent", PARENTS)):
        if staged[name]:
            connection.execute(sql.encode(), bound)
    connection.execute(b"truncate t_concept, t_name, t_property, t_parent, t_staged")


def finish(connection: Connection[Any], tenant: int, cs: int) -> int:
    """What can only be said when every part is in; the number of concepts."""
    for sql in FINISH:
        connection.execute(sql.encode(), {"tenant": tenant, "cs": cs})
    row = connection.execute("select count(*) from fhir.concept where tenant = %s and cs = %s", (tenant, cs)).fetchone()
    return int(row[0]) if row else 0


def _sorted_out(batch: Sequence[Row]) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
    for row in batch:
        if isinstance(row, ConceptRow):
            found["t_concept"].append((len(found["t_concept"]), row.code, row.display, row.definition, row.inactive, row.abstract))
        elif isinstance(row, NameRow):
            found["t_name"].append((row.code, row.key, row.language, *(row.use or (None, None, None)), row.value))
        elif isinstance(row, PropertyRow):
            found["t_property"].append((row.code, row.property, row.kind, row.value))
        elif isinstance(row, ParentRow):
            found["t_parent"].append((row.code, row.parent))
        elif isinstance(row, StagedRow):
            found["t_staged"].append((row.kind, row.key, row.value))
    return found


def _copy(connection: Connection[Any], name: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"copy {name} ({', '.join(COLUMNS[name])}) from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)
