"""Whether the tables of the trail are still as the migrations made them: an owner who switches a trigger off, or has the pages look at less, is told.

The migrations' own SQL is run once more in a schema that is never committed, and what both schemas are made of is compared as PostgreSQL itself tells it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from django.db.migrations.operations import RunSQL

from openward.audit import migrations

SCHEMA = "audit"
SCRATCH = "audit_as_it_was_made"

# What a schema is made of: kind, name and what it says, with the schema's own name taken out.
MADE_OF = """
select 'table', c.relname, format('%%s, %%s, row security %%s', case c.relkind when 'r' then 'a table' when 'v' then 'a view' else 'of kind ' || c.relkind::text end,
    case c.relpersistence when 'p' then 'logged' else 'not logged' end, c.relrowsecurity)
  from pg_class c where c.relnamespace = %(schema)s::regnamespace and c.relkind not in ('i', 'I', 'c', 't')
union all
select 'column', c.relname || '.' || a.attname, format('%%s %%s, null %%s, by default %%s', a.attnum, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid))
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on (d.adrelid, d.adnum) = (c.oid, a.attnum)
  where c.relnamespace = %(schema)s::regnamespace and c.relkind = 'r'
union all
select 'trigger', c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else ' (switched off)' end
  from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = %(schema)s::regnamespace and not t.tgisinternal
union all
select 'rule', c.relname || '.' || r.rulename, pg_get_ruledef(r.oid) from pg_rewrite r join pg_class c on c.oid = r.ev_class
  where c.relnamespace = %(schema)s::regnamespace
union all
select 'policy', c.relname || '.' || p.polname, '' from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = %(schema)s::regnamespace
union all
select 'function', p.proname, pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = %(schema)s::regnamespace
union all
select 'key', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid) from pg_constraint k join pg_class c on c.oid = k.conrelid
  where c.relnamespace = %(schema)s::regnamespace and k.contype in ('p', 'c')
"""

Made = Mapping[tuple[str, str], str]


class _Enough(Exception):
    """What was made to be compared is taken back."""


def alterations(wire: psycopg.Connection[Any]) -> list[str]:
    """Sentences, one for each part that is missing, came, or is another than the migrations made. Raises psycopg.Error for who may not make a schema."""
    found: list[str] = []
    try:
        with wire.transaction():
            here = _made_of(wire, SCHEMA)
            for statement in _statements():
                psycopg.Cursor(wire).execute(statement.encode())
            found += _differences(here, _made_of(wire, SCRATCH))
            raise _Enough
    except _Enough:
        return found


def _differences(here: Made, made: Made) -> Iterator[str]:
    gone = {name for kind, name in made.keys() - here.keys() if kind == "table"}
    for kind, name in sorted(here.keys() | made.keys()):
        if name.partition(".")[0] in gone and kind != "table":
            continue
        if (kind, name) not in here:
            yield f"The {kind} {name} of the trail is gone."
        elif (kind, name) not in made:
            yield f"The {kind} {name} of the trail was added: no migration made it."
        elif here[kind, name] != made[kind, name]:
            yield f"The {kind} {name} of the trail is not as the migrations made it" + _what(kind, here[kind, name])


def _what(kind: str, told: str) -> str:
    return f": it is {told}." if kind == "table" else ": it is switched off." if told.endswith("(switched off)") else "."


def _statements() -> Iterator[str]:
    """What the migrations run in the trail's schema, with the name of that exchanged."""
    for one in sorted(module.name for module in pkgutil.iter_modules(migrations.__path__)):
        for operation in importlib.import_module(f"{migrations.__name__}.{one}").Migration.operations:
            if isinstance(operation, RunSQL):
                yield str(operation.sql).replace(f"{SCHEMA}.", f"{SCRATCH}.").replace(f"create schema {SCHEMA};", f"create schema {SCRATCH};")


def _made_of(wire: psycopg.Connection[Any], schema: str) -> dict[tuple[str, str], str]:
    there = psycopg.Cursor(wire).execute("select to_regnamespace(%s) is not null", (schema,)).fetchone()
    if there != (True,):
        return {}
    rows = psycopg.Cursor(wire).execute(MADE_OF, {"schema": schema}).fetchall()
    return {(kind, name): str(told).replace(f"{schema}.", "") for kind, name, told in rows}
