"""Addresses of apps. Those under `/fhir/.well-known` are answered here too: `server.wsgi` sends them on."""

from __future__ import annotations

from django.urls import path

from openward.smart.views import authorizing, connected, gallery, launches, oauth

app_name = "smart"
urlpatterns = [
    path("fhir/.well-known/smart-configuration", oauth.configuration, name="configuration"),
    path("fhir/.well-known/openid-configuration", oauth.openid, name="openid"),
    path("oauth/authorize", authorizing.authorize, name="authorize"),
    path("oauth/asked/<uuid:id>", authorizing.asked, name="asked"),
    path("oauth/consent", authorizing.consent, name="consent"),
    path("oauth/token", oauth.token, name="token"),
    path("oauth/introspect", oauth.introspect, name="introspect"),
    path("oauth/revoke", oauth.revoke, name="revoke"),
    path("oauth/jwks", oauth.jwks, name="jwks"),
    path("oauth/register", oauth.register, name="register"),
    path("apps/brands", oauth.brands_bundle, name="brands"),
    path("apps/connected", connected.connected, name="connected"),
    path("apps/connected/<uuid:id>", connected.connection, name="connection"),
    path("apps/connect/<uuid:id>", launches.connect, name="connect"),
    path("apps/for/<str:patient>", launches.choose, name="choose"),
    path("apps/for/<str:patient>/<uuid:id>", launches.start, name="launch"),
    path("admin/apps", gallery.apps, name="apps"),
    path("admin/apps/add", gallery.add, name="add-app"),
    path("admin/apps/<uuid:id>", gallery.app, name="app"),
]
