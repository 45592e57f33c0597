"""`{% kept %}`: drawn once for each value, in each language, and blind to everything it does not name."""

from __future__ import annotations

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation

from openward.web.kept import MOST


class Asked:
    """Says how often it was written."""

    times = 0

    def __str__(self):
        self.times += 1
        return "drawn"


def test_a_piece_is_drawn_once_for_each_value_of_its_names():
    template, asked = Template("{% kept role %}{{ role }};{% endkept %}"), Asked()
    assert template.render(Context({"role": asked})) + template.render(Context({"role": asked})) == "drawn;drawn;"
    assert asked.times == 1
    assert template.render(Context({"role": "another"})) == "another;"


def test_a_piece_sees_nothing_it_does_not_name():
    template = Template("{% kept role %}{{ role }}{{ patient }}{% csrf_token %}{% endkept %}")
    assert template.render(Context({"role": "nurse", "patient": "OKAFOR", "csrf_token": "t" * 64})) == "nurse"


def test_a_piece_is_drawn_anew_in_another_language():
    template = Template("{% load i18n %}{% kept %}{% translate 'Yes' %}{% endkept %}")
    with translation.override("en"):
        english = template.render(Context())
    with translation.override("de"):
        assert (english, template.render(Context())) == ("Yes", "Ja")


def test_values_are_escaped_in_a_piece():
    assert Template("{% kept role %}{{ role }}{% endkept %}").render(Context({"role": "<b>"})) == "&lt;b&gt;"


def test_what_is_kept_has_an_end():
    template = Template("{% kept n %}{{ n }}{% endkept %}")
    for n in range(MOST + 5):
        template.render(Context({"n": n}))
    assert len(template.nodelist[0].texts) <= MOST


def test_only_names_are_taken():
    with pytest.raises(TemplateSyntaxError, match="names of variables"):
        Template("{% kept 'words' %}{% endkept %}")
