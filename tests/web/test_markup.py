"""Every value is escaped unless it says that it is HTML: as Django's `format_html` does it."""

from __future__ import annotations

import pytest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from openward.web.markup import joined, markup


class Html:
    def __repr__(self) -> str:
        return "Html()"

    def __html__(self):
        return "<i>&amp;</i>"


class OwnText(str):
    """A text of another class, which is no HTML."""


VALUES = [
    "plain", "<script>alert('1')</script>", 'a "quoted" & <b>', mark_safe("<b>"), Html(), None, 7, OwnText("<x>"), gettext_lazy("Yes"), gettext_lazy("<Yes>"), True, ["<"],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_written_as_django_writes_it(value):
    assert markup('<p title="{}">{}</p>', value, value) == format_html('<p title="{}">{}</p>', value, value)


def test_what_is_made_is_html():
    assert isinstance(markup("<p>{}</p>", "<"), SafeString)
    assert markup("{}", markup("<p>{}</p>", "<")) == "<p>&lt;</p>"


def test_rows_are_filled_one_by_one():
    rows = [("<", 1), (mark_safe("<i>"), 2)]
    assert joined(", ", "<b>{}</b>{}", rows) == format_html_join(mark_safe(", "), "<b>{}</b>{}", rows)
