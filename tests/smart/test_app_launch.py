"""The right way through: a patient lets an app in, staff start one from a chart, and the tokens do what was agreed to and no more."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from openward.accounts.sessions import BY_PIN
from openward.fhir.ids import key
from openward.smart.launching import launch
from openward.smart.models import AccessToken, App, Connection, RefreshToken
from openward.web.gate import PROVED_AT
from tests import cast
from tests.smart.conftest import CATEGORY, FHIR, STANDALONE, Api, Clinic, Walk, an_app, told

FORM = "application/x-www-form-urlencoded"
pytestmark = pytest.mark.django_db


def test_a_patient_lets_an_app_in_and_it_reads_their_record(walk: Walk) -> None:
    got = walk.tokens()
    assert got["patient"] == cast.PATIENT_ID
    assert (got["token_type"], got["expires_in"], got["scope"]) == ("Bearer", 3600, STANDALONE)
    assert got["need_patient_banner"] is False
    api = Api(got["access_token"])
    assert api.ids("Observation") == {"laboratory-a1", "vital-signs-a1", "survey-a1"}
    assert api.ids("Patient") == {cast.PATIENT_ID}
    assert api.status("GET", "Observation/laboratory-b2") == 404
    assert api.status("GET", f"Patient/{cast.OTHER_PATIENT_ID}") == 404


def test_what_was_not_agreed_to_is_not_seen(walk: Walk) -> None:
    api = Api(walk.tokens()["access_token"])
    assert api.status("GET", "Condition?patient=" + cast.PATIENT_ID) in (403, 404)
    assert api.status("PUT", "Observation/laboratory-a1", {"resourceType": "Observation", "id": "laboratory-a1"}) in (403, 404, 422)


def test_the_state_comes_back_letter_for_letter(walk: Walk) -> None:
    answer = walk.decide(walk.authorize(state="a/b?c=<d>&e=\u00e9 f"))
    assert told(answer)["state"] == "a/b?c=<d>&e=\u00e9 f"


def test_no_token_code_or_secret_is_kept_in_clear(walk: Walk) -> None:
    code = walk.code()
    got = walk.exchange(code).json()
    kept = " ".join(str(list(model.objects.values())) for model in (AccessToken, RefreshToken, Connection))
    for secret in (code, got["access_token"], got["refresh_token"]):
        assert secret not in kept


def test_the_id_token_says_who_it_is_and_is_signed_by_a_published_key(walk: Walk, clinic: Clinic) -> None:
    got = walk.tokens(nonce="n-1")
    published = KeySet.import_key_set(Client().get("/oauth/jwks").json())
    token = jwt.decode(got["id_token"], published, algorithms=["RS256"])
    assert token.header["kid"] in {key.kid for key in published.keys}
    assert token.claims["iss"] == FHIR
    assert token.claims["aud"] == walk.app.client_id
    assert token.claims["nonce"] == "n-1"
    assert token.claims["fhirUser"] == f"{FHIR}/Patient/{cast.PATIENT_ID}"
    assert token.claims["sub"] == str(clinic.patient.id)
    assert token.claims["exp"] - token.claims["iat"] <= 3600


def test_the_published_keys_have_no_private_part() -> None:
    for one in Client().get("/oauth/jwks").json()["keys"]:
        assert not set(one) & {"d", "p", "q", "dp", "dq", "qi", "k"}
        assert one["kid"]


def test_without_openid_there_is_no_id_token(walk: Walk) -> None:
    assert "id_token" not in walk.tokens(scope="launch/patient patient/Patient.rs")


def test_a_refresh_token_comes_only_with_a_scope_for_it(walk: Walk) -> None:
    assert "refresh_token" not in walk.tokens(scope="launch/patient patient/Patient.rs")
    assert "refresh_token" in walk.tokens(scope="launch/patient online_access patient/Patient.rs")


def test_refreshing_gives_new_tokens_and_the_same_patient(walk: Walk) -> None:
    first = walk.tokens()
    second = walk.refresh(first["refresh_token"])
    assert second.status_code == 200, second.content
    got = second.json()
    assert got["refresh_token"] != first["refresh_token"]
    assert got["patient"] == cast.PATIENT_ID
    assert Api(got["access_token"]).ids("Patient") == {cast.PATIENT_ID}


def test_a_refresh_may_ask_for_less(walk: Walk) -> None:
    got = walk.refresh(walk.tokens()["refresh_token"], scope="patient/Patient.r").json()
    assert got["scope"] == "patient/Patient.r"
    assert Api(got["access_token"]).status("GET", "Observation/laboratory-a1") == 404


def test_a_request_by_post_is_gone_on_with_by_the_person_s_own_browser(walk: Walk) -> None:
    kept = Client(enforce_csrf_checks=True).post(
        "/oauth/authorize", urlencode(walk.asked()), content_type=FORM
    )  # from the app's page: without cookies
    assert kept.status_code == 302
    assert kept["Location"].startswith("/oauth/asked/")
    code = told(walk.decide(walk.browser.get(kept["Location"])))["code"]
    assert walk.exchange(code).status_code == 200


def test_who_is_not_signed_in_is_asked_to_and_comes_back(walk: Walk) -> None:
    walk.browser = Client()
    answer = walk.authorize()
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/sign-in?next=%2Foauth%2Fauthorize%3F")


class TestTheConsentPage:
    def test_offers_each_scope_in_words(self, walk: Walk) -> None:
        text = walk.authorize().content.decode()
        assert "See name, birth date and contact details" in text
        assert "See laboratory results" in text
        assert "Keep this access while you are away" in text

    def test_grants_only_what_was_left_in(self, walk: Walk) -> None:
        got = walk.tokens(scopes=["patient/Patient.rs"])
        assert "patient/Observation.rs" not in got["scope"]
        assert Api(got["access_token"]).status("GET", "Observation/laboratory-a1") == 404

    def test_takes_a_wildcard_apart(self, walk: Walk) -> None:
        got = walk.tokens(scopes=["patient/Patient.rs"], scope="launch/patient patient/*.rs")
        assert got["scope"] == "launch/patient patient/Patient.rs"

    def test_takes_two_wildcards_apart(self, walk: Walk) -> None:
        """What is left of them is many words, and still a scope that can be used."""
        page = walk.authorize(scope="openid fhirUser launch/patient offline_access patient/*.cruds user/*.cruds")
        offered = re.findall(r'name="scope" value="([^"]+)" checked', page.content.decode())
        code = told(walk.decide(page, scopes=[one for one in offered if "/CarePlan." not in one]))["code"]
        api = Api(walk.exchange(code).json()["access_token"])
        assert (api.status("GET", "Patient"), api.status("GET", "CarePlan")) == (200, 403)

    def test_leaves_a_wildcard_whole_when_nothing_was_taken_out(self, walk: Walk) -> None:
        assert walk.tokens(scope="launch/patient patient/*.rs")["scope"] == "launch/patient patient/*.rs"

    def test_offers_what_a_wildcard_holds_too_only_once(self, walk: Walk) -> None:
        """Taken out, it is out."""
        page = walk.authorize(scope="launch/patient patient/Observation.rs patient/*.rs")
        offered = re.findall(r'name="scope" value="([^"]+)"', page.content.decode())
        assert len(offered) == len(set(offered))
        answer = walk.decide(page, scopes=[one for one in offered if not one.startswith("patient/Observation.rs")])
        got = walk.exchange(told(answer)["code"]).json()
        assert Api(got["access_token"]).status("GET", "Observation/laboratory-a1") == 404

    @pytest.mark.parametrize("asked", ["rs", "read"])
    def test_offers_a_patient_kinds_of_problems_and_measurements(self, walk: Walk, asked: str) -> None:
        """45 CFR 170.315(g)(10)(v)(A), certification companion guide: asked for all of a type, these sub-resource scopes are presented to the patient."""
        page = walk.authorize(scope=f"launch/patient patient/Patient.rs patient/Condition.{asked} patient/Observation.{asked}")
        offered = {one.rpartition("|")[2] for one in re.findall(r'name="scope" value="([^"]+)" checked', page.content.decode())}
        assert offered >= {"encounter-diagnosis", "problem-list-item", "health-concern"}
        assert offered >= {"clinical-test", "laboratory", "social-history", "sdoh", "survey", "vital-signs"}

    def test_grants_the_kinds_that_were_left_in_and_no_more(self, walk: Walk) -> None:
        laboratory = f"patient/Observation.rs?category={CATEGORY}|laboratory"
        got = walk.tokens(scopes=["patient/Patient.rs", laboratory])
        assert got["scope"].split()[-2:] == ["patient/Patient.rs", laboratory]
        api = Api(got["access_token"])
        assert api.ids("Observation") == {"laboratory-a1"}
        assert api.status("GET", "Observation/vital-signs-a1") == 404

    def test_grants_all_of_a_type_when_no_kind_was_taken_out(self, walk: Walk) -> None:
        assert "patient/Observation.rs" in walk.tokens()["scope"].split()

    def test_says_that_what_is_of_no_kind_goes_with_the_first_one_taken_out(self, walk: Walk) -> None:
        assert "nothing that is of no kind listed here" in walk.authorize().content.decode()
        assert "nothing that is of no kind listed here" not in walk.authorize(scope="launch/patient patient/Patient.rs").content.decode()

    def test_tells_the_app_of_a_refusal(self, walk: Walk) -> None:
        answer = walk.decide(walk.authorize(), do="refuse")
        assert told(answer)["error"] == "access_denied"
        assert Connection.objects.count() == 0

    def test_grants_nothing_that_was_not_offered(self, walk: Walk) -> None:
        answer = walk.decide(walk.authorize(), scopes=["patient/Patient.rs", "patient/Condition.rs"])
        assert answer.status_code == 422
        assert Connection.objects.count() == 0

    def test_leads_to_the_app_s_address_only(self, walk: Walk) -> None:
        policy = walk.authorize()["Content-Security-Policy"]
        assert "form-action 'self' https://app.example.org;" in policy + ";"

    def test_is_not_for_who_signed_in_after_it_was_opened(self, walk: Walk, clinic: Clinic) -> None:
        page = walk.authorize()
        walk.browser.force_login(clinic.other)
        assert walk.decide(page).status_code == 400
        assert Connection.objects.count() == 0

    def test_is_answered_by_the_person_s_own_form_only(self, walk: Walk, clinic: Clinic) -> None:
        page = walk.authorize()
        walk.browser = Client(enforce_csrf_checks=True)
        walk.browser.force_login(clinic.patient)
        assert walk.decide(page).status_code == 403
        assert Connection.objects.count() == 0


class TestStaffWithoutALaunch:
    def test_choose_the_patient(self, staff_walk: Walk) -> None:
        page = staff_walk.authorize()
        found = staff_walk.decide(page, do="find", q="Example")
        assert cast.OTHER_PATIENT_ID in found.content.decode()
        code = told(staff_walk.decide(found, patient=cast.OTHER_PATIENT_ID))["code"]
        got = staff_walk.exchange(code).json()
        assert (got["patient"], got["need_patient_banner"]) == (cast.OTHER_PATIENT_ID, True)
        assert Api(got["access_token"]).ids("Observation") == {"laboratory-b2", "vital-signs-b2", "survey-b2"}

    def test_get_nothing_without_choosing(self, staff_walk: Walk) -> None:
        assert staff_walk.decide(staff_walk.authorize()).status_code == 422

    def test_cannot_choose_who_is_not_there(self, staff_walk: Walk) -> None:
        assert staff_walk.decide(staff_walk.authorize(), patient="no-such").status_code == 422
        assert staff_walk.decide(staff_walk.authorize(), patient="../x").status_code == 422

    def test_need_no_patient_for_user_scopes(self, staff_walk: Walk) -> None:
        got = staff_walk.tokens(scope="openid fhirUser user/Observation.rs")
        assert "patient" not in got
        assert len(Api(got["access_token"]).ids("Observation")) == 6


class TestStartedFromTheChart:
    def launch(self, walk: Walk, patient: str = cast.PATIENT_ID) -> Any:
        return walk.browser.post(f"/apps/for/{patient}/{walk.app.id}")

    def opened(self, walk: Walk, patient: str = cast.PATIENT_ID) -> str:
        refresh: str = self.launch(walk, patient)["Refresh"]
        assert refresh.startswith("0;url=https://app.example.org/launch?iss=http%3A%2F%2Ftestserver%2Ffhir&launch=")
        return refresh.rpartition("launch=")[2]

    def test_the_app_gets_the_patient_without_being_asked(self, staff_walk: Walk) -> None:
        scope = "launch openid fhirUser patient/Observation.rs"
        code = told(staff_walk.authorize(scope=scope, launch=self.opened(staff_walk)))["code"]
        got = staff_walk.exchange(code).json()
        assert (got["patient"], got["scope"]) == (cast.PATIENT_ID, scope)
        assert Api(got["access_token"]).ids("Observation") == {"laboratory-a1", "vital-signs-a1", "survey-a1"}

    def test_a_launch_works_once(self, staff_walk: Walk) -> None:
        launch = self.opened(staff_walk)
        assert "code" in told(staff_walk.authorize(scope="launch patient/Patient.rs", launch=launch))
        assert told(staff_walk.authorize(scope="launch patient/Patient.rs", launch=launch))["error"] == "invalid_request"

    def test_a_launch_is_of_one_app(self, staff_walk: Walk) -> None:
        launch = self.opened(staff_walk)
        staff_walk.app = an_app()[0]
        assert told(staff_walk.authorize(scope="launch patient/Patient.rs", launch=launch))["error"] == "invalid_request"

    def test_a_launch_is_of_one_person(self, staff_walk: Walk, clinic: Clinic) -> None:
        launch = self.opened(staff_walk)
        staff_walk.browser.force_login(clinic.administrator)
        assert told(staff_walk.authorize(scope="launch patient/Patient.rs", launch=launch))["error"] == "invalid_request"

    def test_a_patient_who_may_not_be_seen_cannot_be_launched_for(self, staff_walk: Walk, clinic: Clinic) -> None:
        assert self.launch(staff_walk, "no-such").status_code == 404
        staff_walk.browser.force_login(clinic.administrator)
        assert self.launch(staff_walk).status_code == 404

    def test_a_visit_of_someone_else_is_no_context(self, staff_walk: Walk) -> None:
        from openward.fhir.resources import Coding, Encounter, Reference
        from openward.record import open_store

        visit = Encounter(status="finished", class_=Coding(code="AMB"), subject=Reference(reference=f"Patient/{cast.OTHER_PATIENT_ID}"))
        visit.data["class"] = {"code": "AMB"}
        made = open_store(cast.system()).create(visit)
        answer = staff_walk.browser.post(f"/apps/for/{cast.PATIENT_ID}/{staff_walk.app.id}", {"encounter": made.id})
        assert answer.status_code == 404

    def test_a_patient_starts_one_from_the_portal_and_is_asked(self, walk: Walk) -> None:
        launch = walk.browser.post(f"/apps/connect/{walk.app.id}")["Refresh"].rpartition("launch=")[2]
        page = walk.authorize(scope="launch patient/Patient.rs", launch=launch)
        assert page.status_code == 200
        got = walk.exchange(told(walk.decide(page))["code"]).json()
        assert got["patient"] == cast.PATIENT_ID

    def test_the_chart_s_page_of_apps_shows_those_that_are_approved_for_staff(self, staff_walk: Walk) -> None:
        an_app(approved=False)
        page = staff_walk.browser.get(f"/apps/for/{cast.PATIENT_ID}")
        assert page.status_code == 200
        assert page.content.decode().count("Open Growth") == 1


def test_what_was_done_is_on_record_under_the_person_and_the_app(walk: Walk, app: App) -> None:
    from openward.audit.models import AuditEvent

    Api(walk.tokens()["access_token"]).ids("Observation")
    connected = AuditEvent.objects.get(interaction="connect-app")
    assert connected.detail == f"app:{app.client_id}"
    assert connected.patient == key("Patient", cast.PATIENT_ID)
    read = AuditEvent.objects.filter(interaction="search").last()
    assert read is not None
    assert read.actor_name == "The patient (app: Growth)"
    assert AuditEvent.objects.filter(interaction="app-token", outcome=0, actor=f"client:{app.client_id}").count() == 1
    assert "access_token" not in json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))


class TestHowThePersonIsAsked:
    """OpenID Connect Core, section 15.1: prompt, max_age and auth_time are mandatory for every provider."""

    def proves(self, browser: Client, *, ago: int = 0) -> int:
        session = browser.session
        session[PROVED_AT] = time.time() - ago
        session.save()
        return int(session[PROVED_AT])

    def test_not_at_all_who_is_not_signed_in(self, walk: Walk) -> None:
        walk.browser = Client()
        assert told(walk.authorize(prompt="none"))["error"] == "login_required"

    def test_not_at_all_who_would_have_to_agree(self, walk: Walk) -> None:
        assert told(walk.authorize(prompt="none"))["error"] == "consent_required"

    def test_not_at_all_whoever_signed_in_too_long_ago(self, walk: Walk) -> None:
        self.proves(walk.browser, ago=100)
        assert told(walk.authorize(prompt="none", max_age="60"))["error"] == "login_required"

    @pytest.mark.parametrize("wanted", [{"prompt": "login"}, {"prompt": "select_account consent"}, {"max_age": "60"}, {"max_age": "0"}])
    def test_after_proving_anew_who_they_are(self, walk: Walk, wanted: dict[str, str]) -> None:
        self.proves(walk.browser, ago=100)
        sent = walk.authorize(**wanted)["Location"]
        assert sent.startswith("/account/security/again?next=%2Foauth%2Fasked%2F")
        kept = parse_qs(urlsplit(sent).query)["next"][0]
        assert walk.browser.get(kept)["Location"].startswith("/account/security/again"), "nothing was proved yet"
        at = self.proves(walk.browser)
        got = walk.exchange(told(walk.decide(walk.browser.get(kept)))["code"]).json()
        assert claims_of(got["id_token"])["auth_time"] == at

    def test_for_what_lasts_never_by_pin_alone(self, staff_walk: Walk) -> None:
        """docs/signing-in.md: a PIN opens nothing risky. Whoever saw it typed would go home with months of access."""
        session = staff_walk.browser.session
        session[PROVED_AT] = BY_PIN
        session.save()
        assert staff_walk.authorize(scope="launch/patient offline_access patient/*.rs")["Location"].startswith("/account/security/again")
        assert staff_walk.authorize(scope="launch/patient patient/*.rs").status_code == 200
        self.proves(staff_walk.browser)
        assert staff_walk.authorize(scope="launch/patient offline_access patient/*.rs").status_code == 200

    def test_as_usual_who_proved_it_recently_enough(self, walk: Walk) -> None:
        at = self.proves(walk.browser, ago=30)
        got = walk.tokens(max_age="600", prompt="consent")
        assert claims_of(got["id_token"])["auth_time"] == at
        assert claims_of(walk.refresh(got["refresh_token"]).json()["id_token"])["auth_time"] == at

    def test_once_only_who_is_not_signed_in(self, walk: Walk, clinic: Clinic) -> None:
        walk.browser = Client()
        sent = walk.authorize(prompt="login")["Location"]
        assert sent.startswith("/account/sign-in?next=%2Foauth%2Fasked%2F")
        walk.browser.force_login(clinic.patient)
        self.proves(walk.browser)
        assert walk.browser.get(parse_qs(urlsplit(sent).query)["next"][0]).status_code == 200

    @pytest.mark.parametrize("wrong", [{"prompt": "none login"}, {"prompt": "loudly"}, {"max_age": "-1"}, {"max_age": "soon"}, {"max_age": "9" * 30}])
    def test_in_no_way_nobody_knows(self, walk: Walk, wrong: dict[str, str]) -> None:
        assert told(walk.authorize(**wrong))["error"] == "invalid_request"

    @pytest.mark.parametrize(("name", "error"), [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")])
    def test_by_no_request_that_is_somewhere_else(self, walk: Walk, name: str, error: str) -> None:
        assert told(walk.authorize(**{name: "https://app.example.org/request.jwt"}))["error"] == error


def claims_of(signed: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
    return found


def test_every_answer_says_who_it_is_from(walk: Walk) -> None:
    """RFC 9207: a client of several servers tells by `iss` whose answer came."""
    assert told(walk.decide(walk.authorize()))["iss"] == FHIR
    assert told(walk.authorize(scope="nonsense"))["iss"] == FHIR
    assert told(walk.decide(walk.authorize(), do="refuse"))["iss"] == FHIR


def test_staff_who_had_to_sign_in_on_the_way_go_on_by_a_page(staff_walk: Walk, clinic: Clinic) -> None:
    """The sign-in form leads to no other site (`form-action`), so that a redirect from it to the app would be stopped by the browser."""
    url = launch(app=staff_walk.app, patient=cast.PATIENT_ID, encounter="", issuer=FHIR, by=clinic.clinician.actor())
    asked = staff_walk.asked(scope="launch patient/Patient.rs", launch=parse_qs(urlsplit(url).query)["launch"][0])
    page = staff_walk.browser.get(f"/oauth/authorize?{urlencode(asked)}", headers={"Sec-Fetch-Site": "same-origin"})
    assert page.status_code == 200
    assert page["Refresh"].startswith("0;url=https://app.example.org/back?code=")
