"""Icons, buttons, badges, cards, callouts, empty states, tabs, menus' small parts."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from openward.web.display import initials
from openward.web.markup import escaped, joined, markup
from openward.web.words import gettext as _

Attributes = dict[str, Any]


def attributes(extra: Attributes) -> SafeString:
    """Keyword arguments as HTML attributes: `hx_get` is `hx-get`, `data_x` is `data-x`, True is bare, False and None are left out."""
    named = [(name.rstrip("_").replace("_", "-"), value) for name, value in extra.items() if value is not None and value is not False]
    return SafeString("".join([f" {escaped(name)}" if value is True else f' {escaped(name)}="{escaped(value)}"' for name, value in named]))


@cache
def _sprite() -> str:
    return static("vendor/icons.svg")


@lru_cache(maxsize=1000)
def icon(name: str, label: str = "") -> SafeString:
    """A lucide icon from the sprite; decoration unless it has a `label`."""
    if not name:
        return SafeString("")
    if label:
        return markup('<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', label, _sprite(), name)
    return markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', _sprite(), name)


MARK = mark_safe(
    '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><rect class="mark-field" width="24" height="24" rx="6"/>'
    '<path class="mark-door" d="M7 18.5V9.2a5 5 0 0 1 10 0v9.3"/><path class="mark-cross" d="M12 10.2v5.6M9.2 13h5.6"/></svg>'
)


_icon = icon


def mark() -> SafeString:
    """The sign of the house: an open door with a cross in it."""
    return MARK


def button(
    label: Any, url: str = "", *, kind: str = "", icon: str = "", type: str = "", confirm: str = "", post: str = "", **extra: Any
) -> SafeString:
    """A link that looks like a button when it has a `url`, else a button. Kinds: primary, quiet, danger.

    `post` sends a POST by htmx and without it needs a form around; `confirm` asks first; `icon` puts an icon before the words.
    """
    classes = " ".join(part for part in ("button", kind, extra.pop("class_", "")) if part)
    inner = markup("{}<span>{}</span>", _icon(icon), label) if icon else markup("{}", label)
    more = attributes({**({"data-confirm": confirm} if confirm else {}), **({"hx-post": post} if post else {}), **extra})
    if url:
        return markup('<a class="{}" href="{}"{}>{}</a>', classes, url, more, inner)
    return markup('<button class="{}" type="{}"{}>{}</button>', classes, type or ("button" if post else "submit"), more, inner)


STATUS_ICONS = {
    "ok": "circle-check",
    "warning": "triangle-alert",
    "danger": "octagon-alert",
    "info": "info",
    "neutral": "circle",
    "accent": "circle-dot",
}


def badge(label: Any, tone: str = "neutral", icon: str = "") -> SafeString:
    """A status in a word with a dot, or an icon. Tones: neutral, ok, info, warning, danger, accent."""
    lead = _icon(icon) if icon else SafeString('<span class="dot" aria-hidden="true"></span>')
    return markup('<span class="badge {}">{}{}</span>', tone, lead, label)


def callout(content: str, title: str = "", tone: str = "info", **extra: Any) -> SafeString:
    """A message that stays: info, ok, warning, danger. Danger is announced at once."""
    role = "alert" if tone == "danger" else "note"
    head = markup("<strong>{}</strong>", title) if title else ""
    return markup(
        '<div class="callout {}" role="{}"{}>{}<div>{}{}</div></div>',
        tone,
        role,
        attributes(extra),
        _icon(STATUS_ICONS.get(tone, "info")),
        head,
        content,
    )


def empty(content: str, title: str = "", icon: str = "inbox", **extra: Any) -> SafeString:
    """Why there is nothing here and what to do about it; put the action in the content."""
    return markup(
        '<div class="empty"{}>{}<p class="empty-title">{}</p><div class="empty-text">{}</div></div>', attributes(extra), _icon(icon), title, content
    )


def avatar(name: str) -> SafeString:
    """Initials in a disc whose tint is the name's own."""
    tint = sum(ord(letter) for letter in name) % 6
    return markup('<span class="avatar tint-{}" aria-hidden="true">{}</span>', tint, initials(name))


def card(
    content: str,
    title: str = "",
    *,
    id: str = "",
    icon: str = "",
    action_url: str = "",
    action: str = "",
    panel: bool = False,
    count: Any = None,
    **extra: Any,
) -> SafeString:
    """A titled surface. `action` and `action_url` make the link in its head (into the side panel with `panel=True`); `count` a number beside the title.

    `refresh="vitals" src=url` makes the card reload itself from `src` when `refresh-vitals` is triggered; `live="topic"` on a live event.
    """
    extra = _reloading(extra)
    classes = " ".join(part for part in ("card", extra.pop("class_", "")) if part)
    heading_id = f"{id}-title" if id else ""
    named = attributes({"id": id or None, "aria-labelledby": heading_id or None, "aria-label": None if heading_id else title or None})
    head = _card_head(title, heading_id, icon, count, action, action_url, panel) if title else ""
    return markup('<section class="{}"{}{}>{}<div class="card-body">{}</div></section>', classes, named, attributes(extra), head, content)


def _card_head(title: str, heading_id: str, icon: str, count: Any, action: str, url: str, panel: bool) -> SafeString:
    number = markup(' <span class="count">{}</span>', count) if count is not None and count != "" else ""
    link = (panel_link(action, url) if panel else markup('<a href="{}">{}</a>', url, action)) if action and url else ""
    tail = markup('<div class="card-actions">{}</div>', link) if link else ""
    return markup('<header class="card-head"><h2{}>{}{}{}</h2>{}</header>', attributes({"id": heading_id or None}), _icon(icon), title, number, tail)


def _reloading(extra: Attributes) -> Attributes:
    """`refresh`, `live` and `src` as the htmx attributes that reload the element in place."""
    events = [f"refresh-{name} from:body" for name in str(extra.pop("refresh", "")).split()]
    events += [f"live-{name} from:body" for name in str(extra.pop("live", "")).split()]
    source = extra.pop("src", "")
    if source and events:
        extra = {"hx-get": source, "hx-trigger": ", ".join(events), "hx-swap": "outerHTML", "hx-target": "this", **extra}
    return extra


def panel_link(content: str, url: str, **extra: Any) -> SafeString:
    """A link that opens its page in the side panel: a plain link without htmx."""
    return markup('<a href="{0}" hx-get="{0}" hx-target="#panel" data-panel-link{1}>{2}</a>', url, attributes(extra), content)


def toast(message: Any, kind: str = "ok", undo: str = "") -> SafeString:
    """A passing message; with `undo` it stays longer and can be taken back."""
    back = markup('<button type="button" class="button quiet" hx-post="{}" hx-swap="none">{}</button>', undo, _("Undo")) if undo else ""
    close = markup('<button type="button" class="button quiet icon-only" data-toast-close aria-label="{}">{}</button>', _("Dismiss"), _icon("x"))
    return markup('<div class="toast {}" data-toast>{}<p>{}</p>{}{}</div>', kind, _icon(STATUS_ICONS.get(kind, "info")), message, back, close)


def tabs(items: Any, label: str = "") -> SafeString:
    """Links that look like tabs: `items` of (label, url, is_current) or (label, url, is_current, count)."""
    links = joined("", '<li><a href="{}"{}>{}{}</a></li>', (_tab(*item) for item in items))
    return markup('<nav class="tabs" aria-label="{}"><ul>{}</ul></nav>', label or _("Views"), links)


def _tab(label: str, url: str, current: bool, count: Any = None) -> tuple[Any, ...]:
    number = markup(' <span class="count">{}</span>', count) if count is not None else ""
    return url, SafeString(' aria-current="page"') if current else "", label, number


def pagination(previous: str = "", following: str = "", summary: str = "") -> SafeString:
    """Cursor paging: the URLs of the pages before and after, and words such as "1–50 of about 3,200"."""
    back = markup('<a class="button" rel="prev" href="{}">{}{}</a>', previous, _icon("chevron-left"), _("Previous")) if previous else ""
    on = markup('<a class="button" rel="next" href="{}">{}{}</a>', following, _("Next"), _icon("chevron-right")) if following else ""
    if not (back or on or summary):
        return SafeString("")
    return markup('<nav class="pagination" aria-label="{}"><p>{}</p><div class="row">{}{}</div></nav>', _("Pages of this list"), summary, back, on)


def keys(combination: str) -> SafeString:
    """`{% keys "Ctrl K" %}` as key caps."""
    return joined(" ", "<kbd>{}</kbd>", ((key,) for key in combination.split()))


def progress(value: Any, most: Any = 100, label: str = "", words: str = "") -> SafeString:
    """A bar with its meaning in words beside it."""
    return markup(
        '<div class="progress"><progress value="{}" max="{}" aria-label="{}"></progress><span class="num">{}</span></div>',
        value,
        most,
        label or words,
        words,
    )


def steps(items: Any, current: int) -> SafeString:
    """Where one is in a known number of steps; `current` counts from 1."""
    return markup('<ol class="steps">{}</ol>', joined("", "{}", ((_step(n, label, current),) for n, label in enumerate(items, 1))))


def _step(n: int, label: str, current: int) -> SafeString:
    state = "done" if n < current else "now" if n == current else "next"
    mark_ = _icon("check", _("Done")) if n < current else markup("{}", n)
    return markup(
        '<li class="{}"{}><span class="step-mark">{}</span>{}</li>', state, SafeString(' aria-current="step"') if n == current else "", mark_, label
    )


def stat(label: str, value: Any, detail: str = "", tone: str = "", url: str = "") -> SafeString:
    """A number that matters, with what it counts."""
    inner = markup(
        '<span class="stat-label">{}</span><span class="stat-value num">{}</span><span class="stat-detail">{}</span>', label, value, detail
    )
    return markup('<a class="stat {}" href="{}">{}</a>', tone, url, inner) if url else markup('<div class="stat {}">{}</div>', tone, inner)


def live(topic: str) -> SafeString:
    """Ask for live events of `topic`; regions listen with `hx-trigger="live-<topic> from:body"`."""
    return markup('<span hidden data-live="{}"></span>', topic)


def skeleton(lines: int = 3) -> SafeString:
    """Grey lines where content is on its way."""
    return markup('<div class="skeleton" role="status" aria-label="{}">{}</div>', _("Loading"), SafeString("<span></span>" * lines))
