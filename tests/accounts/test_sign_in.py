"""Signing in, locking out, inviting, and the tokens of clients."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.utils import timezone

from openward.accounts import actions, factors, resets, tokens
from openward.accounts.models import Invitation, User
from tests import cast

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def nurse() -> User:
    return actions.make_user(sign_in="Nurse@Example.org", password=PASSWORD, role="nurse", name="Nell Night")


class TestSigningIn:
    def test_the_right_password_opens(self, nurse: User) -> None:
        assert actions.check_sign_in(sign_in=" nurse@example.ORG ", password=PASSWORD) == nurse

    def test_a_wrong_password_and_an_unknown_name_answer_alike(self, nurse: User) -> None:
        assert actions.check_sign_in(sign_in="nurse@example.org", password="wrong") is None
        assert actions.check_sign_in(sign_in="nobody@example.org", password="wrong") is None

    def test_passwords_are_kept_as_argon2(self, nurse: User) -> None:
        assert nurse.password.startswith("argon2$argon2id$")

    def test_five_wrong_tries_lock_even_for_the_right_password(self, nurse: User) -> None:
        for _ in range(5):
            actions.check_sign_in(sign_in="nurse@example.org", password="wrong")
        with pytest.raises(actions.Locked):
            actions.check_sign_in(sign_in="nurse@example.org", password=PASSWORD)

    def test_the_lock_opens_after_a_quarter_of_an_hour(self, nurse: User) -> None:
        for _ in range(5):
            actions.check_sign_in(sign_in="nurse@example.org", password="wrong")
        with time_machine.travel(timezone.now() + dt.timedelta(minutes=16)):
            assert actions.check_sign_in(sign_in="nurse@example.org", password=PASSWORD) == nurse

    def test_a_right_password_forgets_the_wrong_tries(self, nurse: User) -> None:
        for _ in range(4):
            actions.check_sign_in(sign_in="nurse@example.org", password="wrong")
        actions.check_sign_in(sign_in="nurse@example.org", password=PASSWORD)
        nurse.refresh_from_db()
        assert nurse.failed_tries == 0

    def test_who_was_ended_cannot_sign_in(self, nurse: User) -> None:
        User.objects.filter(pk=nurse.pk).update(is_active=False)
        assert actions.check_sign_in(sign_in="nurse@example.org", password=PASSWORD) is None

    def test_a_short_password_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            actions.make_user(sign_in="a@example.org", password="short", role="nurse", name="A")

    def test_a_name_is_taken_once(self, nurse: User) -> None:
        with pytest.raises(actions.SignInTaken):
            actions.make_user(sign_in="NURSE@example.org", password=PASSWORD, role="nurse", name="B")


class TestInvitations:
    @pytest.fixture
    def token(self) -> str:
        return actions.invite_patient(reference=f"Patient/{cast.PATIENT_ID}", name="Ada Example", by=cast.staff("front-desk"))[1]

    def accept(self, token: str, birth_date: str = "1985-03-27", sign_in: str = "ada@example.org") -> User:
        return actions.accept_invitation(token=token, birth_date=birth_date, known_birth_date="1985-03-27", sign_in=sign_in, password=PASSWORD)

    def test_the_right_birth_date_makes_a_patient(self, token: str) -> None:
        user = self.accept(token)
        assert (user.role, user.reference, user.actor().kind) == ("patient", f"Patient/{cast.PATIENT_ID}", "patient")

    def test_a_wrong_birth_date_does_not_and_five_close_it(self, token: str) -> None:
        for _ in range(5):
            with pytest.raises(actions.WrongBirthDate):
                self.accept(token, birth_date="1985-03-28")
        with pytest.raises(actions.InvitationClosed):
            self.accept(token)

    def test_it_works_once(self, token: str) -> None:
        self.accept(token)
        with pytest.raises(actions.InvitationClosed):
            self.accept(token, sign_in="other@example.org")

    def test_a_new_one_ends_the_one_before(self, token: str) -> None:
        actions.invite_patient(reference=f"Patient/{cast.PATIENT_ID}", name="Ada Example", by=cast.staff("front-desk"))
        with pytest.raises(actions.InvitationClosed):
            actions.invitation_for(token)

    def test_who_is_invited_again_stays_the_same_person(self, token: str) -> None:
        """What hangs on them goes on: leave to look after a child, reports to the service desk, their name on the trail."""
        before = self.accept(token)
        again = actions.invite_patient(reference=f"Patient/{cast.PATIENT_ID}", name="Ada Example", by=cast.staff("front-desk"))[1]
        after = self.accept(again, sign_in="ada.new@example.org")
        assert (after.pk, after.sign_in) == (before.pk, "ada.new@example.org")
        assert actions.check_sign_in(sign_in="ada.new@example.org", password=PASSWORD) == after

    def test_who_is_invited_again_comes_in_by_no_earlier_way(self, token: str) -> None:
        user = self.accept(token)
        Authenticator.objects.create(user_id=user.pk, type=Authenticator.Type.TOTP, data={})
        link = resets.begin(user)
        again = actions.invite_patient(reference=f"Patient/{cast.PATIENT_ID}", name="Ada Example", by=cast.staff("front-desk"))[1]
        user = self.accept(again, sign_in="ada.new@example.org")
        assert not factors.second_factors(user)
        assert actions.check_sign_in(sign_in="ada@example.org", password=PASSWORD) is None
        with pytest.raises(resets.ResetClosed):
            resets.open_reset(link)

    def test_an_address_of_someone_else_is_not_taken_over(self, token: str) -> None:
        self.accept(token)
        actions.make_user(sign_in="ben@example.org", password=PASSWORD, role="patient", name="Ben")
        again = actions.invite_patient(reference=f"Patient/{cast.PATIENT_ID}", name="Ada Example", by=cast.staff("front-desk"))[1]
        with pytest.raises(actions.SignInTaken):
            self.accept(again, sign_in="ben@example.org")

    def test_it_expires(self, token: str) -> None:
        with time_machine.travel(timezone.now() + dt.timedelta(days=15)), pytest.raises(actions.InvitationClosed):
            actions.invitation_for(token)

    def test_the_token_itself_is_not_kept(self, token: str) -> None:
        assert token.encode() not in bytes(Invitation.objects.get().token_digest)


class TestTokensOfClients:
    def test_a_token_opens_what_its_scope_says(self) -> None:
        actor = tokens.actor_for(tokens.make_token(client="lab", scope="system/Observation.cr"))
        assert actor is not None
        assert actor.scopes is not None
        assert actor.scopes.allow("c", "Observation")
        assert not actor.scopes.allow("d", "Observation")
        assert not actor.scopes.allow("r", "Patient")

    def test_a_revoked_token_is_nobody(self) -> None:
        token = tokens.make_token(client="lab", scope="system/*.rs")
        tokens.revoke(client="lab")
        assert tokens.actor_for(token) is None

    def test_an_expired_token_is_nobody(self) -> None:
        token = tokens.make_token(client="lab", scope="system/*.rs", valid_for=dt.timedelta(days=1))
        with time_machine.travel(timezone.now() + dt.timedelta(days=2)):
            assert tokens.actor_for(token) is None

    @pytest.mark.parametrize(
        "scope", ["", "system/*", "system/*.x", "system/*.sr", "SYSTEM/*.r", "user/*.r", "system/Nothing.r", "system/*.r system/*.", "patient/*.rs"]
    )
    def test_what_is_not_exactly_a_scope_is_refused(self, scope: str) -> None:
        with pytest.raises(ValueError, match="Not a scope"):
            tokens.make_token(client="lab", scope=scope)
