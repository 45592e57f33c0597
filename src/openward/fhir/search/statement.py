"""The SELECT of one page: its keys from the narrow rows, then the bodies of just those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openward.fhir.search.sent import COLUMNS
from openward.fhir.search.sort import Column, Order
from openward.fhir.search.sql import rtype


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one type: `where` is their condition, `by` the order, alike in all the parts of a statement."""

    type: str
    by: Order
    where: str


def page_statement(parts: Sequence[Part], count: int, pin: str | None = None) -> str:
    """The columns of a version and, as text, the keys of its place in the order.

    `parts`: their rows are disjoint. `pin`: the SQL of the time the first page was made, for an order by time of writing.
    """
    by = parts[0].by
    types = list(dict.fromkeys(part.type for part in parts))
    direction = ", ".join(f"k{number} {column.direction}" for number, column in enumerate(by.columns))
    outer = ", ".join(f"{_name(column, number, len(parts))} {column.direction}" for number, column in enumerate(by.columns))
    limit = f"order by {direction} limit {count + 1}"
    selects = [f"{_select(part, pin)} {limit}" for part in parts]
    page = selects[0] if len(selects) == 1 else f"select * from ({' union all '.join(f'({select})' for select in selects)}) u {limit}"  # noqa: S608
    kind = rtype(types[0]) if len(types) == 1 else "p.kind"
    return (
        f"select {COLUMNS}, {', '.join(_texts(types, by, pin))} from ({page}) p"  # noqa: S608
        f" join fhir.body b on b.tenant = %(tenant)s and b.rtype = {kind} and b.rkey = p.rkey and b.ver = p.ver order by {outer}"
    )


def _name(column: Column, number: int, parts: int) -> str:
    """Of one part, the key by the name it is joined by: then the planner sees that what is joined stands in this order already."""
    return "p.rkey" if parts == 1 and column.expression == "c.rkey" else f"p.k{number}"


def _select(part: Part, pin: str | None) -> str:
    keys = ", ".join(f"{column.expression} as k{number}" for number, column in enumerate(part.by.columns))
    source = _log(part.type, pin) if part.by.reads_log else "fhir.current c"
    return f"select {rtype(part.type)}::smallint as kind, c.rkey, c.ver, {keys} from {source} where {part.where}"  # noqa: S608


def _texts(types: Sequence[str], by: Order, pin: str | None) -> list[str]:
    texts = [f"p.k{number}::text as t{number}" for number in range(len(by.columns))]
    if by.reads_log:
        latest = [f"(select max(x.ts) from fhir.body x where x.tenant = %(tenant)s and x.rtype = {rtype(type)})" for type in types]  # noqa: S608
        newest = f"greatest({', '.join(latest)})"
        texts.append(f"{pin or newest}::text as pin")
    return texts


def _log(type: str, pin: str | None) -> str:
    """By time of writing, the log of versions is walked.

    On the first page a version that is still the current one is a match. On the pages that follow a resource stands where it stood when the
    first was made, by the version of that time, so that one changed meanwhile neither jumps over the reader nor comes again.
    """
    log = f"select * from fhir.body v where v.tenant = %(tenant)s and v.rtype = {rtype(type)}"  # noqa: S608
    joined = "join fhir.current c on c.tenant = l.tenant and c.rtype = l.rtype and c.rkey = l.rkey"
    if pin is None:
        return f"({log}) l {joined} and c.ver = l.ver"
    later = "select from fhir.body n where n.tenant = v.tenant and n.rtype = v.rtype and n.rkey = v.rkey and n.ver = v.ver + 1"
    return f"({log} and v.op <> 'D' and v.ts <= {pin} and not exists ({later} and n.ts <= {pin})) l {joined}"
