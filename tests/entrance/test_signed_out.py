"""A session that ends while someone writes costs them a sign-in, and not what they wrote."""

from __future__ import annotations

import pytest
from django.test import Client

TYPED = "I have had a headache <b>since Monday</b>."


def sent(path: str = "/portal/messages/write", **more: str) -> str:
    fields = {"topic": "Something else", "text": TYPED, "_whose": "Patient/1", "csrfmiddlewaretoken": "old", **more}
    return Client().post(path, fields).content.decode()


@pytest.mark.django_db
class TestAFormSentAfterTheSessionEnded:
    def test_comes_back_with_what_was_typed(self) -> None:
        page = sent()
        assert "this was not saved" in page
        assert "I have had a headache &lt;b&gt;since Monday&lt;/b&gt;." in page

    def test_can_be_sent_again_from_there_for_the_same_record_and_once(self) -> None:
        page = sent(_once="t1")
        assert 'action="/portal/messages/write"' in page
        for field in ('name="text"', 'name="_whose" value="Patient/1"', 'name="_once" value="t1"'):
            assert field in page

    def test_takes_no_token_of_the_session_that_ended_along(self) -> None:
        assert 'value="old"' not in sent()

    @pytest.mark.parametrize("secret", ["password", "again", "current", "secret", "pin", "credential"])
    def test_gives_no_secret_back(self, secret: str) -> None:
        page = sent("/account/security/pin", **{secret: "open sesame"})
        assert "open sesame" not in page
        assert "fill it in again" in page

    def test_gives_no_card_back(self) -> None:
        page = sent("/portal/bills/pay", number="4242 4242 4242 4242", month="12", year="2030", code="917", name="Ada Okafor")
        for card in ("4242", "917", "2030"):
            assert card not in page

    def test_gives_the_code_of_a_diagnosis_back(self) -> None:
        assert 'name="code" value="I10"' in sent(code="I10")

    def test_without_anything_typed_is_sent_to_sign_in(self) -> None:
        answer = Client().post("/portal/appointments/1/cancel", {"_once": "t1", "_whose": "Patient/1"})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/sign-in")

    def test_from_another_site_is_refused_before_anything_of_it_is_shown(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/portal/messages/write", {"text": TYPED})
        assert answer.status_code == 403
        assert "headache" not in answer.content.decode()
