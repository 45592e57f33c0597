from __future__ import annotations

from django.urls import path

from openward.web import views

app_name = "web"
urlpatterns = [
    path("", views.home, name="home"),
    path("palette", views.palette, name="palette"),
    path("shortcuts", views.shortcuts, name="shortcuts"),
    path("theme", views.theme, name="theme"),
    path("design", views.design, name="design"),
    path("design/panel", views.design_panel, name="design-panel"),
    path("design/options", views.design_options, name="design-options"),
    path("design/draft", views.design_draft, name="design-draft"),
    path("design/portal", views.design_portal, name="design-portal"),
    path("design/print", views.design_print, name="design-print"),
]
