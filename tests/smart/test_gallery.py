"""The administrator's gallery, what patients have connected, and what clients read first."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from typing import Any

import pytest
from django.test import Client
from joserfc.jwk import ECKey

from openward.access.scopes import CONTEXTS, Scopes
from openward.accounts import tokens
from openward.audit.models import AuditEvent
from openward.fhir.resources import Address, Location, Organization, Reference
from openward.record import open_store
from openward.smart import families, signing
from openward.smart.jobs import sweep
from openward.smart.models import EVERY_LEVEL, AccessToken, App, Asked, Assertion, Code, Connection, Launch
from openward.smart.registration import BadApp, Draft, check
from tests import cast
from tests.smart.conftest import BACK, FHIR, ORIGIN, Api, Clinic, Walk, an_app, assertion, by_assertion

pytestmark = pytest.mark.django_db
FIELDS = {"name": "Curves", "kind": "public", "scope": "launch/patient patient/*.rs", "redirect_uris": BACK, "for_patients": "on"}


@pytest.fixture
def admin(clinic: Clinic) -> Client:
    made = Client()
    made.force_login(clinic.administrator)
    return made


class TestTheAdministrator:
    def test_registers_an_app_that_works_at_once(self, admin: Client) -> None:
        assert admin.post("/admin/apps/add", FIELDS).status_code == 303
        app = App.objects.get(name="Curves")
        assert (app.is_open, app.for_staff, app.for_patients, app.redirect_uris) == (True, False, True, [BACK])

    def test_sees_a_secret_once(self, admin: Client) -> None:
        page = admin.post("/admin/apps/add", {**FIELDS, "kind": "secret"})
        app = App.objects.get(name="Curves")
        secret = re.search(r"<dd>([A-Za-z0-9_-]{43})</dd>", page.content.decode())
        assert secret
        assert tokens.digest(secret[1]) == bytes(app.secret_digest or b"")
        assert secret[1] not in admin.get(f"/admin/apps/{app.id}").content.decode()

    def test_makes_a_new_secret_and_the_old_one_is_none(self, admin: Client) -> None:
        app, secret = an_app("secret")
        admin.post(f"/admin/apps/{app.id}", {"do": "secret"})
        answer = Walk(app, secret=secret).refresh("x")
        assert answer.json()["error"] == "invalid_client"

    def test_approves_what_waits(self, admin: Client) -> None:
        app = an_app(approved=False)[0]
        admin.post(f"/admin/apps/{app.id}", {"do": "approve", "for_patients": "on"})
        app.refresh_from_db()
        assert (app.is_open, app.for_patients, app.for_staff, app.approved_by) == (True, True, False, "The administrator")

    def test_ends_an_app_and_everything_connected(self, admin: Client, walk: Walk) -> None:
        got = walk.tokens()
        admin.post(f"/admin/apps/{walk.app.id}", {"do": "end"})
        assert Api(got["access_token"]).status("GET", "Patient") == 401
        assert Connection.objects.get().ended_why == "the practice ended the app"

    def test_is_told_what_is_wrong(self, admin: Client) -> None:
        for wrong in ({"scope": "patient/everything"}, {"redirect_uris": "http://app.example.org/back"}, {"redirect_uris": ""}, {"jwks": "no json"}):
            assert admin.post("/admin/apps/add", {**FIELDS, **wrong}).status_code == 422, wrong
        assert not App.objects.exists()

    def test_leaves_an_event_for_everything_done_to_an_app(self, admin: Client, walk: Walk) -> None:
        def done() -> list[str]:
            return list(
                AuditEvent.objects.filter(interaction__contains="app", actor_name="The administrator")
                .order_by("at")
                .values_list("interaction", flat=True)
            )

        app = an_app("secret", approved=False)[0]
        walk.tokens()
        for way in ({"do": "approve", "for_staff": "on"}, {"do": "secret"}, {"do": "end"}):
            admin.post(f"/admin/apps/{app.id}", way)
        admin.post("/admin/apps/add", FIELDS)
        admin.post(f"/admin/apps/{walk.app.id}", {"do": "end"})
        assert done() == ["approve-app", "new-app-secret", "end-app", "register-app", "end-app-connection", "end-app"]

    def test_is_the_only_one(self, walk: Walk, staff_walk: Walk) -> None:
        for someone in (walk.browser, staff_walk.browser):
            assert someone.get("/admin/apps").status_code == 404
            assert someone.post("/admin/apps/add", FIELDS).status_code == 404


class TestAnAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "https://app.example.org/back",
            "https://app.example.org/back?a=b",
            "http://127.0.0.1:8123/",
            "http://localhost/cb",
            "com.example.app:/back",
        ],
    )
    def test_may_be(self, address: str) -> None:
        check(Draft(name="x", kind="public", scope="openid", redirect_uris=[address]))

    @pytest.mark.parametrize(
        "address",
        [
            "http://app.example.org/", "https://app.example.org/#x", "https://*.example.org/", "https:///back", "javascript:alert(1)", "data:text/html,x", "ftp://a/b",
            "https://user:pass@app.example.org/", "https://app.example.org/\u00e9", "https://app.example.org/a b", "http://localhost.evil.org/", "http://127.0.0.1.evil.org/",
            "https://a;script-src/x", "https://a,b/x", "https://[bad/x", "https://a:b/x", "https://a:port/x", "http://localhost:80@evil.org/", "https://app.example.org\\@evil.org", "/back", "", "app:/back", "https://" + "a" * 600,
        ],
    )  # fmt: skip
    def test_may_not_be(self, address: str) -> None:
        with pytest.raises(BadApp):
            check(Draft(name="x", kind="public", scope="openid", redirect_uris=[address]))

    def test_of_its_own_scheme_is_for_apps_without_a_secret(self) -> None:
        with pytest.raises(BadApp):
            check(Draft(name="x", kind="secret", scope="openid", redirect_uris=["com.example.app:/back"]))


class TestKeys:
    def draft(self, jwks: Any) -> Draft:
        return Draft(name="x", kind="keys", scope="system/*.rs", jwks=jwks)

    def test_that_are_public_and_strong_are_taken(self) -> None:
        key = ECKey.generate_key("P-384")
        check(self.draft({"keys": [{**key.as_dict(private=False), "kid": "a"}]}))

    def test_that_are_not_are_refused(self) -> None:
        strong, curve = ECKey.generate_key("P-384"), ECKey.generate_key("P-256")
        weak = {"kty": "RSA", "kid": "a", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xc1" * 128).rstrip(b"=").decode()}
        public = {**strong.as_dict(private=False), "kid": "a"}
        for keys in (
            [{**strong.as_dict(private=True), "kid": "a"}],
            [weak],
            [{**weak, "n": "garbage!"}],
            [{**curve.as_dict(private=False), "kid": "a"}],
            [strong.as_dict(private=False)],
            [public, public],
            [{"kty": "oct", "k": "AAAA", "kid": "a"}],
            [{**public, "x": "garbage"}],
            ["garbage"],
            [],
        ):
            with pytest.raises(BadApp):
                check(self.draft({"keys": keys}))

    @pytest.mark.parametrize(
        "url",
        [
            "http://keys.example.org/jwks",
            "https://10.0.0.1/jwks",
            "https://169.254.169.254/latest",
            "file:///etc/passwd",
            "https://a b/",
            "https://[bad/jwks",
        ],
    )
    def test_are_published_where_they_can_be_fetched(self, url: str) -> None:
        with pytest.raises(BadApp):
            check(Draft(name="x", kind="keys", scope="system/*.rs", jwks_uri=url))

    def test_and_system_scopes_go_together(self) -> None:
        for kind in ("public", "secret"):
            with pytest.raises(BadApp):
                check(Draft(name="x", kind=kind, scope="system/*.rs", redirect_uris=[BACK]))


class TestAPatient:
    def test_sees_what_is_connected_and_what_can_be(self, walk: Walk) -> None:
        walk.tokens()
        an_app(scope="launch patient/*.rs", about="Something else")
        page = walk.browser.get("/apps/connected").content.decode()
        assert "See name, birth date and contact details" in page
        assert "Something else" in page

    def test_takes_it_back_at_once_from_a_token_that_was_just_in_use(self, walk: Walk) -> None:
        """A token that is in use is known for seconds without asking the database: not any more once it is taken back."""
        got = walk.tokens()
        assert Api(got["access_token"]).status("GET", "Patient") == 200
        walk.browser.post(f"/apps/connected/{Connection.objects.get().id}", {"do": "withdraw"})
        assert Api(got["access_token"]).status("GET", "Patient") == 401

    def test_takes_everything_back(self, walk: Walk) -> None:
        got = walk.tokens()
        id = Connection.objects.get().id
        assert walk.browser.post(f"/apps/connected/{id}", {"do": "withdraw"}).status_code == 303
        assert Api(got["access_token"]).status("GET", "Patient") == 401
        assert walk.refresh(got["refresh_token"]).status_code == 400

    def test_takes_a_part_back_at_once(self, walk: Walk) -> None:
        got = walk.tokens()
        walk.browser.post(f"/apps/connected/{Connection.objects.get().id}", {"scope": ["patient/Patient.rs"]})
        api = Api(got["access_token"])
        assert api.status("GET", "Patient") == 200
        assert api.status("GET", "Observation/laboratory-a1") == 404
        assert "Observation" not in walk.refresh(got["refresh_token"]).json()["scope"]

    def test_takes_one_kind_back_and_the_token_keeps_the_others(self, walk: Walk) -> None:
        got = walk.tokens()
        page = walk.browser.get(f"/apps/connected/{Connection.objects.get().id}").content.decode()
        offered = re.findall(r'name="scope" value="([^"]+)" checked', page)
        walk.browser.post(f"/apps/connected/{Connection.objects.get().id}", {"scope": [one for one in offered if not one.endswith("|laboratory")]})
        assert Api(got["access_token"]).ids("Observation") == {"survey-a1", "vital-signs-a1"}

    def test_leaves_an_event_for_what_was_taken_back(self, walk: Walk) -> None:
        walk.tokens()
        address = f"/apps/connected/{Connection.objects.get().id}"
        walk.browser.post(address, {"scope": ["patient/Patient.rs"]})
        walk.browser.post(address, {"do": "withdraw"})
        for interaction in ("narrow-app-connection", "end-app-connection"):
            assert AuditEvent.objects.get(interaction=interaction).actor_role == "patient", interaction

    def test_gives_no_more_that_way(self, walk: Walk) -> None:
        walk.tokens()
        connection = Connection.objects.get()
        answer = walk.browser.post(f"/apps/connected/{connection.id}", {"scope": ["patient/Patient.rs", "patient/Condition.rs"]})
        assert answer.status_code == 404
        assert Connection.objects.get().scope == connection.scope

    def test_widens_no_agreement_by_narrowing_it(self, walk: Walk) -> None:
        """Whoever calls it: the page offers nothing more either."""
        walk.tokens()
        with pytest.raises(ValueError, match="only ever narrowed"):
            families.narrow(Connection.objects.get(), "launch/patient patient/*.cruds", by=cast.system())

    def test_does_not_reach_another_s(self, walk: Walk, clinic: Clinic) -> None:
        got = walk.tokens()
        stranger = Client()
        stranger.force_login(clinic.other)
        id = Connection.objects.get().id
        assert stranger.get(f"/apps/connected/{id}").status_code == 404
        assert stranger.post(f"/apps/connected/{id}", {"do": "withdraw"}).status_code == 404
        assert Api(got["access_token"]).status("GET", "Patient") == 200


class TestWhatClientsReadFirst:
    def test_smart_configuration(self) -> None:
        said = Client().get("/fhir/.well-known/smart-configuration").json()
        assert said["issuer"] == FHIR
        assert said["code_challenge_methods_supported"] == ["S256"]
        assert {"launch-ehr", "launch-standalone", "permission-v1", "permission-v2", "authorize-post", "client-confidential-asymmetric"} <= set(
            said["capabilities"]
        )
        for name in ("authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"):
            assert said[name].startswith(f"{ORIGIN}/oauth/")
        assert "registration_endpoint" not in said

    def test_smart_configuration_lists_scopes_that_can_be_asked_for(self) -> None:
        """US Core: servers SHALL document the scopes they support in `scopes_supported`, those by category among them."""
        listed = Client().get("/fhir/.well-known/smart-configuration").json()["scopes_supported"]
        assert "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory" in listed
        assert all(Scopes.parse(one, EVERY_LEVEL, CONTEXTS) for one in listed)

    def test_openid_configuration(self) -> None:
        said = Client().get("/fhir/.well-known/openid-configuration").json()
        assert (said["issuer"], said["id_token_signing_alg_values_supported"]) == (FHIR, ["RS256"])

    def test_the_security_of_metadata(self) -> None:
        from openward.fhir.interactions.capabilities import capabilities
        from openward.smart.discovery import security

        said: Any = capabilities(FHIR, security(FHIR))["rest"][0]["security"]
        assert said["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
        uris = {one["url"]: one["valueUri"] for one in said["extension"][0]["extension"]}
        assert uris["token"] == f"{ORIGIN}/oauth/token"

    def test_the_brands_of_the_practice(self, clinic: Clinic) -> None:
        store = open_store(cast.system())
        store.update(Organization(id="practice", name="Maple Hollow"))
        store.update(
            Location(id="house", name="Main", managingOrganization=Reference(reference="Organization/practice"), address=Address(city="Maple Hollow"))
        )
        bundle = Client().get("/apps/brands").json()
        brand, endpoint = (entry["resource"] for entry in bundle["entry"])
        assert (brand["name"], brand["address"][0]["city"], endpoint["address"]) == ("Maple Hollow", "Maple Hollow", FHIR)
        assert brand["endpoint"][0]["reference"] == f"Endpoint/{endpoint['id']}"


class TestRegistrationByItself:
    SENT = {"client_name": "New", "redirect_uris": [BACK], "scope": "launch/patient patient/*.rs", "token_endpoint_auth_method": "none"}

    def ask(self, sent: Any) -> Any:
        return Client().post("/oauth/register", sent if isinstance(sent, str) else json.dumps(sent), content_type="application/json")

    def test_is_switched_off(self) -> None:
        assert self.ask(self.SENT).status_code == 404

    def test_waits_for_approval(self, settings: Any, clinic: Clinic) -> None:
        settings.OPENWARD_SMART_REGISTRATION = True
        told = self.ask(self.SENT)
        assert told.status_code == 201
        app = App.objects.get(id=told.json()["client_id"])
        assert not app.is_open
        walk = Walk(app)
        walk.browser.force_login(clinic.patient)
        assert walk.authorize().status_code == 400

    def test_gives_a_secret_to_who_wants_one(self, settings: Any) -> None:
        settings.OPENWARD_SMART_REGISTRATION = True
        told = self.ask({**self.SENT, "token_endpoint_auth_method": "client_secret_basic"}).json()
        assert tokens.digest(told["client_secret"]) == bytes(App.objects.get().secret_digest or b"")

    def test_gives_a_secret_to_who_does_not_say_otherwise(self, settings: Any) -> None:
        """RFC 7591, section 2: `token_endpoint_auth_method` left out means client_secret_basic."""
        settings.OPENWARD_SMART_REGISTRATION = True
        told = self.ask({name: value for name, value in self.SENT.items() if name != "token_endpoint_auth_method"}).json()
        assert (told["token_endpoint_auth_method"], bool(told["client_secret"])) == ("client_secret_basic", True)

    def test_tells_all_that_was_registered(self, settings: Any) -> None:
        """RFC 7591, section 3.2.1."""
        settings.OPENWARD_SMART_REGISTRATION = True
        more = {"jwks_uri": "https://app.example.org/keys", "initiate_login_uri": "https://app.example.org/launch"}
        told = self.ask({**self.SENT, **more, "token_endpoint_auth_method": "private_key_jwt"}).json()
        assert {name: told.get(name) for name in more} == more

    @pytest.mark.parametrize(
        "sent",
        [
            "garbage", "[]", "null", "[" * 50_000, {}, {**SENT, "scope": "system/*.rs"}, {**SENT, "scope": "everything"}, {**SENT, "redirect_uris": ["http://x.example.org"]},
            {**SENT, "redirect_uris": "x"}, {**SENT, "redirect_uris": []}, {**SENT, "token_endpoint_auth_method": "client_secret_post"}, {**SENT, "client_name": 7},
            {**SENT, "client_name": ""}, {**SENT, "jwks": {"keys": []}}, {**SENT, "redirect_uris": [BACK] * 11},
        ],
    )  # fmt: skip
    def test_refuses_what_it_cannot_take(self, settings: Any, sent: Any) -> None:
        settings.OPENWARD_SMART_REGISTRATION = True
        assert self.ask(sent).status_code == 400
        assert not App.objects.exists()


class TestSigningKeys:
    @pytest.fixture(autouse=True)
    def folder(self, settings: Any, tmp_path: Any) -> None:
        settings.OPENWARD_DATA = tmp_path

    def test_are_made_once_and_readable_by_their_owner_only(self) -> None:
        assert signing.published() == signing.published()
        assert {path.stat().st_mode & 0o777 for path in signing.folder().iterdir()} == {0o600}

    def test_are_replaced_while_the_old_ones_stay_published(self) -> None:
        before = {key["kid"] for key in signing.published()["keys"]}
        made = signing.rotate()
        after = {key["kid"] for key in signing.published()["keys"]}
        assert before < after
        assert set(made) == after - before

    def test_are_forgotten_long_after_they_were_replaced(self) -> None:
        import time_machine

        before = {key["kid"] for key in signing.published()["keys"]}
        signing.rotate()
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=3), tick=True):
            signing.rotate()
        assert not before & {key["kid"] for key in signing.published()["keys"]}


def test_what_has_expired_is_swept_away(walk: Walk, backend: App, keys: Any) -> None:
    import time_machine

    walk.browser.post(f"/apps/connect/{walk.app.id}")
    walk.tokens()
    walk.post("/oauth/token", by_assertion(assertion(backend, keys["ES384"], alg="ES384")))
    assert all(model.objects.exists() for model in (Launch, Assertion, Code, AccessToken))
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=40), tick=True):
        sweep()
    assert not any(model.objects.exists() for model in (Launch, Assertion, Code, AccessToken, Asked))
    assert Connection.objects.get().user is not None, "what a person agreed to stays on record"
