"""What a page is: who may open it, with which store, and how it answers with and without htmx.

```python
@page("chart:summary", needs=Permission.READ_CHART)
def summary(request: PageRequest, patient: str) -> HttpResponse:
    return render(request, "chart/summary.html", {"cards": cards(queries.summary(request.store, patient))})
```

Nobody is sent to sign in; an actor without the permission gets 404, as if the page did not exist. A view without `@page` fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.functional import SimpleLazyObject

from openward.fhir.errors import FhirError, Gone, NotFound, Unauthenticated, UnknownType
from openward.web import errors, given_back, once
from openward.web.answers import go, panel_done, render, render_panel, toast, with_refresh, with_toast
from openward.web.gate import actor_of, may, proved_lately

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from openward.access.actor import Actor
    from openward.access.permissions import Permission
    from openward.fhir.store import Store

__all__ = ["PAGES", "Page", "PageRequest", "go", "page", "panel_done", "render", "render_panel", "toast", "with_refresh", "with_toast"]

Ids = ParamSpec("Ids")
View = Callable[Concatenate["PageRequest", Ids], HttpResponseBase]


class PageRequest(HttpRequest):
    """The request a page gets. On a public page `actor` may be None; `store` is then not set."""

    actor: Actor
    store: Store
    htmx: HtmxDetails


@dataclass(frozen=True, slots=True)
class Page:
    """One registered page: its URL name, the permission it needs (None: any signed-in actor) and whether nobody may open it too."""

    name: str
    needs: Permission | None
    public: bool
    methods: tuple[str, ...]
    view: Callable[..., HttpResponseBase]
    fresh: bool = False


PAGES: dict[str, Page] = {}


def page(
    name: str,
    *,
    needs: Permission | None = None,
    public: bool = False,
    methods: tuple[str, ...] = ("GET",),
    fresh: bool = False,
) -> Callable[[View[Ids]], Callable[Concatenate[HttpRequest, Ids], HttpResponseBase]]:
    """Register a view under its URL name and put the door in front of it.

    `needs=None` without `public` lets in every signed-in actor. `methods` other than these are answered 405; HEAD goes with GET.
    `fresh` asks who did not prove themselves within a quarter of an hour to do so again: for what is risky.
    """
    allowed = (*methods, "HEAD") if "GET" in methods else methods

    def decorate(view: View[Ids]) -> Callable[Concatenate[HttpRequest, Ids], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Ids.args, **ids: Ids.kwargs) -> HttpResponseBase:
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            _must_be_readable(request)
            actor = actor_of(request)
            if not public:
                if actor is None:
                    return _ask_to_sign_in(request)
                if not may(actor, needs):
                    raise Http404
                if fresh and not proved_lately(request):
                    return _ask_again(request)
            with ExitStack() as reads:
                return _answer(view, _bind(request, actor, reads), args, ids)

        guarded.page = PAGES[name] = Page(name, needs, public, methods, guarded, fresh)  # type: ignore[attr-defined]
        return guarded

    return decorate


def _must_be_readable(request: HttpRequest) -> None:
    """The database holds no NUL, and to ask it for one is a crash: nothing has it in its address, and no question with it is understood."""
    if "\0" in request.path_info:
        raise Http404
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise BadRequest


def _bind(request: HttpRequest, actor: Actor | None, reads: ExitStack) -> PageRequest:
    """Put actor and store on the request. What the page reads is put on record when `reads` closes, before the answer leaves."""
    request.actor = actor  # type: ignore[attr-defined]
    if actor is not None:
        request.store = SimpleLazyObject(lambda: _open(actor, reads))  # type: ignore[attr-defined]
    return request  # type: ignore[return-value]


def _open(actor: Actor, reads: ExitStack) -> Store:
    from openward.record import open_store

    store = open_store(actor)
    reads.enter_context(store.gathering())
    return store


def _answer(view: Callable[..., HttpResponseBase], request: PageRequest, args: tuple[Any, ...], ids: Mapping[str, Any]) -> HttpResponseBase:
    if (replay := once.remembered(request)) is not None:
        return replay
    try:
        response = view(request, *args, **ids)
    except (NotFound, Gone, UnknownType) as missing:
        raise Http404 from missing
    except Unauthenticated:
        return _ask_to_sign_in(request)
    except FhirError as refusal:
        if refusal.status >= 500:
            raise
        response = errors.refused(request, refusal)
    once.remember(request, response)
    return response


def _ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send nobody to the sign-in page and back afterwards; htmx must move the whole page, not the fragment.

    What a form brought stays: that of htmx in the page it was typed in, any other on a page of its own. It can be sent again after signing in elsewhere
    (forms.js takes the new token over).
    """
    htmx = request.headers.get("HX-Request") == "true"
    if htmx and request.method == "POST":
        return errors.signed_out()
    if request.method == "POST" and given_back.is_something(request):
        return errors.signed_out_page(request)
    here = _path_of(request.headers.get("HX-Current-URL", "/")) if htmx else request.get_full_path() if request.method == "GET" else "/"
    return _send_to(resolve_url(settings.LOGIN_URL), here, htmx=htmx)


def _ask_again(request: HttpRequest) -> HttpResponseBase:
    """Send who is signed in to prove it again, and back to the page they were on: what they wanted to do, they then do there."""
    htmx = request.headers.get("HX-Request") == "true"
    before = request.headers.get("HX-Current-URL" if htmx else "Referer", "/")
    here = request.get_full_path() if request.method == "GET" else _path_of(before)
    return _send_to(resolve_url("accounts:again"), here, htmx=htmx)


def _send_to(door: str, here: str, *, htmx: bool) -> HttpResponseBase:
    url = f"{door}?{urlencode({'next': here})}"
    if not htmx:
        return HttpResponseRedirect(url)
    response = HttpResponse("")
    response["HX-Redirect"] = url
    return response


def _path_of(url: str) -> str:
    split = urlsplit(url)
    return f"{split.path}?{split.query}" if split.query else split.path or "/"
