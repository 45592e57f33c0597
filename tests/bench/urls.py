"""Every address of the product, and an empty page: signed in, through all the middleware, nothing on it."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path

from openward.server.urls import handler400, handler403, handler404, handler500, urlpatterns
from openward.web.pages import PageRequest, page, render

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@page("bench:empty", needs=None)
def empty(request: PageRequest) -> HttpResponse:
    return render(request, "web/page.html", {})


urlpatterns = [*urlpatterns, path("bench/empty", empty)]
