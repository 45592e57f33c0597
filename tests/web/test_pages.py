"""The door in front of every page, and how pages answer."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import path

from openward.access.permissions import Permission
from openward.fhir.errors import Conflict, NotFound, PreconditionFailed
from openward.web import flash, pages
from openward.web.living import VitalsForm
from openward.web.pages import go, page, panel_done, render_panel
from tests import cast

HTMX = {"HX-Request": "true"}
urlpatterns: list[object] = []


def ask(actor=None, *, method="get", headers=None, data=None, url="/x/"):
    request = getattr(RequestFactory(headers=headers or {}), method)(url, data or {})
    request.session = SessionStore()
    request.actor = actor
    request.htmx = bool(headers)
    request.resolver_match = None
    return request


@pytest.fixture
def registered(monkeypatch):
    """Pages made by a test are forgotten after it: another test walks every registered page."""
    import_module("openward.server.urls")  # so that the product's own pages are registered before, and outlast the test
    monkeypatch.setattr(pages, "PAGES", dict(pages.PAGES))

    def make(view=lambda request: HttpResponse("in"), **options):
        return page("test:page", **options)(view)

    return make


class TestTheDoor:
    def test_nobody_is_asked_to_sign_in_and_comes_back(self, registered):
        response = registered(needs=Permission.READ_CHART)(ask())
        assert response.status_code == 302
        assert response["Location"].endswith("?next=%2Fx%2F")

    def test_nobody_in_a_fragment_moves_the_whole_page(self, registered):
        response = registered()(ask(headers={**HTMX, "HX-Current-URL": "http://testserver/chart/1/?tab=2"}))
        assert response["HX-Redirect"].endswith("?next=%2Fchart%2F1%2F%3Ftab%3D2")

    def test_nobody_who_sends_a_form_by_htmx_keeps_what_was_typed(self, registered):
        response = registered(methods=("GET", "POST"))(ask(method="post", headers=HTMX))
        assert response.status_code == 401
        assert response["HX-Reswap"] == "none"
        assert "still here" in response["HX-Trigger"]

    def test_without_the_permission_the_page_does_not_exist(self, registered):
        with pytest.raises(Http404):
            registered(needs=Permission.READ_CHART)(ask(cast.staff("it-agent")))

    def test_with_the_permission_it_opens(self, registered):
        assert registered(needs=Permission.READ_CHART)(ask(cast.staff("nurse"))).content == b"in"

    def test_a_public_page_opens_for_nobody(self, registered):
        assert registered(public=True)(ask()).content == b"in"

    def test_a_page_takes_no_post_unless_it_says_so(self, registered):
        assert registered(public=True)(ask(method="post")).status_code == 405
        assert registered(public=True, methods=("GET", "POST"))(ask(method="post")).status_code == 200


class TestWhenTheRecordRefuses:
    def raising(self, error):
        def view(request):
            raise error

        return view

    def test_what_is_not_there_is_a_404(self, registered):
        with pytest.raises(Http404):
            registered(self.raising(NotFound(type="Patient", id="1")))(ask(cast.staff("nurse")))

    def test_a_conflict_in_a_fragment_is_a_toast_and_nothing_is_swapped(self, registered):
        response = registered(self.raising(Conflict("Dr Osei is already booked.")))(ask(cast.staff("nurse"), headers=HTMX))
        assert (response.status_code, response["HX-Reswap"]) == (409, "none")
        assert "Dr Osei is already booked." in json.loads(response["HX-Trigger"])["ow:toast"]["message"]

    @pytest.mark.django_db  # the page has a menu, and what a role may open is in the database
    def test_a_change_by_someone_else_is_a_page_in_plain_words(self, registered):
        response = registered(self.raising(PreconditionFailed(type="List", id="1", version=2)))(ask(cast.staff("nurse")))
        assert response.status_code == 412
        assert "Someone else changed this" in response.content.decode()


class TestAFormSentTwice:
    def test_acts_once_and_gets_the_same_answer(self, registered):
        acted = []

        def view(request):
            acted.append(1)
            return go(request, "/done", message="Saved")

        guarded = registered(view, methods=("POST",))
        first, second = (ask(cast.staff("nurse"), method="post", data={"_once": "t1"}) for _n in range(2))
        second.session = first.session
        answers = [guarded(first), guarded(second)]
        assert len(acted) == 1
        assert [answer["Location"] for answer in answers] == ["/done", "/done"]

    def test_a_refused_form_may_be_corrected_with_the_same_token(self, registered):
        statuses = iter([422, 200])
        guarded = registered(lambda request: HttpResponse("", status=next(statuses)), methods=("POST",))
        first, second = (ask(cast.staff("nurse"), method="post", data={"_once": "t1"}) for _n in range(2))
        second.session = first.session
        assert [guarded(first).status_code, guarded(second).status_code] == [422, 200]


@pytest.mark.urls(__name__)
class TestTheSidePanel:
    @pytest.fixture(autouse=True)
    def beside(self, registered):
        def view(request):
            return HttpResponse(f"page {request.method} [{getattr(request, 'panel_html', '')}]")

        guarded = registered(view)
        urlpatterns[:] = [path("beside/", guarded, name="beside")]
        pages.PAGES["beside"] = pages.PAGES["test:page"]

    def panel(self, request, status=200):
        return render_panel(request, "web/design/panel.html", {"panel_title": "Vitals", "form": VitalsForm()}, page="beside", status=status)

    def test_htmx_gets_the_panel_alone_and_the_address_bar_its_url(self):
        response = self.panel(ask(cast.staff("nurse"), headers=HTMX, url="/vitals/?v=1"))
        assert response["HX-Push-Url"] == "/vitals/?v=1"
        assert response.content.decode().lstrip().startswith("<title>")

    def test_without_htmx_the_page_comes_with_the_panel_in_it(self):
        content = self.panel(ask(cast.staff("nurse"))).content.decode()
        assert content.startswith("page GET [")
        assert "panel-title" in content

    def test_a_refused_form_without_htmx_does_not_reach_the_page_as_a_post(self):
        response = self.panel(ask(cast.staff("nurse"), method="post"), status=422)
        assert response.status_code == 422
        assert response.content.decode().startswith("page GET [")

    def test_a_restored_history_entry_gets_the_whole_page(self):
        response = self.panel(ask(cast.staff("nurse"), headers={**HTMX, "HX-History-Restore-Request": "true"}))
        assert response.content.decode().startswith("page GET [")

    def test_done_closes_the_panel_says_so_and_lets_the_cards_reload(self):
        events = json.loads(panel_done(ask(headers=HTMX, method="post"), message="Saved", refresh=["vitals"])["HX-Trigger"])
        assert set(events) == {"ow:panel-closed", "ow:toast", "refresh-vitals"}
        assert {event["target"] for event in events.values()} == {"body"}

    def test_done_without_htmx_goes_back_to_the_page_it_came_from(self):
        request = ask(method="post", data={"_page": "/beside/"})
        assert panel_done(request, message="Saved")["Location"] == "/beside/"
        assert [toast.message for toast in flash.take(request)] == ["Saved"]

    @pytest.mark.parametrize("evil", ["https://example.org/", "//example.org/", "javascript:alert(1)", ""])
    def test_done_never_leads_to_another_site(self, evil):
        assert panel_done(ask(method="post", data={"_page": evil}))["Location"] == "/"
