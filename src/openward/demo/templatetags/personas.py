"""`{% personas as people %}`: whom one may sign in as, for the sign-in page of a demo."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from openward.demo import models
from openward.demo import personas as demo

register = template.Library()


@register.simple_tag(name="personas")
def people() -> Sequence[models.Persona]:
    return demo.personas()
