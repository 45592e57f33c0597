"""The way to an OpenID Connect provider and back. What speaks to one is imported by who goes there: most installations have none."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount, SocialApp
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from openward.accounts import factors
from openward.audit.auditor import note
from openward.entrance import sitting
from openward.entrance.views.security import person_of
from openward.record.connection import connection
from openward.web.pages import PageRequest, go, page, render, toast


@page("accounts:elsewhere", public=True, methods=("POST",))
def go_elsewhere(request: PageRequest, provider: str) -> HttpResponseBase:
    return _leave_for(request, provider, process="login")


@page("accounts:connect", methods=("POST",), fresh=True)
def connect(request: PageRequest, provider: str) -> HttpResponseBase:
    """Tie an account elsewhere to one's own sign-in."""
    return _leave_for(request, provider, process="connect")


@page("accounts:disconnect", methods=("POST",), fresh=True)
def disconnect(request: PageRequest, provider: str) -> HttpResponseBase:
    person = person_of(request)
    if not person.has_usable_password() and factors.KINDS.WEBAUTHN not in factors.second_factors(person):
        return go(request, "accounts:security", message=_("This is your only way in. Set up another first."))
    if not SocialAccount.objects.filter(user=person, provider=provider).delete()[0]:
        raise Http404
    note(connection(), request.actor, "remove-factor", detail=provider)
    return go(request, "accounts:security", message=_("It is disconnected."))


@page("openid_connect_callback", public=True)
def come_back(request: PageRequest, provider_id: str) -> HttpResponseBase:
    """Where the provider sends them, with a code that only this server can turn into who they are."""
    from allauth.socialaccount.providers.openid_connect import views as openid_connect

    answer: HttpResponseBase = openid_connect.callback(request, provider_id)
    return answer


def _leave_for(request: PageRequest, id: str, *, process: str) -> HttpResponseBase:
    """By a page that goes on by itself: a form may not lead to another site (`form-action` of the Content-Security-Policy)."""
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error
    from allauth.socialaccount.providers.openid_connect import views as openid_connect

    try:
        provider = openid_connect.OpenIDConnectOAuth2Adapter(request, id).get_provider()
        answer = provider.redirect(request, process=process, next_url=sitting.wanted_page(request))
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (OSError, OAuth2Error, KeyError, ValueError):
        toast(request, _("They cannot be reached now. Sign in with your password, or try again later."), kind="warning")
        return redirect("accounts:sign-in")
    return render(request, "entrance/elsewhere.html", {"there": answer["Location"], "provider": provider.name})
