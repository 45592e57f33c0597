"""Words are kept for each language, and are those that Django's own `gettext` finds."""

from __future__ import annotations

from django.utils import translation

from openward.web.words import gettext


def test_a_word_is_said_in_the_language_of_the_moment():
    said = []
    for language in ("en", "de", "en", "de"):
        with translation.override(language):
            said.append(gettext("Yes"))
    assert said == ["Yes", "Ja", "Yes", "Ja"]


def test_a_word_that_is_not_translated_stays_as_it_is():
    with translation.override("de"):
        assert gettext("no catalogue has this sentence") == "no catalogue has this sentence"


def test_without_a_language_the_word_stays_as_it_is():
    with translation.override(None):
        assert gettext("no catalogue has this sentence") == "no catalogue has this sentence"
