"""Data tables: a caption, headers that sort by link, rows that lead somewhere, and what to show when there are none."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template import Context
from django.utils.safestring import SafeString

from openward.web.components.basics import attributes
from openward.web.components.basics import icon as _icon
from openward.web.markup import markup
from openward.web.words import gettext as _


def data_table(
    content: str, caption: str, *, id: str = "", dense: bool = False, caption_hidden: bool = True, list_keys: bool = False, **extra: Any
) -> SafeString:
    """A table that scrolls inside itself with its head in place. `caption` names it; `list_keys` lets j and k walk the rows."""
    classes = " ".join(part for part in ("data", "dense" if dense else "", extra.pop("class_", "")) if part)
    region = attributes({"id": id or None, "data-list-keys": list_keys, **extra})
    head = markup('<caption class="{}">{}</caption>', "sr-only" if caption_hidden else "", caption)
    return markup(
        '<div class="table-box" tabindex="0" role="group" aria-label="{}"{}><table class="{}">{}{}</table></div>',
        caption,
        region,
        classes,
        head,
        content,
    )


def sort_header(context: Context, label: str, key: str, *, parameter: str = "sort", class_: str = "") -> SafeString:
    """A `<th>` whose link sorts by `key`, and the other way when it already does. The view reads `?sort=key` or `?sort=-key`."""
    request: HttpRequest = context["request"]
    now = request.GET.get(parameter, "")
    to = f"-{key}" if now == key else key
    query = request.GET.copy()
    query[parameter] = to
    query.pop("cursor", None)
    state = "ascending" if now == key else "descending" if now == f"-{key}" else "none"
    name = {"ascending": "arrow-up", "descending": "arrow-down"}.get(state, "chevrons-up-down")
    return markup(
        '<th scope="col" class="{}" aria-sort="{}"><a class="sort" href="?{}">{}{}</a></th>', class_, state, query.urlencode(), label, _icon(name)
    )


def row_link(content: str, url: str, *, panel: bool = False, **extra: Any) -> SafeString:
    """The link of a row: put it in the row's first cell; the whole row is then its target (CSS)."""
    more = attributes({**({"hx-get": url, "hx-target": "#panel", "data-panel-link": True} if panel else {}), **extra})
    return markup('<a class="row-link" href="{}"{}>{}</a>', url, more, content)


def no_rows(columns: int, text: str = "") -> SafeString:
    """The row of a table without rows."""
    return markup('<tr class="no-rows"><td colspan="{}">{}</td></tr>', columns, text or _("Nothing here yet."))


def columns(content: str, label: str = "") -> SafeString:
    """Side-by-side columns of cards, such as a flow board; put `{% column %}`s in it."""
    return markup('<div class="columns" role="group" aria-label="{}">{}</div>', label or _("Columns"), content)


def column(content: str, title: str, count: Any = 0, *, tone: str = "", **extra: Any) -> SafeString:
    return markup(
        '<section class="column {}" aria-label="{}"{}><header class="column-head"><h2>{}</h2><span class="count">{}</span></header><ul class="column-cards">{}</ul></section>',
        tone, title, attributes(extra), title, count, content,
    )  # fmt: skip


def definition(term: str, value: Any, unknown: str = "") -> SafeString:
    """One pair of a `<dl class="facts">`; absence is stated."""
    shown = value if value not in (None, "") else markup('<span class="muted">{}</span>', unknown or _("Not known"))
    return markup("<div><dt>{}</dt><dd>{}</dd></div>", term, shown)
