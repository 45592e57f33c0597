"""Every wrong turn on the way is refused: to the person where the client is not known, to the client where it is, and nothing is given out."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from openward.accounts import signing_out, tokens
from openward.accounts.models import Session
from openward.smart.assertions import ASSERTION_TYPE
from openward.smart.models import AccessToken, App, Connection
from tests import cast
from tests.smart.conftest import BACK, FHIR, Api, Clinic, Walk, an_app, basic, told

pytestmark = pytest.mark.django_db


class TestWithoutAClientWhoseAddressIsKnownNobodyIsSentAnywhere:
    @pytest.mark.parametrize(
        "address",
        [
            "https://evil.example.org/back",
            BACK + "/",
            BACK + "/more",
            BACK + "?more=1",
            BACK + "#part",
            "https://APP.example.org/back",
            "https://app.example.org:443/back",
            "https://app.example.org/back/../other",
            "https://app.example.org.evil.example/back",
            "https://app.example.org@evil.example/back",
            "http://app.example.org/back",
            "//evil.example.org/back",
            "javascript:alert(1)",
            "/oauth/token",
            "",
            None,
        ],
    )
    def test_an_address_that_is_not_registered_letter_for_letter(self, walk: Walk, address: str | None) -> None:
        answer = walk.authorize(redirect_uri=address)
        assert answer.status_code == 400
        assert "Location" not in answer

    @pytest.mark.parametrize("client", ["nobody", "", None, "0199c1f0-0000-7000-8000-00000000ffff", "' or 1=1 --", "\0"])
    def test_a_client_that_is_not_known(self, walk: Walk, client: str | None) -> None:
        answer = walk.authorize(client_id=client)
        assert (answer.status_code, "Location" in answer) == (400, False)

    def test_a_client_id_in_another_spelling(self, walk: Walk) -> None:
        for spelt in (walk.app.client_id.upper(), walk.app.client_id.replace("-", ""), f" {walk.app.client_id}", f"{{{walk.app.client_id}}}"):
            assert walk.authorize(client_id=spelt).status_code == 400

    def test_an_app_that_waits_for_approval_or_was_ended(self, walk: Walk) -> None:
        waiting = an_app(approved=False)[0]
        assert walk.authorize(client_id=waiting.client_id).status_code == 400
        App.objects.filter(id=walk.app.id).update(ended_at=dt.datetime.now(dt.UTC))
        assert walk.authorize().status_code == 400

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "response_type"])
    def test_a_parameter_twice(self, walk: Walk, name: str) -> None:
        query = urlencode([*walk.asked().items(), (name, walk.asked()[name])])
        answer = walk.browser.get(f"/oauth/authorize?{query}")
        assert (answer.status_code, "Location" in answer) == (400, False)

    @pytest.mark.parametrize("query", ["%", "a=b&%ff", "x" * 20_000, "scope=%00", "client_id[]=1"])
    def test_garbage(self, walk: Walk, query: str) -> None:
        answer = walk.browser.get(f"/oauth/authorize?{query}")
        assert (answer.status_code, "Location" in answer) == (400, False)

    def test_a_kept_request_that_is_not_there(self, walk: Walk) -> None:
        assert walk.browser.get("/oauth/asked/0199c1f0-0000-7000-8000-00000000ffff").status_code == 404


class TestTheClientIsTold:
    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"aud": "https://other.example.org/fhir"}, "invalid_request"),
            ({"aud": FHIR + "/Patient"}, "invalid_request"),
            ({"aud": FHIR.upper()}, "invalid_request"),
            ({"aud": None}, "invalid_request"),
            ({"state": None}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": "s256"}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code token"}, "unauthorized_client"),
            ({"response_type": None}, "invalid_request"),
            ({"launch": "made-up"}, "invalid_request"),
            ({"scope": "launch patient/Patient.rs"}, "invalid_request"),
            ({"scope": "launch patient/Patient.rs", "launch": "made-up"}, "invalid_request"),
            ({"scope": "fhirUser patient/Patient.rs"}, "invalid_scope"),
            ({"scope": "online_access offline_access patient/Patient.rs"}, "invalid_scope"),
            ({"scope": "system/Patient.rs"}, "invalid_scope"),
            ({"scope": "patient/Patient.sr"}, "invalid_scope"),
            ({"scope": "PATIENT/Patient.rs"}, "invalid_scope"),
            ({"scope": "patient/patient.rs"}, "invalid_scope"),
            ({"scope": "patient/Nothing.rs"}, "invalid_scope"),
            ({"scope": "patient/Patient.rs\tuser/Patient.rs"}, "invalid_scope"),
            ({"scope": "patient/Patient.rs\u00a0user/Patient.rs"}, "invalid_scope"),
            ({"scope": "patient/*.*.rs"}, "invalid_scope"),
            ({"scope": "*/*.rs"}, "invalid_scope"),
            ({"scope": "*"}, "invalid_scope"),
            ({"scope": "OpenID patient/Patient.rs"}, "invalid_scope"),
            ({"scope": "patient/Observation.rs?category"}, "invalid_scope"),
            ({"scope": "patient/Observation.rs?category:not=laboratory"}, "invalid_scope"),
            ({"scope": "patient/Observation.rs?subject=Patient/1"}, "invalid_scope"),
            ({"scope": "patient/*.rs?category=laboratory"}, "invalid_scope"),
            ({"scope": ""}, "invalid_scope"),
            ({"scope": None}, "invalid_scope"),
        ],
    )
    def test_what_is_wrong_and_gets_its_state_back(self, walk: Walk, changed: dict[str, str | None], error: str) -> None:
        answer = walk.authorize(**changed)
        assert answer["Location"].startswith(f"{BACK}?")
        said = told(answer)
        assert said["error"] == error, said
        assert said.get("state") == walk.asked(**changed).get("state")
        assert Connection.objects.count() == 0

    def test_a_scope_that_was_not_approved_for_the_app(self, walk: Walk) -> None:
        walk.app = an_app(scope="openid launch/patient patient/Observation.rs?category=laboratory")[0]
        for more in (
            "patient/Observation.rs",
            "patient/Observation.rs?category=vital-signs",
            "patient/Observation.cruds?category=laboratory",
            "offline_access",
        ):
            assert told(walk.authorize(scope=f"launch/patient {more}"))["error"] == "invalid_scope", more
        assert walk.authorize(scope="launch/patient patient/Observation.r?category=laboratory&status=final").status_code == 200


class TestAnAppIsNotForEveryone:
    def test_people_of_one_practice_do_not_let_in_the_app_of_another(self, walk: Walk) -> None:
        """ASVS 8.4.1: the tenants of an installation never meet."""
        walk.app.tenant = 2
        walk.app.save()
        assert walk.authorize().status_code == 403

    def test_staff_do_not_let_in_what_is_for_patients(self, staff_walk: Walk) -> None:
        staff_walk.app = an_app(for_staff=False)[0]
        assert staff_walk.authorize().status_code == 403

    def test_patients_do_not_let_in_what_is_for_staff(self, walk: Walk) -> None:
        walk.app = an_app(for_patients=False)[0]
        assert walk.authorize().status_code == 403


class TestTheCode:
    @pytest.mark.parametrize(
        "changed",
        [
            {"code_verifier": "x" * 60},
            {"code_verifier": "short"},
            {"code_verifier": None},
            {"redirect_uri": BACK + "/"},
            {"redirect_uri": None},
            {"code": "made-up"},
        ],
    )
    def test_is_worth_nothing_without_what_it_was_made_for(self, walk: Walk, changed: dict[str, Any]) -> None:
        code = walk.code()
        answer = walk.exchange(**{"code": code, **changed})
        assert (answer.status_code, answer.json()["error"]) in [(400, "invalid_grant"), (400, "invalid_request")]
        assert AccessToken.objects.count() == 0

    def test_is_worth_nothing_with_a_verifier_that_can_be_guessed(self, walk: Walk) -> None:
        """The verifier has 43 to 128 letters: the challenge of a shorter one, which stands in addresses, gives it away. RFC 7636, section 4.1"""
        walk.verifier = "x" * 42
        assert walk.exchange(walk.code()).json()["error"] == "invalid_grant"
        assert AccessToken.objects.count() == 0

    def test_is_spent_by_a_wrong_try(self, walk: Walk) -> None:
        code = walk.code()
        walk.exchange(code, code_verifier="x" * 60)
        assert walk.exchange(code).status_code == 400

    def test_is_worth_nothing_to_another_client(self, walk: Walk) -> None:
        code = walk.code()
        thief = Walk(an_app()[0], verifier=walk.verifier)
        assert thief.exchange(code).json()["error"] == "invalid_grant"

    def test_used_again_ends_everything_that_came_of_it(self, walk: Walk) -> None:
        code = walk.code()
        got = walk.exchange(code).json()
        assert walk.exchange(code).json()["error"] == "invalid_grant"
        tokens.forget()
        assert Api(got["access_token"]).status("GET", "Patient") == 401
        assert walk.refresh(got["refresh_token"]).status_code == 400
        assert Connection.objects.get().ended_why == "code used twice"

    def test_lives_for_a_minute(self, walk: Walk) -> None:
        code = walk.code()
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=61), tick=True):
            assert walk.exchange(code).json()["error"] == "invalid_grant"

    def test_does_not_survive_its_person(self, walk: Walk, clinic: Clinic) -> None:
        code = walk.code()
        clinic.patient.is_active = False
        clinic.patient.save()
        assert walk.exchange(code).status_code == 400


class TestTheRefreshToken:
    def test_used_twice_ends_the_family(self, walk: Walk) -> None:
        first = walk.tokens()
        second = walk.refresh(first["refresh_token"]).json()
        assert walk.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
        tokens.forget()
        assert Api(second["access_token"]).status("GET", "Patient") == 401
        assert walk.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
        assert Connection.objects.get().ended_why == "refresh token used twice"

    def test_shown_by_another_client_ends_the_family(self, walk: Walk) -> None:
        got = walk.tokens()
        thief = Walk(an_app()[0])
        assert thief.refresh(got["refresh_token"]).json()["error"] == "invalid_grant"
        assert walk.refresh(got["refresh_token"]).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        "scope", ["patient/Condition.rs", "patient/Observation.cruds", "patient/*.rs", "user/Patient.rs", "system/*.rs", "nonsense"]
    )
    def test_never_widens(self, walk: Walk, scope: str) -> None:
        got = walk.tokens()
        assert walk.refresh(got["refresh_token"], scope=scope).json()["error"] == "invalid_scope"
        assert walk.refresh(got["refresh_token"]).status_code == 200, "a refused request leaves the token as it was"

    def test_ends_with_the_person_s_sign_in_and_with_the_app(self, walk: Walk, clinic: Clinic) -> None:
        got = walk.tokens()
        clinic.patient.is_active = False
        clinic.patient.save()
        assert walk.refresh(got["refresh_token"]).status_code == 400
        tokens.forget()
        assert Api(got["access_token"]).status("GET", "Patient") == 401

    def test_of_a_public_client_speaks_for_itself(self, walk: Walk) -> None:
        fields = {"grant_type": "refresh_token", "refresh_token": walk.tokens()["refresh_token"]}
        assert walk.post("/oauth/token", fields).status_code == 200

    def test_of_a_client_with_a_secret_does_not(self, clinic: Clinic) -> None:
        app, secret = an_app("secret")
        walk = Walk(app, secret=secret)
        walk.browser.force_login(clinic.patient)
        fields = {"grant_type": "refresh_token", "refresh_token": walk.tokens()["refresh_token"]}
        walk.secret = None
        assert walk.post("/oauth/token", fields).json()["error"] == "invalid_client"

    def test_is_forgotten_after_its_days(self, walk: Walk) -> None:
        got = walk.tokens()
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=91), tick=True):
            assert walk.refresh(got["refresh_token"]).status_code == 400

    def test_of_online_access_ends_with_the_session(self, walk: Walk) -> None:
        got = walk.tokens(scope="launch/patient online_access patient/Patient.rs")
        walk.browser.post("/account/sign-out")
        assert walk.refresh(got["refresh_token"]).status_code == 400

    def test_of_online_access_ends_with_a_session_that_ran_out(self, walk: Walk) -> None:
        """Sessions that are over are cleared away once a night; what hangs on them is over before."""
        got = walk.tokens(scope="launch/patient online_access patient/Patient.rs")
        Session.objects.update(expire_date=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
        assert walk.refresh(got["refresh_token"]).json()["error"] == "invalid_grant"
        assert Connection.objects.get().ended_why == "the session ended"

    def test_of_offline_access_ends_some_day_however_often_it_is_used(self, walk: Walk, settings: Any) -> None:
        """OWASP ASVS 5.0, 10.4.8: an absolute end."""
        settings.OPENWARD_SMART_LONGEST_DAYS = 100
        token, start = walk.tokens()["refresh_token"], dt.datetime.now(dt.UTC)
        for days in (60, 99):
            with time_machine.travel(start + dt.timedelta(days=days), tick=True):
                token = walk.refresh(token).json()["refresh_token"]
        with time_machine.travel(start + dt.timedelta(days=101), tick=True):
            assert walk.refresh(token).json()["error"] == "invalid_grant"

    def test_of_offline_access_outlives_the_session(self, walk: Walk) -> None:
        got = walk.tokens()
        walk.browser.post("/account/sign-out")
        assert walk.refresh(got["refresh_token"]).status_code == 200

    def test_of_a_person_who_is_signed_out_everywhere_is_over_and_so_is_the_access_token(self, walk: Walk, clinic: Clinic) -> None:
        got = walk.tokens()
        assert signing_out.everywhere(clinic.patient) >= 2
        assert walk.refresh(got["refresh_token"]).status_code == 400
        assert Api(got["access_token"]).status("GET", "Patient") == 401


class TestTheAccessToken:
    def test_ends_on_time(self, walk: Walk) -> None:
        got = walk.tokens()
        tokens.forget()
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=61), tick=True):
            assert Api(got["access_token"]).status("GET", "Patient") == 401

    def test_ends_with_its_app_whatever_became_of_the_agreement(self, walk: Walk) -> None:
        """One that was agreed to in the moment its app was ended is worth nothing either."""
        got = walk.tokens()
        walk.app.ended_at = dt.datetime.now(dt.UTC)
        walk.app.save()
        tokens.forget()
        assert Api(got["access_token"]).status("GET", "Patient") == 401

    def test_given_back_works_no_longer(self, walk: Walk) -> None:
        got = walk.tokens()
        assert walk.post("/oauth/revoke", {"token": got["access_token"], "client_id": walk.app.client_id}).status_code == 200
        assert Api(got["access_token"]).status("GET", "Patient") == 401
        assert walk.refresh(got["refresh_token"]).status_code == 200

    def test_goes_with_its_refresh_token(self, walk: Walk) -> None:
        got = walk.tokens()
        walk.post("/oauth/revoke", {"token": got["refresh_token"], "client_id": walk.app.client_id})
        assert Api(got["access_token"]).status("GET", "Patient") == 401

    def test_is_not_given_back_by_another_client(self, walk: Walk) -> None:
        got = walk.tokens()
        thief = Walk(an_app()[0])
        assert thief.post("/oauth/revoke", {"token": got["access_token"], "client_id": thief.app.client_id}).status_code == 200
        assert Api(got["access_token"]).status("GET", "Patient") == 200

    def test_does_not_end_because_another_client_gives_its_refresh_token_back(self, walk: Walk) -> None:
        got = walk.tokens()
        thief = Walk(an_app()[0])
        assert thief.post("/oauth/revoke", {"token": got["refresh_token"], "client_id": thief.app.client_id}).status_code == 200
        assert Api(got["access_token"]).status("GET", "Patient") == 200
        assert walk.refresh(got["refresh_token"]).status_code == 200

    def test_opens_no_page(self, walk: Walk) -> None:
        got = walk.tokens()
        assert Client().get("/portal/visits", headers={"authorization": f"Bearer {got['access_token']}"}).status_code == 302

    def test_takes_no_copy_of_the_record(self, staff_walk: Walk) -> None:
        got = staff_walk.tokens(scope="user/*.cruds")
        assert Api(got["access_token"]).ask("GET", "$export", prefer="respond-async").status in (403, 404)


class TestTheTokenEndpoint:
    @pytest.mark.parametrize("grant", ["password", "implicit", "", "authorization_code ", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
    def test_knows_three_grants(self, walk: Walk, grant: str) -> None:
        assert walk.exchange("x", grant_type=grant).json()["error"] == "unsupported_grant_type"

    def test_takes_a_form_without_repetition(self, walk: Walk) -> None:
        for body, kind in [
            ("grant_type=refresh_token&grant_type=client_credentials", "application/x-www-form-urlencoded"),
            ('{"grant_type": "refresh_token"}', "application/json"),
            ("a=1&a=2", "application/x-www-form-urlencoded"),
            ("%%%", "application/x-www-form-urlencoded"),
            ("x" * 70_000, "application/x-www-form-urlencoded"),
        ]:
            answer = Client().post("/oauth/token", body, content_type=kind)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), body[:40]

    def test_takes_nothing_from_the_address(self, walk: Walk) -> None:
        assert walk.post("/oauth/token?grant_type=refresh_token", {"client_id": walk.app.client_id}).status_code == 400
        assert Client().get("/oauth/token").status_code == 405

    def test_is_never_kept_by_anyone(self, walk: Walk) -> None:
        assert "no-store" in walk.exchange("x")["Cache-Control"]


class TestASecret:
    @pytest.fixture
    def confidential(self, clinic: Clinic) -> Walk:
        app, secret = an_app("secret")
        made = Walk(app, secret=secret)
        made.browser.force_login(clinic.patient)
        return made

    def test_lets_its_client_in(self, confidential: Walk) -> None:
        assert confidential.tokens()["patient"] == cast.PATIENT_ID

    @pytest.mark.parametrize("secret", ["wrong", "", "x" * 5000])
    def test_must_be_right(self, confidential: Walk, secret: str) -> None:
        code = confidential.code()
        confidential.secret = secret or "\x00"
        answer = confidential.exchange(code)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_that_is_wrong_is_told_in_the_scheme_it_came_in(self, confidential: Walk) -> None:
        """RFC 6749, section 5.2: 401, and WWW-Authenticate of the scheme that was used."""
        confidential.secret = "wrong"
        answer = confidential.exchange("x")
        assert (answer.status_code, answer["WWW-Authenticate"].split()[0]) == (401, "Basic")

    def test_must_be_there(self, confidential: Walk) -> None:
        code = confidential.code()
        confidential.secret = None
        assert confidential.exchange(code).json()["error"] == "invalid_client"

    def test_goes_into_the_header_only(self, confidential: Walk) -> None:
        code, secret = confidential.code(), confidential.secret
        confidential.secret = None
        assert confidential.exchange(code, client_secret=secret).json()["error"] == "invalid_client"

    def test_is_the_only_proof(self, confidential: Walk) -> None:
        """Of two ways at once neither is taken, though one of them is right. https://www.rfc-editor.org/rfc/rfc6749#section-2.3"""
        got = confidential.tokens()
        fields = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
        more = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "a.b.c"}
        assert confidential.post("/oauth/token", {**fields, **more}).json()["error"] == "invalid_client"
        assert confidential.post("/oauth/token", fields).status_code == 200

    def test_is_one_client_s(self, confidential: Walk) -> None:
        other = an_app("secret")[0]
        code = confidential.code()
        assert confidential.exchange(code, client_id=other.client_id).json()["error"] == "invalid_client"
        sent = confidential.post(
            "/oauth/token", {"grant_type": "refresh_token", "refresh_token": "x"}, authorization=basic(other, confidential.secret)
        )
        assert sent.json()["error"] == "invalid_client"

    @pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + "A" * 3, "Bearer x", "Digest x", "Basic w6k6w6k="])
    def test_a_broken_header_is_no_proof(self, confidential: Walk, header: str) -> None:
        fields = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": confidential.app.client_id}
        confidential.secret = None
        assert confidential.post("/oauth/token", fields, authorization=header).json()["error"] == "invalid_client"


class TestIntrospection:
    @pytest.fixture
    def confidential(self, clinic: Clinic) -> Walk:
        app, secret = an_app("secret")
        made = Walk(app, secret=secret)
        made.browser.force_login(clinic.patient)
        return made

    def test_tells_a_client_what_its_token_is_worth(self, confidential: Walk) -> None:
        got = confidential.tokens()
        said = confidential.post("/oauth/introspect", {"token": got["access_token"]}).json()
        assert said["active"] is True
        assert (said["patient"], said["client_id"], said["scope"]) == (cast.PATIENT_ID, confidential.app.client_id, got["scope"])
        assert confidential.post("/oauth/introspect", {"token": got["refresh_token"]}).json()["active"] is True

    def test_tells_who_it_is_where_an_id_token_was_given(self, confidential: Walk) -> None:
        """SMART App Launch 2.2, token introspection: `iss` and `sub` SHALL, `fhirUser` SHOULD be there, as in the id_token."""
        got = confidential.tokens()
        said = confidential.post("/oauth/introspect", {"token": got["access_token"]}).json()
        given = json.loads(base64.urlsafe_b64decode(got["id_token"].split(".")[1] + "=="))
        assert {name: said.get(name) for name in ("iss", "sub", "fhirUser")} == {name: given[name] for name in ("iss", "sub", "fhirUser")}
        unasked = confidential.tokens(scope="launch/patient patient/Patient.rs")
        assert "fhirUser" not in confidential.post("/oauth/introspect", {"token": unasked["access_token"]}).json()

    def test_tells_nothing_of_others_or_of_what_is_no_more(self, confidential: Walk, walk: Walk) -> None:
        theirs = walk.tokens()
        assert confidential.post("/oauth/introspect", {"token": theirs["access_token"]}).json() == {"active": False}
        assert confidential.post("/oauth/introspect", {"token": "made-up"}).json() == {"active": False}
        mine = confidential.tokens()
        confidential.post("/oauth/revoke", {"token": mine["refresh_token"]})
        assert confidential.post("/oauth/introspect", {"token": mine["access_token"]}).json() == {"active": False}

    def test_tells_nothing_of_a_token_whose_time_is_over_while_its_refresh_token_goes_on(self, confidential: Walk) -> None:
        """`active` is false for a token that has expired. https://www.rfc-editor.org/rfc/rfc7662#section-2.2"""
        got = confidential.tokens()
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=61), tick=True):
            assert confidential.post("/oauth/introspect", {"token": got["access_token"]}).json() == {"active": False}
            assert confidential.post("/oauth/introspect", {"token": got["refresh_token"]}).json()["active"] is True

    def test_is_not_for_who_cannot_prove_itself(self, walk: Walk) -> None:
        got = walk.tokens()
        said = walk.post("/oauth/introspect", {"token": got["access_token"], "client_id": walk.app.client_id}).json()
        assert said == {"active": False}
        assert walk.post("/oauth/introspect", {"token": got["access_token"]}).status_code == 401
