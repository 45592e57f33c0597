"""Codes, references and numbers as words: one rule each for the whole chart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from openward.web.display import number, parse
from openward.web.words import gettext as _

UNITS = {
    "mcg": "micrograms", "ug": "micrograms", "µg": "micrograms", "MCG": "micrograms", "MG": "mg", "ML": "mL", "ml": "mL", "G": "g", "U": "units", "IU": "units",
    "UNT": "units", "UNIT": "units", "MEQ": "mEq", "HR": "hours", "ACTUAT": "actuations", "[pH]": "",
    "Cel": "°C", "[degF]": "°F", "mm[Hg]": "mmHg", "/min": "/min", "kg/m2": "kg/m²", "{score}": "", "{nominal}": "", "{INR}": "", "10*3/uL": "10³/µL", "10*6/uL": "10⁶/µL",
    "[lb_av]": "lb", "[in_i]": "in", "mL/min/{1.73_m2}": "mL/min/1.73 m²", "m[IU]/L": "mIU/L", "ug/dL": "µg/dL",
}  # fmt: skip


def unit(text: str | None) -> str:
    """A unit as the Common User Interface writes it: `units`, `micrograms`, never `U` or `mcg`."""
    return UNITS.get(text or "", text or "")


def amount(value: Any) -> str:
    """A dose: `0.5`, never `.5` or `0.50`; `5,000`."""
    plain = Decimal(str(value))
    return number(plain.quantize(Decimal(1)) if plain == plain.to_integral() else plain.normalize())


def concept(value: Any, otherwise: str = "") -> str:
    """A CodeableConcept in words: its text, else the first display, else the first code."""
    if value is None:
        return otherwise
    if text := value.data.get("text"):
        return str(text)
    codings = _codings(value)
    words = next((coding["display"] for coding in codings if coding.get("display")), None)
    return str(words or next((coding["code"] for coding in codings if coding.get("code")), otherwise))


def code_in(value: Any, system: str) -> str:
    """The concept's code in one system, or the empty string."""
    return next(iter(codes_in(value, system)), "")


def codes_in(value: Any, system: str) -> list[str]:
    return [str(coding["code"]) for coding in _codings(value) if coding.get("system") == system and coding.get("code")]


def has_code(values: Iterable[Any], code: str) -> bool:
    return any(coding.get("code") == code for value in values for coding in _codings(value))


def status_of(value: Any) -> str:
    """The first code of a status concept such as Condition.clinicalStatus."""
    return next((str(coding["code"]) for coding in _codings(value) if coding.get("code")), "")


def _codings(value: Any) -> Sequence[dict[str, Any]]:
    """As they stand in the resource's JSON: a chart looks at a thousand codings, and a view of each took longer than the look."""
    return () if value is None else value.data.get("coding", ())


def who(reference: Any, otherwise: str = "") -> str:
    """The name a reference carries."""
    return str(reference.display) if reference is not None and reference.display else otherwise


def not_known() -> str:
    return _("Not known")


def date_of(resource: Any) -> str:
    """When a thing was so, whichever element says it, as FHIR's text; the empty string when nothing does."""
    data = resource.data
    for name in (
        "effectiveDateTime",
        "effectiveInstant",
        "onsetDateTime",
        "occurrenceDateTime",
        "performedDateTime",
        "recordedDate",
        "authoredOn",
        "date",
        "sent",
        "issued",
        "recorded",
    ):
        if data.get(name):
            return str(data[name])
    for name in ("effectivePeriod", "period", "onsetPeriod", "performedPeriod"):
        if (data.get(name) or {}).get("start"):
            return str(data[name]["start"])
    return ""


def in_order(at: str) -> str:
    """A moment as FHIR writes it, so that texts stand in order of time: 20:00-05:00 is later than 23:00Z of the same day. A date is its midnight in UTC."""
    if "T" not in at or at.endswith("Z"):
        return at
    moment = parse(at)
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if isinstance(moment, dt.datetime) else at


@lru_cache(maxsize=2048)
def years_between(born: str | None, at: dt.date) -> Decimal | None:
    """Age in years with its fraction, for limits by age; None when the birth date is not known to the day's year at least."""
    if not born:
        return None
    parts = [int(part) for part in str(born).split("-")]
    birth = dt.date(parts[0], parts[1] if len(parts) > 1 else 7, parts[2] if len(parts) > 2 else 1)
    return Decimal((at - birth).days) / Decimal("365.25")
