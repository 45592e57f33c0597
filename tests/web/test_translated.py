"""`{% translate %}`: found once for each language, and the same as Django's own."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import translation

from openward.web.translated import Translated

SOURCES = [
    "{% translate 'Yes' %}",
    "{% translate 'Yes' as word %}[{{ word }}]",
    "{% translate 'Less <b> and 100%' %}",
    "{% translate said %}",
    "{% translate 'Yes' noop %}",
    "{% translate 'May' context 'abbrev. month' %}",
    "{% translate 'Yes'|lower %}",
]


@pytest.mark.parametrize("source", SOURCES)
def test_words_are_those_of_djangos_own_tag_in_every_language(source):
    ours, django = Template("{% load i18n openward %}" + source), Template("{% load openward i18n %}" + source)
    for language in ("en", "de", "en", "de"):
        with translation.override(language):
            assert ours.render(Context({"said": "Yes"})) == django.render(Context({"said": "Yes"}))


def test_a_word_that_is_shown_again_is_not_looked_up_again():
    template = Template("{% load i18n openward %}{% translate 'Yes' %}")
    with translation.override("de"):
        template.render(Context())
    (node,) = template.nodelist.get_nodes_by_type(Translated)
    assert node.texts == {"de": "Ja"}
