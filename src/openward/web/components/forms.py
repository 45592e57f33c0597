"""Fields, forms, error summaries, the combobox."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.middleware.csrf import get_token
from django.template import Context
from django.utils.safestring import SafeString

from openward.web import once
from openward.web.components.basics import attributes
from openward.web.components.basics import icon as _icon
from openward.web.markup import joined, markup
from openward.web.words import gettext as _

# How Django's own sentences begin: they do not say which field they mean.
NAMELESS = ("This ", "Enter a ", "Ensure ", "Select a ")


def field(bound: BoundField, *, label: str = "", hint: str = "", prefix: str = "", suffix: str = "", class_: str = "", **extra: Any) -> SafeString:
    """A bound form field with its label, hint and error tied to it. `prefix` and `suffix` show a unit; other arguments go to the input."""
    widget = bound.field.widget
    if widget.is_hidden:
        return SafeString(str(bound))
    words = label or bound.label
    hint = hint or str(bound.help_text or "")
    if isinstance(widget, (RadioSelect, CheckboxSelectMultiple)):
        return _group(bound, words, hint, class_)
    described = " ".join(part for part in (f"{bound.auto_id}-hint" if hint else "", f"{bound.auto_id}-error" if bound.errors else "") if part)
    control = bound.as_widget(attrs=_control_attributes(bound, described, extra))
    if isinstance(widget, CheckboxInput):
        return _check(bound, words, hint, control, class_)
    return markup(
        '<div class="field {}{}"><label for="{}">{}{}</label>{}{}{}</div>',
        class_, " has-error" if bound.errors else "", bound.id_for_label, words, _optional(bound), _hint(bound, hint), _errors(bound), _with_affixes(control, prefix, suffix),
    )  # fmt: skip


def _control_attributes(bound: BoundField, described: str, extra: dict[str, Any]) -> dict[str, Any]:
    more = {name.rstrip("_").replace("_", "-"): value for name, value in extra.items()}
    if described:
        more["aria-describedby"] = described
    if bound.errors:
        more["aria-invalid"] = "true"
    return more


def _optional(bound: BoundField) -> SafeString:
    """What may be left out is marked; what must be filled in is the rule."""
    return SafeString("") if bound.field.required else markup(' <span class="optional">{}</span>', _("optional"))


def _hint(bound: BoundField, hint: str) -> SafeString:
    return markup('<p class="hint" id="{}-hint">{}</p>', bound.auto_id, hint) if hint else SafeString("")


def _errors(bound: BoundField) -> SafeString:
    if not bound.errors:
        return SafeString("")
    text = joined(" ", "{}", ((error,) for error in bound.errors))
    return markup(
        '<p class="error" id="{}-error">{}<span><span class="sr-only">{}</span> {}</span></p>',
        bound.auto_id,
        _icon("circle-alert"),
        _("Error:"),
        text,
    )


def _with_affixes(control: SafeString, prefix: str, suffix: str) -> SafeString:
    if not (prefix or suffix):
        return control
    before = markup('<span class="affix">{}</span>', prefix) if prefix else ""
    after = markup('<span class="affix">{}</span>', suffix) if suffix else ""
    return markup('<div class="affixed">{}{}{}</div>', before, control, after)


def _check(bound: BoundField, words: Any, hint: str, control: SafeString, class_: str) -> SafeString:
    error = " has-error" if bound.errors else ""
    return markup(
        '<div class="field check-field {}{}">{}<label class="check">{}<span>{}</span></label>{}</div>',
        class_,
        error,
        _errors(bound),
        control,
        words,
        _hint(bound, hint),
    )


def _group(bound: BoundField, words: Any, hint: str, class_: str) -> SafeString:
    choices = joined("", '<label class="check">{}<span>{}</span></label>', ((option.tag(), option.choice_label) for option in bound))
    described = attributes(
        {
            "aria-describedby": " ".join(p for p in (f"{bound.auto_id}-hint" if hint else "", f"{bound.auto_id}-error" if bound.errors else "") if p)
            or None
        }
    )
    return markup(
        '<fieldset class="field {}{}"{} id="{}"><legend>{}{}</legend>{}{}<div class="checks">{}</div></fieldset>',
        class_, " has-error" if bound.errors else "", described, bound.auto_id, words, _optional(bound), _hint(bound, hint), _errors(bound), choices,
    )  # fmt: skip


def error_summary(form: BaseForm, *, focus: bool = True) -> SafeString:
    """Everything wrong with the form, on top, each linked to its field. Gets the focus (forms.js). Nothing when nothing is wrong."""
    if not form.is_bound or not form.errors:
        return SafeString("")
    items = [markup("<li>{}</li>", error) for error in form.non_field_errors()]
    for bound in form:
        items += [markup('<li><a href="#{}">{}</a></li>', bound.id_for_label or bound.auto_id, _naming(bound, error)) for error in bound.errors]
    return markup(
        '<div class="error-summary" role="alert" tabindex="-1"{}>{}<div><h2>{}</h2><ul>{}</ul></div></div>',
        SafeString(" data-error-summary") if focus else "", _icon("octagon-alert"), _("There is a problem"), SafeString("".join(items)),
    )  # fmt: skip


def _naming(bound: BoundField, error: Any) -> str:
    text = str(error)
    return f"{bound.label}: {text}" if text.startswith(NAMELESS) else text


def error_prefix(context: Context) -> str:
    """`Error: ` for the window's title when a form of the page came back with errors."""
    # By `type`: to ask with `isinstance` would have every lazy value of the page made.
    forms = (value for layer in context.dicts for value in layer.values() if issubclass(type(value), BaseForm))
    failed = getattr(context.get("request"), "panel_failed", False) or any(form.is_bound and form.errors for form in forms)
    return _("Error: ") if failed else ""


def once_token() -> SafeString:
    """The hidden token by which a form sent twice acts once (`web/once.py`)."""
    return markup('<input type="hidden" name="{}" value="{}">', once.FIELD, once.new_token())


def post_form(context: Context, content: str, url: str = "", *, panel: bool = False, **extra: Any) -> SafeString:
    """A form that posts: CSRF, once-token and, in a side panel (`panel=True`, or found by itself), htmx in place.

    `autosave=url` posts drafts as they are typed. Works without JavaScript in every form.
    """
    request = context.get("request")
    in_panel = panel or "panel_close_url" in context
    address = url or (request.get_full_path() if request else "")
    hidden = [markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request)) if request else "", once_token()]
    if in_panel:
        hidden.append(markup('<input type="hidden" name="_page" value="{}">', context.get("panel_close_url", "")))
        extra = {"hx-post": address, "hx-target": "#panel", "hx-swap": "innerHTML", **extra}
    if autosave := extra.pop("autosave", ""):
        extra["data-autosave"] = autosave
    return markup('<form method="post" action="{}" novalidate{}>{}{}</form>', address, attributes(extra), SafeString("".join(hidden)), content)


def autosave_state() -> SafeString:
    """Where a form with `autosave` says whether its draft is kept."""
    return markup(
        '<p class="save-state" data-autosave-state role="status" data-saved="{}" data-saving="{}" data-offline="{}" data-signed-out="{}"></p>',
        _("Draft saved"), _("Saving…"), _("Not saved yet: no connection. Keep this page open, it tries again by itself."),
        _("Not saved yet: you were signed out. Sign in again in another tab, this page will go on."),
    )  # fmt: skip


def combobox(
    bound: BoundField, url: str, *, label: str = "", hint: str = "", shown: str = "", placeholder: str = "", class_: str = "", **extra: Any
) -> SafeString:
    """A search as one types whose choice becomes the field's value. `url` answers a POST of `q` with `web/components/options.html`.

    The hidden field keeps the value, `shown` is the text of a value already chosen. Arrow keys, Enter, Escape (combobox.js).
    """
    key = bound.auto_id
    described = " ".join(part for part in (f"{key}-hint" if hint else "", f"{key}-error" if bound.errors else "") if part) or None
    text = attributes({"aria-describedby": described, "aria-invalid": "true" if bound.errors else None, "placeholder": placeholder or None, **extra})
    return markup(
        '<div class="field combobox {}{}" data-combobox><label for="{}-text">{}{}</label>{}{}'
        '<div class="combobox-box">{}<input id="{}-text" name="q" type="text" role="combobox" value="{}" aria-expanded="false" aria-controls="{}-options" aria-autocomplete="list" '
        'autocomplete="off" spellcheck="false" hx-post="{}" hx-trigger="input changed delay:150ms" hx-target="#{}-options" hx-sync="this:replace" hx-include="this"{}></div>'
        '<ul id="{}-options" class="options" role="listbox" aria-label="{}" hidden></ul><input type="hidden" name="{}" value="{}" id="{}"></div>',
        class_, " has-error" if bound.errors else "", key, label or bound.label, _optional(bound), _hint(bound, hint), _errors(bound),
        _icon("search"), key, shown, key, url, key, text, key, label or bound.label, bound.html_name, bound.value() or "", key,
    )  # fmt: skip


def search_box(
    url: str, target: str, *, label: str = "", name: str = "q", value: str = "", placeholder: str = "", shortcut: str = "/", **extra: Any
) -> SafeString:
    """A list's own search: POSTs what is typed (never a URL) and swaps `target`. `/` jumps to it."""
    words = label or _("Search")
    return markup(
        '<div class="search-box">{}<input type="search" name="{}" value="{}" aria-label="{}" placeholder="{}" autocomplete="off" spellcheck="false" '
        'hx-post="{}" hx-target="{}" hx-trigger="input changed delay:200ms, search" hx-sync="this:replace"{}>{}</div>',
        _icon("search"), name, value, words, placeholder or words, url, target, attributes({"data-shortcut": shortcut or None, **extra}),
        markup("<kbd>{}</kbd>", shortcut) if shortcut else "",
    )  # fmt: skip
