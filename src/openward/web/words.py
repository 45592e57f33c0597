"""Words in the reader's language, for what is drawn hundreds of times a page.

Django's `gettext` goes through its catalogues anew for every word; what it finds does not change while the program runs, so it is kept here for
each language. Marking words for translation is the same: `from openward.web.words import gettext as _`.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils import translation


def gettext(message: str) -> str:
    """The message in the language of this request; `message` is a constant of the code."""
    return _found(translation.get_language(), message)


@lru_cache(maxsize=5000)
def _found(language: str | None, message: str) -> str:
    return translation.gettext(message)
