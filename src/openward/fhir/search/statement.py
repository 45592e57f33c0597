"""The SELECT of one page: its keys from the narrow rows, then the bodies of just those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openward.fhir.search.sent import BARE, COLUMNS
from openward.fhir.search.sort import Column, Order
from openward.fhir.search.sql import rtype


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one type: `where` is their condition, `by` the order, alike in all the parts of a statement.

    `are_gathered`: all of them are found before they are put in order, so that the planner does not think of walking along in it until it meets some.
    """

    type: str
    by: Order
    where: str
    are_gathered: bool = False


def page_statement(parts: Sequence[Part], count: int, pin: str | None = None) -> str:
    """The columns of a version and, as text, the keys of its place in the order; one row more than `count`.

    `parts`: their rows are disjoint. `pin`: the SQL of the time the first page was made, for an order by time of writing.
    """
    return _bodies(parts, COLUMNS, f"({_keys(parts, count, pin)}) p", _texts(parts, pin))


def kept_statement(parts: Sequence[Part], count: int, *, bare: bool = False) -> tuple[str, str]:
    """The same for a plan that is kept, in two steps: the SELECT of the CTE `page`, and that of what is on it. `bare`: of a version no more than `BARE`.

    The place told is that of the page's last row: nobody asks for the others'.
    """
    last = [f"(select {text} from page p offset {count - 1} limit 1)" for text in _texts(parts, None)]  # noqa: S608
    return _keys(parts, count, None), _bodies(parts, BARE if bare else COLUMNS, "page p", last)


def _keys(parts: Sequence[Part], count: int, pin: str | None) -> str:
    """The narrow rows of the page, in its order."""
    direction = ", ".join(f"k{number} {column.direction}" for number, column in enumerate(parts[0].by.columns))
    limit = f"order by {direction} limit {count + 1}"
    selects = [f"{_select(part, pin)} {limit}" for part in parts]
    return selects[0] if len(selects) == 1 else f"select * from ({' union all '.join(f'({select})' for select in selects)}) u {limit}"  # noqa: S608


def _bodies(parts: Sequence[Part], columns: str, source: str, texts: Sequence[str]) -> str:
    """What belongs to the keys in `source`, named `p`."""
    types = _types(parts)
    kind = rtype(types[0]) if len(types) == 1 else "p.kind"
    order = ", ".join(f"{_name(column, number, len(parts))} {column.direction}" for number, column in enumerate(parts[0].by.columns))
    named = ", ".join(f"{text} as t{number}" for number, text in enumerate(texts))
    return (
        f"select {columns}, {named} from {source}"  # noqa: S608
        f" join fhir.body b on b.tenant = %(tenant)s and b.rtype = {kind} and b.rkey = p.rkey and b.ver = p.ver order by {order}"
    )


def _types(parts: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(part.type for part in parts))


def _name(column: Column, number: int, parts: int) -> str:
    """Of one part, the key by the name it is joined by: then the planner sees that what is joined stands in this order already."""
    return "p.rkey" if parts == 1 and column.expression == "c.rkey" else f"p.k{number}"


def _select(part: Part, pin: str | None) -> str:
    keys = ", ".join(f"{column.expression} as k{number}" for number, column in enumerate(part.by.columns))
    source = _log(part.type, pin) if part.by.reads_log else "fhir.current c"
    rows = f"(select * from {source} where {part.where} offset 0) c" if part.are_gathered else f"{source} where {part.where}"  # noqa: S608
    return f"select {rtype(part.type)}::smallint as kind, c.rkey, c.ver, c.patient, {keys} from {rows}"  # noqa: S608


def _texts(parts: Sequence[Part], pin: str | None) -> list[str]:
    """The place of a row in the order."""
    by = parts[0].by
    texts = [f"p.k{number}::text" for number in range(len(by.columns))]
    if by.reads_log:
        latest = [f"(select max(x.ts) from fhir.body x where x.tenant = %(tenant)s and x.rtype = {rtype(type)})" for type in _types(parts)]  # noqa: S608
        newest = f"greatest({', '.join(latest)})"
        texts.append(f"{pin or newest}::text")
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
