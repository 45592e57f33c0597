"""The rows of the finder's list, written in Python: they are drawn anew with every letter that is typed."""

from __future__ import annotations

from django.utils.safestring import SafeString

from openward.registration.presenters import FoundRow
from openward.web.components.basics import badge
from openward.web.components.tables import row_link
from openward.web.markup import markup
from openward.web.words import gettext as _

# In the order of the head in `parts/found.html`.
FOUND = '<tr><td>{}{}</td><td class="num">{}</td><td>{}</td><td class="num">{}</td><td class="num">{}</td><td class="num">{}</td></tr>'
NONE = "–"


def found_row(row: FoundRow) -> SafeString:
    """One patient: name (the link), birth date, sex, number, telephone, next appointment."""
    died = markup(" {}", badge(_("Deceased"))) if row.is_deceased else ""
    name = row_link(row.name, row.url, data_found=True)
    return markup(FOUND, name, died, row.born, row.sex, row.number, row.phone or NONE, row.upcoming or NONE)
