"""The rules of https://hl7.org/fhir/R4/narrative.html#rules, one by one."""

from __future__ import annotations

import pytest

from openward.fhir.validation.narrative import narrative_problem

ALLOWED = (
    "a abbr acronym b big blockquote caption cite code colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 i li ol p pre q samp small span strong sub "
    "sup table tbody td tfoot th thead tr tt ul var"
)
EMPTY = "br hr img col"
FORBIDDEN = (
    "head body title script style link base meta form input button select textarea iframe frame frameset object embed applet audio video svg math "
    "canvas noscript template font center u s strike ins del marquee blink"
)


def div(inside: str, attributes: str = "") -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml"{attributes}>{inside}</div>'


@pytest.mark.parametrize("tag", ALLOWED.split())
def test_the_elements_of_formatting_are_allowed(tag: str) -> None:
    assert narrative_problem(div(f'<{tag} class="c" id="i" style="color: red" title="t" lang="en">x</{tag}>')) is None


@pytest.mark.parametrize("tag", EMPTY.split())
def test_so_are_those_without_content(tag: str) -> None:
    assert narrative_problem(div(f"x<{tag}/>")) is None


@pytest.mark.parametrize("tag", FORBIDDEN.split())
def test_what_acts_loads_asks_or_is_deprecated_is_not(tag: str) -> None:
    assert narrative_problem(div(f"x<{tag}>y</{tag}>")) == f"may not contain <{tag}>"


@pytest.mark.parametrize("name", ["onclick", "onload", "onmouseover", "onerror", "xlink:href", "formaction", "srcdoc", "action"])
def test_attributes_that_act_are_not(name: str) -> None:
    assert narrative_problem(div("x", f' {name}="y"')) == f"may not have the attribute {name}"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:x",
        "java\tscript:x",
        "vbscript:x",
        "data:text/html,x",
        "data:image/svg+xml,x",
        "file:///x",
    ],
)
def test_addresses_that_act_are_not(address: str) -> None:
    assert narrative_problem(div(f'<a href="{address}">x</a>')) is not None


@pytest.mark.parametrize("address", ["#here", "Patient/1", "https://example.org/x?y=1#z", "mailto:a@example.org", "urn:uuid:1"])
def test_other_addresses_are(address: str) -> None:
    assert narrative_problem(div(f'<a href="{address}">x</a>')) is None


@pytest.mark.parametrize("inside", ["", "  \n ", "<p/>", "<p> </p>", "<b><i></i></b>"])
def test_a_narrative_says_something(inside: str) -> None:
    assert narrative_problem(div(inside)) == "has no content"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "<p>x</p>",
        "<div>x</div>",
        '<div xmlns="urn:x">x</div>',
        div("x") + div("y"),
        "<div",
        div("<b>x</i>"),
        div("&unknown;"),
        '<?xml version="1.0"?>' + div("x"),
    ],
)
def test_it_is_one_well_formed_div_of_xhtml(text: str) -> None:
    assert narrative_problem(text) is not None
