from __future__ import annotations

from django.urls import path

from openward.privacy import retention, views
from openward.privacy.breaches import views as breaches
from openward.privacy.breakglass import views as breakglass
from openward.privacy.consents import views as consents
from openward.privacy.labelling import views as labelling
from openward.privacy.proxies import views as proxies
from openward.privacy.snooping import views as snooping
from openward.privacy.suspensions import views as suspensions

app_name = "privacy"
urlpatterns = [
    path("", views.home, name="home"),
    path("patients/<str:id>", views.patient, name="patient"),
    path("patients/<str:id>/disclose", views.disclose, name="disclose"),
    path("patients/<str:id>/suspend", suspensions.suspend, name="suspend"),
    path("patients/<str:id>/suspend/<uuid:suspension>/end", suspensions.resume, name="resume"),
    path("patients/<str:id>/accounting.pdf", views.accounting, name="accounting"),
    path("patients/<str:id>/consents", consents.of, name="consents"),
    path("patients/<str:id>/consents/new", consents.new, name="consent-new"),
    path("patients/<str:id>/consents/<str:consent>/withdraw", consents.withdraw, name="consent-withdraw"),
    path("patients/<str:id>/consents/<str:consent>.pdf", consents.consent_pdf, name="consent-pdf"),
    path("consents", consents.find, name="consents-find"),
    path("sharing", consents.sharing, name="sharing"),
    path("sharing/new", consents.sharing_new, name="sharing-new"),
    path("sharing/<str:consent>/withdraw", consents.sharing_withdraw, name="sharing-withdraw"),
    path("sharing/<str:consent>.pdf", consents.sharing_pdf, name="sharing-pdf"),
    path("events", views.events, name="events"),
    path("breaches", breaches.breaches, name="breaches"),
    path("breaches/open", breaches.open_breach, name="breach-open"),
    path("breaches/<uuid:id>", breaches.breach, name="breach"),
    path("breaches/<uuid:id>/gather", breaches.gather, name="breach-gather"),
    path("breaches/<uuid:id>/letters", breaches.letters, name="breach-letters"),
    path("breaches/<uuid:id>/note", breaches.add_note, name="breach-note"),
    path("breaches/<uuid:id>/close", breaches.close, name="breach-close"),
    path("retention", retention.retention, name="retention"),
    path("retention/hold", retention.hold, name="hold"),
    path("retention/hold/<uuid:id>/release", retention.release, name="release"),
    path("people/<path:actor>", views.person, name="person"),
    path("emergency", breakglass.emergency, name="emergency"),
    path("emergency/<str:id>/end", breakglass.end, name="emergency-end"),
    path("openings", breakglass.openings, name="openings"),
    path("openings/<str:id>", breakglass.opening, name="opening"),
    path("proxies", proxies.find, name="proxies"),
    path("proxies/of/<str:id>", proxies.of, name="proxies-of"),
    path("proxies/<str:id>/end", proxies.end, name="proxy-end"),
    path("lookups", snooping.lookups, name="lookups"),
    path("lookups/<str:id>", snooping.lookup, name="lookup"),
    path("rules", labelling.rules, name="rules"),
    path("rules/progress", labelling.rules_progress, name="rules-progress"),
    path("rules/<str:id>/end", labelling.end_rule, name="rule-end"),
    path("labels/<str:type>/<str:id>", labelling.labels, name="labels"),
]
