"""How facts are written: days, times, ages, names, money, numbers. One rule each, used by every presenter and tag.

Dates and ages follow the NHS Common User Interface design guides: `03-Nov-2026`, 24-hour time, infants in days, weeks and months.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import ngettext

from openward.web.words import gettext as _

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PARTIAL = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")
Moment = dt.datetime | dt.date | str | None


def parse(value: Moment) -> dt.datetime | dt.date | None:
    """A Python date or time from one, or from FHIR's text (`2026`, `2026-11` give None: they are no day)."""
    if not isinstance(value, str):
        return value
    try:
        return dt.datetime.fromisoformat(value) if "T" in value else dt.date.fromisoformat(value)
    except ValueError:
        return None


def local(value: dt.datetime, zone: str | dt.tzinfo | None = None) -> dt.datetime:
    """The time on the wall of the given IANA zone, or of the zone this request is in."""
    if timezone.is_naive(value):
        return value
    return value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone or timezone.get_current_timezone())


def day(value: Moment, zone: str | None = None) -> str:
    """`03-Nov-2026`; FHIR's partial dates as `Nov-2026` and `2026`; empty for nothing."""
    if isinstance(value, str) and len(value) < 8 and PARTIAL.fullmatch(value):
        return value if len(value) == 4 else f"{_(MONTHS[int(value[5:7]) - 1])}-{value[:4]}"
    moment = parse(value)
    if moment is None:
        return ""
    if isinstance(moment, dt.datetime):
        moment = local(moment, zone)
    return f"{moment.day:02d}-{_(MONTHS[moment.month - 1])}-{moment.year:04d}"


def clock(value: Moment, zone: str | None = None) -> str:
    """`14:05`; empty for nothing and for a date without a time."""
    moment = parse(value)
    return local(moment, zone).strftime("%H:%M") if isinstance(moment, dt.datetime) else ""


def day_and_clock(value: Moment, zone: str | None = None) -> str:
    return " ".join(part for part in (day(value, zone), clock(value, zone)) if part)


def age(born: Moment, at: Moment = None) -> str:
    """`61y`, `3y 4m` under five, `7m` under two years, `5w` under a year's half, `3d` under four weeks; at death or today."""
    start, end = _date(born), _date(at) or timezone.localdate()
    if start is None or start > end:
        return ""
    days, months = (end - start).days, (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    if days < 28:
        return _("{n}d").format(n=days)
    if months < 6:
        return _("{n}w").format(n=days // 7)
    if months < 24:
        return _("{n}m").format(n=months)
    if months < 60 and months % 12:
        return _("{y}y {m}m").format(y=months // 12, m=months % 12)
    return _("{n}y").format(n=months // 12)


def _date(value: Moment) -> dt.date | None:
    if isinstance(value, str) and PARTIAL.fullmatch(value):
        value = value + "-01" * ((10 - len(value)) // 3)
    moment = parse(value)
    return moment.date() if isinstance(moment, dt.datetime) else moment


def ago(value: Moment, now: dt.datetime | None = None) -> str:
    """`now`, `4 min`, `2 h 10 min`, `3 days`: how long since."""
    moment = parse(value)
    if not isinstance(moment, dt.datetime):
        return day(value)
    minutes = max(0, int(((now or timezone.now()) - moment).total_seconds() // 60))
    if minutes < 1:
        return _("now")
    if minutes < 60:
        return _("{n} min").format(n=minutes)
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return _("{h} h {m} min").format(h=hours, m=rest) if rest else _("{h} h").format(h=hours)
    days = minutes // (24 * 60)
    return ngettext("{n} day", "{n} days", days).format(n=days)


def money(value: Any, currency: str = "USD") -> str:
    """`$1,234.50`, negative as `−$20.00`; another currency by its code. Takes Decimal, int, str or a FHIR Money."""
    if value is None or value == "":
        return ""
    amount, currency = (value.value, value.currency or currency) if hasattr(value, "currency") else (value, currency)
    amount = Decimal(str(amount)).quantize(Decimal("0.01"))
    sign = "−" if amount < 0 else ""
    digits = number_format(abs(amount), decimal_pos=2, use_l10n=False, force_grouping=True) if abs(amount) < 1000 else f"{abs(amount):,.2f}"
    return f"{sign}${digits}" if currency == "USD" else f"{sign}{digits} {currency}"


def number(value: Any) -> str:
    """`0.5`, `5,000`: a leading zero, no trailing ones after none were sent, thousands from four digits up with a comma."""
    if value is None or value == "":
        return ""
    amount = Decimal(str(value))
    text = f"{amount:,f}"
    return text.replace("-", "−")


def person_name(name: Any) -> str:
    """`FAMILY, Given (Title)`, from a typed HumanName or a plain one; the text alone when there are no parts; `Not known` for none."""
    if name is None:
        return _("Not known")
    family, given, prefix = _part(name, "family"), _part(name, "given") or [], _part(name, "prefix") or []
    if not family and not given:
        return _part(name, "text") or _("Not known")
    title = f" ({prefix[0]})" if prefix else ""
    return ", ".join(part for part in ((family or "").upper(), " ".join(given)) if part) + title


def spoken_name(name: Any) -> str:
    """`Dr. Kwame Osei`, `Jonah Whitlock, NP`: as one is called, for those who look for nobody in a list; the parts as `person_name` takes them."""
    prefix, given, suffix = ((_part(name, part) or []) if name is not None else [] for part in ("prefix", "given", "suffix"))
    called = " ".join([*prefix, *given, _part(name, "family") or ""]).strip() if name is not None else ""
    return ", ".join([called, *([] if prefix else suffix)]) if called else person_name(name)


def _part(name: Any, part: str) -> Any:
    return name.get(part) if isinstance(name, dict) else getattr(name, part, None)


def initials(name: str) -> str:
    """Two letters for an avatar: of `OKAFOR, Ada (Dr)` they are `AO`, of `Ada Okafor` the same."""
    plain = name.split("(")[0]
    if "," in plain:
        family, given = plain.split(",", 1)
        plain = f"{given} {family}"
    words = [word for word in plain.replace(".", " ").split() if word[:1].isalpha()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "·"
