"""Navigation, home, palette, error pages and the rules every template and style sheet keeps."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.contrib.staticfiles import finders
from django.test import RequestFactory

from openward.fhir.errors import Invalid, Issue
from openward.web import errors, homes, navigation, palette
from openward.web.living import ExampleForm
from openward.web.navigation import Entry
from tests import cast

SRC = Path(__file__).resolve().parents[2] / "src/openward"
TEMPLATES = sorted(SRC.rglob("templates/**/*.html"))
SHEETS = sorted(SRC.rglob("static/**/*.css"))


def ask(actor, **headers):
    request = RequestFactory(headers=headers).get("/x/")
    request.actor, request.session, request.resolver_match, request.htmx = actor, SessionStore(), None, bool(headers)
    return request


def labels(actor):
    return {str(link.label) for _group, links in navigation.menu(ask(actor)) for link in links}


class TestNavigation:
    @pytest.fixture(autouse=True)
    def only_these(self, monkeypatch):
        from openward.access.permissions import Permission as P

        entries = [Entry("web:home", "Home", "house"), Entry("web:shortcuts", "Chart", "pill", P.READ_CHART, "care"), Entry("web:palette", "Mine", "pill", P.SEE_OWN_RECORD, "portal", kinds=("patient",)),
                   Entry("nowhere:page", "Nowhere", "pill")]  # fmt: skip
        monkeypatch.setattr(navigation, "ENTRIES", {entry.url_name: entry for entry in entries})

    def test_each_role_sees_only_what_its_permissions_open(self):
        assert labels(cast.staff("nurse")) == {"Home", "Chart"}
        assert labels(cast.staff("it-agent")) == {"Home"}

    def test_patients_see_the_entries_made_for_patients(self):
        assert labels(cast.patient()) == {"Mine"}

    def test_nobody_sees_nothing(self):
        assert labels(None) == set()

    def test_an_entry_without_a_page_is_reported_when_openward_is_checked(self):
        from openward.web.checks import navigation_leads_somewhere

        assert ["nowhere:page" in warning.msg for warning in navigation_leads_somewhere()] == [True]


class TestHomeAndPalette:
    def test_a_card_is_for_who_holds_its_permission_and_role(self, monkeypatch):
        from openward.access.permissions import Permission as P

        monkeypatch.setattr(homes, "_CARDS", {})
        for card in (
            homes.HomeCard("a", "A", "t", dict, needs=P.READ_CHART),
            homes.HomeCard("b", "B", "t", dict, roles=("biller",)),
            homes.HomeCard("c", "C", "t", dict, order=1),
        ):
            homes.register_home_card(card)
        query = [card.key for card, _found in self.cards("nurse", monkeypatch)]
        assert query == ["c", "a"]

    def cards(self, role, monkeypatch):
        monkeypatch.setattr(
            homes,
            "_CARDS",
            {key: homes.HomeCard(card.key, "", "", lambda request: {}, card.needs, card.roles, card.order) for key, card in homes._CARDS.items()},
        )
        return homes.cards_for(ask(cast.staff(role)))

    def test_providers_are_asked_and_grouped_by_heading_at_most_eight_each(self, monkeypatch):
        monkeypatch.setattr(palette, "_PROVIDERS", [])
        palette.register_palette_provider(lambda request, text: [palette.Item(f"{text} {n}", "/", "Patients") for n in range(20)])
        assert [(group, len(items)) for group, items in palette.find(ask(cast.staff("nurse")), " ada ")] == [("Patients", 8)]


class TestErrorsInWords:
    def test_an_issue_goes_beside_the_field_it_is_about(self):
        form = ExampleForm({})
        form.full_clean()
        errors.add_to_form(
            form,
            Invalid(issues=[Issue("value", "Born in the future.", "Patient.birthDate"), Issue("value", "Something else.")]),
            {"Patient.birthDate": "born"},
        )
        assert "Born in the future." in form.errors["born"]
        assert form.non_field_errors() == ["Something else."]

    @pytest.mark.parametrize(
        ("view", "status"),
        [(errors.bad_request, 400), (errors.forbidden, 403), (errors.not_found, 404), (errors.csrf_failure, 403), (errors.server_error, 500)],
    )
    def test_every_error_page_says_what_to_do(self, view, status):
        request = ask(None)
        request.request_id = "abc123"
        response = view(request)
        assert response.status_code == status
        assert "<h1>" in response.content.decode()

    def test_a_crash_shows_the_id_the_log_has(self):
        request = ask(None)
        request.request_id = "abc123"
        assert "abc123" in errors.server_error(request).content.decode()

    def test_a_crash_in_a_fragment_is_a_toast_with_the_id(self):
        request = ask(cast.staff("nurse"), **{"HX-Request": "true"})
        request.request_id = "abc123"
        assert "abc123" in errors.server_error(request)["HX-Trigger"]


def ids(paths):
    return [str(path.relative_to(SRC)) for path in paths]


@pytest.mark.parametrize("template", TEMPLATES, ids=ids(TEMPLATES))
def test_a_template_obeys_the_content_security_policy(template):
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=\s*[\"']", text), "a style attribute: the policy drops it"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "an inline script: the policy drops it"
    assert not re.search(r"\s(on[a-z]+|hx-on[:a-z-]*)\s*=", text), "an inline handler: the policy drops it"


@pytest.mark.parametrize("sheet", SHEETS, ids=ids(SHEETS))
def test_a_style_sheet_works_from_right_to_left(sheet):
    physical = re.findall(
        r"[\s;{](?:margin|padding|border|inset)?-?(?:left|right)\s*:|text-align:\s*(?:left|right)|float:\s*(?:left|right)", sheet.read_text()
    )
    assert not physical


class TestBudgets:
    def weight(self, *names):
        return sum(len(gzip.compress(Path(finders.find(name)).read_bytes())) for name in names) / 1000

    def test_a_staff_page_loads_at_most_60_kb_of_scripts(self):
        own = [f"web/{name}.js" for name in ("forms", "toasts", "unsaved", "panel", "palette", "shortcuts", "live", "drafts", "combobox", "frame")]
        assert self.weight("django_htmx/htmx-4.min.js", *own) <= 60

    def test_a_patient_page_loads_at_most_20_kb_of_scripts(self):
        assert self.weight("django_htmx/htmx-4.min.js", "web/forms.js", "web/toasts.js", "web/unsaved.js") <= 20

    def test_the_style_sheets_weigh_at_most_40_kb(self):
        assert (
            self.weight(*(f"web/{name}.css" for name in ("tokens", "base", "layout", "components", "clinical", "charts", "forms", "print", "portal")))
            <= 40
        )
