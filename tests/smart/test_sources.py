"""Tokens of apps beside those of `openward token`: who they speak for, for how long, and what outlives the request."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from openward.accounts import tokens
from openward.accounts.tokens import actor_for, make_token
from openward.fhir.errors import Forbidden
from openward.record.actors import recall, remember
from openward.smart.models import App, Connection
from tests import cast
from tests.smart.conftest import Walk, assertion, by_assertion

pytestmark = pytest.mark.django_db


def test_an_app_s_token_speaks_for_its_person_within_its_scopes(walk: Walk) -> None:
    actor = actor_for(walk.tokens()["access_token"])
    assert actor is not None
    assert (actor.kind, actor.role, actor.reference) == ("patient", "patient", f"Patient/{cast.PATIENT_ID}")
    assert actor.scopes is not None
    assert (actor.scopes.patient, actor.scopes.app) == (cast.PATIENT_ID, walk.app.client_id)


def test_a_client_s_own_token_is_what_it_was() -> None:
    actor = actor_for(make_token(client="import", scope="system/*.cruds"))
    assert actor is not None
    assert (actor.id, actor.kind, actor.scopes and actor.scopes.app) == ("client:import", "client", None)


def test_a_known_token_asks_the_database_nothing(walk: Walk, django_assert_num_queries: Any) -> None:
    token = walk.tokens()["access_token"]
    first = actor_for(token)
    with django_assert_num_queries(0):
        assert actor_for(token) is first


def test_a_token_about_to_end_is_not_remembered_past_its_end(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    token = walk.tokens()["access_token"]
    tokens.forget()
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=59, seconds=58), tick=True):
        assert actor_for(token) is not None
        remembered_until = max(until for until, _ in tokens._known.values())
        import time

        assert remembered_until - time.monotonic() <= 2.0


def test_whoever_changes_role_has_what_the_new_role_has(staff_walk: Walk, clinic: Any) -> None:
    token = staff_walk.tokens(scope="user/*.rs")["access_token"]
    clinic.clinician.role = "it-agent"
    clinic.clinician.save()
    tokens.forget()
    actor = actor_for(token)
    assert actor is not None
    assert actor.role == "it-agent"


class TestWorkThatOutlivesTheRequest:
    def kept(self, token: str) -> dict[str, Any]:
        actor = actor_for(token)
        assert actor is not None
        remembered: dict[str, Any] = json.loads(json.dumps(remember(actor)))
        return remembered

    def test_goes_on_as_the_same_actor(self, walk: Walk) -> None:
        token = walk.tokens()["access_token"]
        assert recall(self.kept(token)) == actor_for(token)

    def test_ends_with_the_connection(self, walk: Walk) -> None:
        kept = self.kept(walk.tokens()["access_token"])
        walk.browser.post(f"/apps/connected/{Connection.objects.get().id}", {"do": "withdraw"})
        with pytest.raises(Forbidden):
            recall(kept)

    def test_ends_with_the_scope_it_needed(self, walk: Walk) -> None:
        kept = self.kept(walk.tokens()["access_token"])
        walk.browser.post(f"/apps/connected/{Connection.objects.get().id}", {"scope": ["patient/Patient.rs"]})
        with pytest.raises(Forbidden):
            recall(kept)

    def test_ends_with_the_app_the_person_and_the_time_of_the_agreement(self, walk: Walk, clinic: Any) -> None:
        kept, now = self.kept(walk.tokens()["access_token"]), dt.datetime.now(dt.UTC)
        assert recall(kept)
        for ended, changed in (
            (walk.app, {"ended_at": now}),
            (clinic.patient, {"is_active": False}),
            (Connection.objects.get(), {"expires_at": now}),
        ):
            rows = type(ended).objects.filter(pk=ended.pk)
            before = rows.values(*changed).get()
            rows.update(**changed)
            with pytest.raises(Forbidden):
                recall(kept)
            rows.update(**before)
        assert recall(kept)

    def test_of_a_program_outlives_its_five_minutes_but_not_its_app(self, backend: App, walk: Walk, keys: Any) -> None:
        kept = self.kept(walk.post("/oauth/token", by_assertion(assertion(backend, keys["ES384"], alg="ES384"))).json()["access_token"])
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=2), tick=True):
            assert recall(kept).id == f"client:{backend.client_id}"
        App.objects.filter(id=backend.id).update(ended_at=dt.datetime.now(dt.UTC))
        with pytest.raises(Forbidden):
            recall(kept)

    def test_of_a_program_ends_with_what_its_app_may_ask_for(self, backend: App, walk: Walk, keys: Any) -> None:
        kept = self.kept(walk.post("/oauth/token", by_assertion(assertion(backend, keys["ES384"], alg="ES384"))).json()["access_token"])
        App.objects.filter(id=backend.id).update(scope="system/Observation.rs")
        with pytest.raises(Forbidden):
            recall(kept)


def test_behind_a_proxy_that_ends_tls_the_record_gives_the_address_clients_reached(settings: LazySettings) -> None:
    from openward.server import wsgi
    from tests.fhir.http.client import Client

    settings.OPENWARD_PROXIES = ("10.0.0.5",)
    settings.ALLOWED_HOSTS = ["clinic.test"]

    def plain(environ: dict[str, Any], start_response: Any) -> Any:
        return wsgi.application({**environ, "wsgi.url_scheme": "http", "REMOTE_ADDR": "10.0.0.5"}, start_response)

    said = Client(plain)("GET", "/metadata", token=None, x_forwarded_proto="https").json
    assert said["implementation"]["url"] == "https://clinic.test/fhir"
    uris = {one["url"]: one["valueUri"] for one in said["rest"][0]["security"]["extension"][0]["extension"]}
    assert uris["authorize"] == "https://clinic.test/oauth/authorize"
