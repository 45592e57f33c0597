"""What the portal's forms carry."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from openward.portal.family import WHOSE
from openward.web.markup import markup

register = template.Library()


@register.simple_tag(takes_context=True)
def whose(context: dict[str, Any]) -> SafeString:
    """The record the form was opened in: sent from another one, nothing is done (`ActsForAnother`)."""
    return markup('<input type="hidden" name="{}" value="{}">', WHOSE, context["actor"].reference or "")
