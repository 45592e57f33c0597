"""Every address. A route whose view is not a `@page` fails a test."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from openward.administration.views import health
from openward.entrance.views.elsewhere import come_back

urlpatterns = [
    path("health", health, name="health"),
    path("", include("openward.web.urls")),
    path("account/", include("openward.entrance.urls")),
    path("account/elsewhere/<str:provider_id>/back", come_back, name="openid_connect_callback"),
    path("patients/", include("openward.registration.urls")),
    path("chart/", include("openward.chart.urls")),
    path("schedule/", include("openward.scheduling.urls")),
    path("billing/", include("openward.billing.urls")),
    path("portal/", include("openward.portal.urls")),
    path("desk/", include("openward.servicedesk.urls")),
    path("privacy/", include("openward.privacy.urls")),
    path("admin/", include("openward.administration.urls")),
    path("", include("openward.smart.urls")),
]

if settings.OPENWARD_DEMO:
    urlpatterns.append(path("demo/", include("openward.demo.urls")))

handler400 = "openward.web.views.bad_request"
handler403 = "openward.web.views.forbidden"
handler404 = "openward.web.views.not_found"
handler500 = "openward.web.views.crashed"
