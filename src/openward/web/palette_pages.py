"""Pages of the navigation, as palette items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from openward.web.navigation import menu
from openward.web.palette import Item, register_palette_provider

if TYPE_CHECKING:
    from openward.web.pages import PageRequest


def pages(request: PageRequest, text: str) -> list[Item]:
    words = text.casefold().split()
    links = [link for _group, links in menu(request) for link in links]
    return [Item(link.label, link.url, _("Pages"), icon=link.icon) for link in links if all(word in str(link.label).casefold() for word in words)]


register_palette_provider(pages)
