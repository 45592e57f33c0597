"""Addresses filled into their routes are those that Django's own search finds."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.urls import NoReverseMatch, reverse

from openward.web.addresses import address, address_of

PARTS = [
    ("web:home", ()),
    ("chart:summary", ("0e4c9b04-9248-4eeb-b4d0-30467390cc74",)),
    ("chart:card", ("a-patient", "vitals")),
    ("chart:note", ("a patient/with é", "no.te")),
    ("chart:trend", ("p", "lab", "<key>")),
    ("chart:card", ("part-1-here", "part-0-here")),
]


@pytest.mark.parametrize(("name", "parts"), PARTS)
def test_an_address_is_the_one_that_a_search_finds(name, parts):
    try:
        found = reverse(name, args=parts)
    except NoReverseMatch:
        pytest.raises(NoReverseMatch, address_of, name, *parts)
    else:
        assert address_of(name, *parts) == found


def test_a_part_that_its_page_does_not_take_is_refused():
    with pytest.raises(NoReverseMatch):
        address_of("chart:card", "a-patient", "no slug")
    with pytest.raises(NoReverseMatch):
        address_of("chart:summary")


def test_a_page_that_is_not_there_has_no_address():
    assert address("nowhere:page") == ""


def test_the_tag_writes_an_address_or_names_it():
    template = Template(
        "{% url 'chart:card' patient 'vitals' %} {% url 'chart:summary' patient as chart %}{{ chart }} {% url 'nowhere:page' as none %}[{{ none }}]"
    )
    assert template.render(Context({"patient": "p-1"})) == "/chart/p-1/cards/vitals/ /chart/p-1/ []"


def test_the_tag_takes_named_parts_and_names_in_variables():
    template = Template("{% url 'chart:summary' patient=who %} {% url page who %}")
    assert template.render(Context({"who": "p-1", "page": "chart:summary"})) == "/chart/p-1/ /chart/p-1/"
