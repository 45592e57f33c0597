from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("openward.web.urls"))]
handler400 = "openward.web.views.bad_request"
handler403 = "openward.web.views.forbidden"
handler404 = "openward.web.views.not_found"
handler500 = "openward.web.views.crashed"
