"""A consent in plain words: whom it is about, what they may or may not see, from when to when, and what follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.directives import of as directives_of
from openward.access.labels import LABELS
from openward.privacy.consents.actions import RECORDED_BY, WITHDRAWN_AT, WITHDRAWN_BY, WORDS
from openward.privacy.consents.choices import INFORMATION, PURPOSES, capital
from openward.web.display import day


@dataclass(frozen=True, slots=True)
class Told:
    """One Consent in words."""

    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.data.get("id", ""))

    @property
    def provision(self) -> Mapping[str, Any]:
        return self.data.get("provision") or {}

    @property
    def _exception(self) -> Mapping[str, Any] | None:
        """Of a refusal with one exception, as the page writes it, the exception."""
        below: list[Mapping[str, Any]] = self.provision.get("provision") or []
        return below[0] if self.provision.get("type") == "deny" and len(below) == 1 and below[0].get("type") == "permit" else None

    @property
    def who(self) -> str:
        return _who(self._exception or self.provision)

    @property
    def what(self) -> str:
        return _what(self.provision)

    @property
    def is_simple(self) -> bool:
        """Whether the sentence says all of it: what other programs wrote may go deeper."""
        below = self.provision.get("provision") or ()
        return not below or (self._exception is not None and not self._exception.get("provision"))

    @property
    def sentence(self) -> str:
        if self._exception is not None:
            return _("Only {who} may see {what}; nobody else here.").format(who=self.who, what=self.what)
        if self._permits:
            return _("{who} may see {what}.").format(who=capital(self.who), what=self.what)
        return _("{who} may not see {what}.").format(who=capital(self.who), what=self.what)

    @property
    def _permits(self) -> bool:
        rows = directives_of({**self.data, "status": "active"})
        return bool(rows) and bool(rows[0]["permits"])

    @property
    def effects(self) -> list[str]:
        """What follows, each in a sentence."""
        return list(self._effects())

    def _effects(self) -> Iterator[str]:
        if self._permits and self._exception is None:
            yield _("After this, {who} can open {what}, as far as their work lets them into records at all.").format(who=self.who, what=self.what)
            if "HPAYMT" in {one.get("code") for one in self.provision.get("purpose", ())}:
                yield _("Visits with this may be sent to the patient's insurance for payment.")
                yield _("Who receives it may give it on as far as the law lets them: no longer always as this protection asks.")
        elif self._exception is not None:
            yield _("After this, nobody at the practice but {who} can open {what}.").format(who=self.who, what=self.what)
        else:
            yield _("After this, {who} cannot open {what}: not on a page, in a search, in an export or by a program.").format(
                who=self.who, what=self.what
            )
        if not self._permits:
            yield _("The patient always sees their own record.")
            yield _("In an emergency a nurse or clinician may open the record for an hour. That is recorded and reviewed.")
            if _stops_payment(self.provision):
                yield _("Visits with this are not sent to insurance, and the patient may have to pay for them.")
        yield _("It holds at once. What was seen or given out before cannot be taken back.")
        yield _("It can be withdrawn at any time.")

    @property
    def since(self) -> dt.datetime | None:
        return _moment((self.provision.get("period") or {}).get("start")) or _moment(self.data.get("dateTime"))

    @property
    def until(self) -> dt.datetime | None:
        """The last moment it holds."""
        ends = _moment((self.provision.get("period") or {}).get("end"))
        return ends - dt.timedelta(seconds=1) if ends else None

    @property
    def state(self) -> tuple[str, str]:
        """As a word and a tone."""
        now = timezone.now()
        if self.data.get("status") != "active":
            return (_("Withdrawn"), "neutral") if self.withdrawn_by else (_("Does not count"), "neutral")
        if self.until and self.until < now:
            return _("Over"), "neutral"
        return (_("Begins later"), "info") if self.since and self.since > now else (_("Holds"), "ok")

    @property
    def may_withdraw(self) -> bool:
        return self.data.get("status") == "active"

    @property
    def recorded_by(self) -> str:
        return _extension(self.data, RECORDED_BY)

    @property
    def withdrawn_by(self) -> str:
        return _extension(self.data, WITHDRAWN_BY)

    @property
    def withdrawn_at(self) -> dt.datetime | None:
        return _moment(_extension(self.data, WITHDRAWN_AT))

    @property
    def words(self) -> str:
        return _extension(self.data, WORDS)

    @property
    def is_signed(self) -> bool:
        return any(one.get("verified") for one in self.data.get("verification", ()))


def told(found: Sequence[Any]) -> list[Told]:
    """What holds first, then the newest."""
    rows = [Told(one.data) for one in found]
    return sorted(rows, key=lambda row: (row.may_withdraw, str(row.data.get("dateTime", ""))), reverse=True)


def _who(provision: Mapping[str, Any]) -> str:
    names = [_name(one.get("reference") or {}) for one in provision.get("actor", ())]
    codes = tuple(one.get("code", "") for one in provision.get("purpose", ()))
    for known, words in PURPOSES.values():
        if set(codes) == set(known):
            names.append(str(words))
            break
    else:
        names += [_("whoever works for {purpose}").format(purpose=code) for code in codes]
    return _joined(names) or _("everyone at the practice")


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference.get("display") or reference.get("reference") or (reference.get("identifier") or {}).get("value") or _("someone"))


def _what(provision: Mapping[str, Any]) -> str:
    codes = [one.get("code", "") for one in provision.get("securityLabel", ())]
    labels = [LABELS[code].title.lower() if code != "HIV" else "HIV" for code in codes if code in LABELS]
    types = {one.get("code", "") for one in provision.get("class", ())}
    parts = [str(words) for words, names in INFORMATION.values() if types and types & set(names)]
    about = _("information on {labels}").format(labels=_joined(labels)) if labels else ""
    if parts and about:
        return _("{about} among {parts}").format(about=about, parts=_joined(parts))
    return about or _joined(parts) or _("this record")


def _stops_payment(provision: Mapping[str, Any]) -> bool:
    """Whether it keeps claims from whoever works for payment."""
    codes = {one.get("code") for one in provision.get("purpose", ())}
    types = {one.get("code") for one in provision.get("class", ())}
    return (not types or "Claim" in types) and not provision.get("actor") and (not codes or "HPAYMT" in codes)


def _joined(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + _(" and ") + words[-1] if len(words) > 1 else "".join(words)


def _extension(data: Mapping[str, Any], url: str) -> str:
    for one in data.get("extension", ()):
        if one.get("url") == url:
            return str(next((value for name, value in one.items() if name.startswith("value")), ""))
    return ""


def _moment(text: Any) -> dt.datetime | None:
    """What a FHIR dateTime says, to the day where it says no more; None for what is none."""
    try:
        found = dt.datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return timezone.make_aware(found) if found is not None and timezone.is_naive(found) else found


def paper(row: Told, *, name: str, born: str | None, number: str, practice: str) -> dict[str, Any]:
    """What the PDF says: the elements 42 CFR 2.31 asks of a written consent."""
    until = day(timezone.localdate(row.until)) if row.until else _("Until the patient withdraws it")
    facts = [
        (_("Patient"), name),
        (_("Born"), day(born) if born else _("Not known")),
        (_("Record number"), number or "–"),
        (_("Who keeps the record"), practice),
        (_("Whom it is about"), capital(row.who)),
        (_("What it is about"), capital(row.what)),
        (_("From"), day(timezone.localdate(row.since)) if row.since else ""),
        (_("Until"), until),
        (_("State"), row.state[0]),
    ]
    return {
        "title": _("What the patient decides about sharing"),
        "sentence": row.sentence,
        "facts": [list(fact) for fact in facts],
        "words": _("In the patient's own words: {words}").format(words=row.words) if row.words else "",
        "effects": row.effects if row.data.get("status") == "active" else [],
        "right": _("The patient may withdraw this at any time, in writing or in the portal, except as far as the practice has already relied on it."),
        "signed": _("Signed by the patient") if row.is_signed else _("Signature of the patient"),
        "signed_on": day(timezone.localdate(row.since)) if row.is_signed and row.since else "",
        "date_word": _("Date"),
        "footer": _("Recorded by {who}").format(who=row.recorded_by) if row.recorded_by else "",
    }
