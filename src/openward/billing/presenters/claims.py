"""A claim on its page and in lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from openward.billing import facts, ledger, transitions
from openward.billing.explanations import adjustments_of
from openward.billing.models import ClaimRow
from openward.billing.places import PLACES
from openward.billing.presenters.words import adjustment_words, answer_words, letter, service_words, state_badge, state_words, waiting_words
from openward.billing.queries.claims import ClaimPage
from openward.billing.queries.worklist import BUCKETS, ClaimsPage, StateSum, VisitsToBill
from openward.billing.scrub import Finding
from openward.fhir.resources import ExplanationOfBenefit
from openward.formats.x12.from_fhir import CLAIM_FREQUENCY, PAYER_ID, PLACE_OF_SERVICE
from openward.web.display import day, day_and_clock, money, person_name


@dataclass(frozen=True, slots=True)
class ClaimLineRow:
    """A claim in a list."""

    row: ClaimRow
    name: str
    payer: str
    refused: Decimal
    is_withheld: bool = False
    may_manage: bool = False

    @property
    def badge(self) -> tuple[str, str]:
        if not self.is_withheld:
            return state_badge(self.row.state)
        return (_("Needs consent"), "warning") if self.may_manage and self.row.state in transitions.OPEN else (_("Withheld"), "neutral")

    @property
    def url(self) -> str:
        """Empty where there is no page to open: a withheld claim has one for who sends claims."""
        if self.is_withheld and not self.may_manage:
            return ""
        return reverse("billing:claim", kwargs={"claim": self.row.claim})

    @property
    def note(self) -> str:
        return _("{amount} refused").format(amount=money(self.refused)) if self.refused and self.row.state != transitions.DENIED else ""


def claim_rows(page: ClaimsPage, *, may_manage: bool) -> list[ClaimLineRow]:
    return [
        ClaimLineRow(
            row, name_of(page.names.get(str(row.patient))), _title(page.payers.get(str(row.payer))), page.refused.get(row.claim, ledger.ZERO)
        )
        if row.claim not in page.withheld
        else ClaimLineRow(row, "", "", ledger.ZERO, is_withheld=True, may_manage=may_manage)
        for row in page.rows
    ]


def name_of(patient: Any) -> str:
    return person_name(patient.name[0] if patient and patient.name else None)


def _title(organization: Any) -> str:
    return (organization.name or "") if organization else _("No payer")


def state_tiles(sums: Sequence[StateSum]) -> list[dict[str, Any]]:
    """The states as tiles that open their list."""
    tones = {"draft": "warning", "denied": "danger", "paid": "ok"}
    return [
        {
            "label": state_badge(each.state)[0],
            "count": each.count,
            "detail": f"{money(each.money)} · {state_words(each.state)}",
            "tone": tones.get(each.state, "") if each.count else "",
            "url": f"{reverse('billing:claims')}?state={each.state}",
        }
        for each in sums
    ]


def age_bars(sums: Sequence[Decimal]) -> list[tuple[str, Decimal, str]]:
    """What payers owe by age, for a bar chart."""
    return [(_age(*bucket), total, money(total)) for bucket, total in zip(BUCKETS, sums, strict=True)]


def _age(low: int, high: int | None) -> str:
    return _("over {low}").format(low=low - 1) if high is None else f"{low}–{high}"


def waiting_rows(visits: VisitsToBill) -> list[dict[str, Any]]:
    return [
        {"visit": row.visit, "on": row.served_on, "name": name_of(visits.names.get(row.patient)), "why": waiting_words(row.reason, row.signed_at)}
        for row in visits.rows
    ]


@dataclass(frozen=True, slots=True)
class Mend:
    """One finding of the scrub list with the link where to mend it; `url` is empty where an administrator must."""

    finding: Finding
    words: str
    url: str
    in_panel: bool


def mends(page: ClaimPage) -> list[Mend]:
    return [_mend(page, finding) for finding in page.findings]


def _mend(page: ClaimPage, finding: Finding) -> Mend:
    kind, id = finding.mend
    claim = str(page.claim.id)
    if kind in ("patient", "coverage") and id:
        words = _("Open the patient's page") if kind == "patient" else _("Open the patient's insurance")
        return Mend(finding, words, reverse("registration:patient", kwargs={"patient": id}) + ("#coverage" if kind == "coverage" else ""), False)
    if kind == "claim" and finding.line is not None:
        line = page.claim.item[finding.line - 1].sequence
        return Mend(finding, _("Edit the line"), reverse("billing:claim-line", kwargs={"claim": claim, "line": line}), True)
    if kind == "claim" and finding.rule.startswith("diagnosis"):
        return Mend(finding, _("Edit the diagnoses"), reverse("billing:claim-diagnoses", kwargs={"claim": claim}), True)
    if kind == "claim" and finding.rule in ("coverage",):
        return Mend(finding, _("Choose the insurance"), reverse("billing:claim-coverage", kwargs={"claim": claim}), True)
    if kind == "consent":
        return Mend(
            finding, _("The front desk or the privacy officer records the patient's consent; the claim is then looked at again by itself."), "", False
        )
    if kind in ("organization", "clinician"):
        return Mend(finding, _("An administrator keeps this: ask them to complete it."), "", False)
    return Mend(finding, _("On this page"), "#lines", False)


@dataclass(frozen=True, slots=True)
class LineView:
    sequence: int
    code: str
    words: str
    modifiers: str
    units: Decimal
    price: Decimal
    charge: Decimal
    pointers: str
    on: str
    place: str
    faults: Sequence[str]


def lines(page: ClaimPage) -> list[LineView]:
    faults: dict[int, list[str]] = {}
    for finding in page.findings:
        if finding.line is not None:
            faults.setdefault(finding.line, []).append(finding.what)
    return [_line(item, faults.get(number, [])) for number, item in enumerate(page.claim.item, 1)]


def _line(item: Any, faults: Sequence[str]) -> LineView:
    place = facts.coding_of(item.locationCodeableConcept, PLACE_OF_SERVICE)
    return LineView(
        sequence=item.sequence,
        code=facts.code_of(item.productOrService),
        words=service_words(item.productOrService),
        modifiers=" ".join(facts.code_of(each) for each in item.modifier),
        units=item.quantity.value if item.quantity else Decimal(1),
        price=facts.value(item.unitPrice),
        charge=facts.value(item.net),
        pointers=" ".join(letter(each) for each in item.diagnosisSequence),
        on=day(item.servicedDate),
        place=f"{place} {PLACES.get(place, '')}".strip(),
        faults=faults,
    )


def diagnoses(page: ClaimPage) -> list[tuple[str, str, str]]:
    """Letter, code and words of each diagnosis, in order."""
    ordered = sorted(page.claim.diagnosis, key=lambda entry: entry.sequence or 0)
    return [
        (letter(entry.sequence), facts.code_of(entry.diagnosisCodeableConcept), diagnosis_words(entry.diagnosisCodeableConcept)) for entry in ordered
    ]


def diagnosis_words(concept: Any) -> str:
    from openward.chart.diagnoses import named

    code = facts.code_of(concept)
    text = service_words(concept)
    known = named(code) if text == code else None
    return known.name if known else text


def money_steps(page: ClaimPage) -> Iterator[tuple[str, Decimal, str]]:
    """Where the claim's money is: words, amount, and a tone."""
    sums = page.sums
    yield _("Charged"), facts.total_of(page.claim), ""
    steps = (
        (_("Lowered by contract"), sums.get(ledger.AGREED), ""),
        (_("Paid by insurance"), _paid(sums), ""),
        (_("Patient's share"), sums.get(ledger.PATIENT), ""),
        (_("Refused, to be worked"), sums.get(ledger.DENIED), "danger"),
        (_("Given up"), sums.get(ledger.WRITE_OFF), ""),
        (_("Not answered yet"), sums.get(ledger.INSURANCE), "info"),
    )
    yield from ((words, amount, tone) for words, amount, tone in steps if amount)


def _paid(sums: Mapping[str, Decimal]) -> Decimal:
    return sums.get(ledger.BANK, ledger.ZERO) + sums.get(ledger.UNMATCHED, ledger.ZERO)


@dataclass(frozen=True, slots=True)
class Happening:
    at: Any
    words: str
    icon: str
    tone: str = ""
    url: str = ""
    detail: str = ""


def history(page: ClaimPage) -> list[Happening]:
    """What happened to the claim, newest first."""
    found = [Happening(moved.at, state_badge(moved.state)[0], "circle-dot", "", "", state_words(moved.state)) for moved in page.moves]
    found += [
        Happening(sent.made_at, _("Put into file {name}").format(name=sent.file_name), "file-up", detail=_submission_words(sent.state))
        for sent in page.submissions
    ]
    for item, row in page.items:
        tone = {"4": "danger", "22": "warning"}.get(item.status, "ok")
        words = _("{answer} by {payer}: {paid} paid").format(answer=answer_words(item.status), payer=row.payer_name, paid=money(item.paid))
        url = reverse("billing:remittance", kwargs={"remittance": row.id})
        found.append(Happening(row.posted_at, words, "landmark", tone, url, _("Payment {trace}").format(trace=row.trace)))
    return sorted(found, key=lambda each: each.at, reverse=True)


def _submission_words(state: str) -> str:
    return _("Handed to the clearinghouse") if state == "sent" else _("Waiting to be handed to the clearinghouse")


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What the payer decided, by adjustment."""

    title: str
    paid: Decimal
    adjustments: Sequence[tuple[str, Decimal]]


def answers(page: ClaimPage) -> list[AnswerView]:
    return [_answer(made) for made in page.answers]


def _answer(made: ExplanationOfBenefit) -> AnswerView:
    adjustments: dict[str, Decimal] = {}
    for each in adjustments_of(made):
        words = adjustment_words(each.group, each.reason)
        adjustments[words] = adjustments.get(words, ledger.ZERO) + each.amount
    title = f"{_answer_word(made.disposition or '')} · {day_and_clock(made.created)}"
    return AnswerView(title, facts.value(made.payment.amount) if made.payment else ledger.ZERO, list(adjustments.items()))


def _answer_word(disposition: str) -> str:
    return {"Denied": _("Denied"), "Earlier answer taken back": _("Taken back")}.get(disposition, _("Processed"))


def facts_of(page: ClaimPage) -> list[tuple[str, str]]:
    """Who and what, for the list of facts."""
    file = page.file
    coverage = file.coverage
    frequency = {"7": _("Replacement"), "8": _("Void")}.get(page.claim.extension_value(CLAIM_FREQUENCY) or "1", _("Original"))
    return [
        (_("Payer"), f"{file.payer.name} ({facts.identifier(file.payer, PAYER_ID) or '?'})" if file.payer else ""),
        (_("Member number"), (coverage.subscriberId or "") if coverage else ""),
        (_("Clinician"), person_name(file.clinician.name[0]) if file.clinician and file.clinician.name else ""),
        (_("Billed by"), (file.billing.name or "") if file.billing else ""),
        (_("Visit"), day(facts.served_on(page.claim))),
        (_("Kind"), frequency),
    ]
