"""Signing in with someone else's proof: OpenID Connect providers that the operator named. django-allauth speaks the protocol, with PKCE and state;
whose sign-in it is here, and whether more is asked of them, is decided as at every other door."""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from openward.accounts.elsewhere import Provider
from openward.accounts.models import User
from openward.audit.auditor import note
from openward.entrance import notices, sitting
from openward.entrance.views.signing import note_nobody
from openward.record.connection import connection
from openward.web.gate import proved_lately
from openward.web.pages import toast


class SignInElsewhere(DefaultSocialAccountAdapter):
    """Ends allauth's part once the provider has said who they are."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        SocialAccount.objects.filter(pk=sociallogin.account.pk).update(extra_data={})  # the claims of their house are not ours to keep
        provider = _provider(sociallogin.account.provider)
        if sociallogin.state.get("process") == "connect":
            raise ImmediateHttpResponse(_connect(request, sociallogin))
        user = _whose(sociallogin, provider)
        if user is None:
            note_nobody(request, f"{provider.id} {sociallogin.account.uid}", "unknown elsewhere")
            raise ImmediateHttpResponse(_refused(request, _("Nobody signs in here with that. Sign in with your password first and connect it.")))
        go_to = sitting.begin(request, user, method=provider.name, go_to=_next(request, sociallogin), is_whole=provider.second_factor)
        raise ImmediateHttpResponse(redirect(go_to))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **why: Any) -> None:
        note_nobody(request, "elsewhere", "refused elsewhere")
        raise ImmediateHttpResponse(_refused(request, _("That sign-in did not come to its end. Try again.")))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False


def _provider(id: str) -> Provider:
    return next(one for one in settings.OPENWARD_SIGN_IN_ELSEWHERE if one.id == id)


def _whose(sociallogin: Any, provider: Provider) -> User | None:
    """Who connected it; or, where the operator trusts the provider's addresses, whose sign-in the verified address is."""
    if sociallogin.is_existing:
        return sociallogin.user if sociallogin.user.is_active else None
    if not provider.trust_email:
        return None
    addresses = [User.objects.normal(one.email) for one in sociallogin.email_addresses if one.verified is True]
    return User.objects.filter(sign_in__in=addresses, is_active=True).first()


def _connect(request: HttpRequest, sociallogin: Any) -> HttpResponseBase:
    """Only for who is signed in and proved it lately; one account elsewhere belongs to one person here."""
    if not isinstance(request.user, User) or not proved_lately(request):
        return redirect("accounts:security")
    account = sociallogin.account
    if sociallogin.is_existing:
        toast(request, _("That account is connected already."))
        return redirect("accounts:security")
    SocialAccount.objects.create(user=request.user, provider=account.provider, uid=account.uid, extra_data={})
    note(connection(), sitting.actor_in(request, request.user), "add-factor", detail=account.provider)
    notices.tell(request.user, notices.Notice.ELSEWHERE, by=sitting.actor_in(request, request.user))
    toast(request, _("Connected. You can sign in with it from now on."))
    return redirect("accounts:security")


def _refused(request: HttpRequest, words: str) -> HttpResponseBase:
    toast(request, words, kind="warning")
    return redirect("accounts:sign-in")


def _next(request: HttpRequest, sociallogin: Any) -> str:
    wanted = sociallogin.state.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()) else "/"
