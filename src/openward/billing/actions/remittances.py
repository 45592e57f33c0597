"""Posting what payers pay. A file is taken once, a payment is posted once; what does not balance is not posted at all."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from openward.access.actor import Actor
from openward.access.permissions import Permission
from openward.billing import answers, books, facts, ledger, transitions
from openward.billing.clearinghouse import MAX_BYTES, clearinghouse
from openward.billing.explanations import explanation, reconciliation
from openward.billing.models import ClaimRow, LedgerEntry, LedgerTransaction, RefusedFile, RemittanceFile, RemittanceItem, RemittanceRow
from openward.fhir.errors import Conflict, Forbidden, NotFound
from openward.fhir.ids import new_id
from openward.fhir.resources import Claim, ExplanationOfBenefit, PaymentReconciliation, Resource
from openward.formats.x12.errors import X12Error
from openward.formats.x12.read_835 import read_835s
from openward.formats.x12.remittance import REVERSAL, ClaimPayment, Remittance
from openward.record import UnitOfWork, unit_of_work

SOURCE = "remittance"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one payment of a file: `posted`, `already` (posted before) or `quarantined`."""

    state: str
    trace: str
    remittance: str | None = None
    posted: int = 0
    unmatched: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file. `refused` says why it could not be read; `already` is a file whose bytes were taken before."""

    name: str
    refused: str = ""
    already: bool = False
    outcomes: Sequence[Outcome] = ()


def take_file(*, data: bytes, name: str, by: Actor) -> Taken:
    """Take one file of remittances (835). The same bytes again do nothing; a file that is not whole is refused and remembered with the reason."""
    name = name.encode("utf-8", "replace").decode()  # a folder takes names that are no text
    try:
        advices = read_835s(data)
    except X12Error as error:
        return _refuse(data, name, str(error), by)
    with unit_of_work(by=_house(by)) as work:
        file = _take(work, data, name)
        if file is None:
            return Taken(name, already=True)
        return Taken(name, outcomes=[_Advice(work, file, advice).post() for advice in advices])


def _house(by: Actor) -> Actor:
    """Money is posted whole, also for claims the person who brings the file is not shown."""
    return by if by.kind == "system" else Actor.system("post remittances", tenant=by.tenant, on_behalf_of=by)


def collect_folder(*, by: Actor) -> list[Taken]:
    """Take every file that waits at the clearinghouse. One that breaks does not hold up the others, and is not lost: it stays and the fault is raised."""
    house, taken, broken = clearinghouse(), [], None
    for received in house.waiting():
        try:
            result = take_file(data=received.data, name=received.name, by=by) if received.data is not None else _too_large(received.name, by)
        except Exception as error:  # noqa: BLE001 - raised again below, once the other files are through
            broken = error
            continue
        if result.refused:
            house.refused(received.name, result.refused)
        else:
            house.posted(received.name)
        taken.append(result)
    if broken is not None:
        raise broken
    return taken


def _too_large(name: str, by: Actor) -> Taken:
    return _refuse(name.encode("utf-8", "replace"), name, _("The file is larger than {n} MB.").format(n=MAX_BYTES // 2**20), by)


def _refuse(data: bytes, name: str, reason: str, by: Actor) -> Taken:
    with unit_of_work(by=by) as work:
        digest = hashlib.sha256(data).digest()
        if not RefusedFile.objects.filter(tenant=work.tenant, sha256=digest, seen_by="").exists():
            RefusedFile.objects.create(tenant=work.tenant, id=UUID(new_id()), name=name[:200], sha256=digest, reason=reason)
    return Taken(name, refused=reason)


def _take(work: UnitOfWork, data: bytes, name: str) -> UUID | None:
    """The file's id, or None when its bytes were taken before. Two workers: the second waits here for the first."""
    id = UUID(new_id())
    row = work.connection.execute(
        "insert into billing_remittance_file (tenant, id, name, sha256, size, body, received_by) values (%s, %s, %s, %s, %s, %s, %s)"
        " on conflict on constraint remittance_file_once do nothing returning id",
        (work.tenant, id, name[:200], hashlib.sha256(data).digest(), len(data), data, work.actor.on_behalf_of or work.actor.id),
    ).fetchone()
    return id if row else None


class Unposted(Exception):
    """Why one claim of a remittance waits for a person."""


@dataclass
class _Advice:
    """Posts one remittance."""

    work: UnitOfWork
    file: UUID
    advice: Remittance
    id: UUID = field(default_factory=lambda: uuid.UUID(new_id()))
    claims: dict[str, Claim] = field(default_factory=dict)
    answered: list[tuple[Claim, ExplanationOfBenefit, ClaimPayment]] = field(default_factory=list)
    touched: dict[str, Claim] = field(default_factory=dict)
    postings: list[ledger.Posting] = field(default_factory=list)
    standing: Mapping[str, books.Standing] = field(default_factory=dict)
    whole: PaymentReconciliation = field(default_factory=PaymentReconciliation)

    def post(self) -> Outcome:
        advice = self.advice
        if advice.problems:
            return self._quarantine(" ".join(_sentence(problem) for problem in advice.problems[:5]))
        if not self._enter("posted", ""):
            return Outcome("already", advice.trace)
        self.claims = self._find_claims()
        items = [self._item(place, payment) for place, payment in _in_order(advice.claims)]
        self._outside_claims()
        ledger.post_all(self.work, self.postings)
        self._reconcile()
        self._store()
        RemittanceItem.objects.bulk_create(items)
        unmatched = sum(item.state == RemittanceItem.State.UNMATCHED for item in items)
        self.work.notify("billing", remittance=str(self.id))
        return Outcome("posted", advice.trace, str(self.id), len(items) - unmatched, unmatched)

    def _quarantine(self, reason: str) -> Outcome:
        posted = RemittanceRow.objects.filter(tenant=self.work.tenant, payer=self.advice.payer_id, trace=self.advice.trace, state="posted")
        if posted.exists():
            return Outcome("already", self.advice.trace)
        self._enter("quarantined", reason)
        self.work.notify("billing", remittance=str(self.id))
        return Outcome("quarantined", self.advice.trace, str(self.id), reason=reason)

    def _enter(self, state: str, reason: str) -> bool:
        """False when this payer's trace number was posted before, by whichever worker."""
        advice = self.advice
        values = (self.work.tenant, self.id, self.file, advice.payer_id, advice.trace, advice.payer_name, advice.amount, advice.date, state, reason)
        return bool(self.work.connection.execute(_ENTER, values).rowcount)

    def _find_claims(self) -> dict[str, Claim]:
        """Our claims by the numbers the payer sends back, read once nobody else answers them."""
        numbers = {payment.claim for payment in self.advice.claims}
        ids = list(ClaimRow.objects.filter(tenant=self.work.tenant, number__in=numbers).values_list("claim", flat=True))
        self.standing = books.standing(self.work, ids)
        found: list[Any] = self.work.store.read_many([("Claim", id) for id in ids])
        return {facts.number_of(claim): claim for claim in found}

    def _item(self, place: int, payment: ClaimPayment) -> RemittanceItem:
        claim = self.claims.get(payment.claim)
        try:
            if claim is None:
                raise Unposted(_("There is no claim with this number here."))
            self._answer(place, payment, claim)
        except Unposted as waiting:
            self._hold(place, payment)
            return self._row(place, payment, RemittanceItem.State.UNMATCHED, reason=str(waiting))
        return self._row(place, payment, RemittanceItem.State.POSTED, claim=claim)

    def _answer(self, place: int, payment: ClaimPayment, claim: Claim) -> None:
        stands = self.standing[str(claim.id)]
        if payment.status != REVERSAL:
            check_charge(claim, payment)
        decision, lines = _entries(self.work.tenant, claim, payment, stands)
        _move(claim, answers.state_after(payment))
        self._book(f"{place}|decision", books.DECISION, books.TAKEN_BACK, decision)
        self._book(f"{place}", "answer", _words(claim, payment), lines)
        for line in (*decision, *lines):
            stands[line.account] += line.debit - line.credit
        made = explanation(claim, payment, self.advice)
        made.id = new_id()
        self.answered.append((claim, made, payment))
        self.touched[str(claim.id)] = claim

    def _hold(self, place: int, payment: ClaimPayment) -> None:
        """The money is in the bank whatever claim it is for."""
        lines = [ledger.debit(ledger.BANK, payment.paid), ledger.credit(ledger.UNMATCHED, payment.paid)]
        self._book(f"{place}", "unmatched", "Payment for a claim not found yet", lines)

    def _outside_claims(self) -> None:
        taken = self.advice.provider_adjustments
        lines = [line for each in taken for line in (ledger.debit(ledger.PAYER_ADJUSTMENT, each.amount), ledger.credit(ledger.BANK, each.amount))]
        self._book("provider", "payer-adjustment", "Adjustments outside any claim", lines)

    def _book(self, part: str, kind: str, words: str, lines: Sequence[ledger.Line]) -> None:
        source = (SOURCE, f"{self.advice.payer_id}|{self.advice.trace}|{part}")
        self.postings.append(ledger.Posting(kind, source, self.advice.date, words, lines))

    def _reconcile(self) -> None:
        payer = next((claim.insurer for claim, _made, _payment in self.answered if claim.insurer), None)
        self.whole = reconciliation(self.advice, payer, self.answered)
        self.whole.id = new_id()
        self.work.store.connection.execute(
            "update billing_remittance set reconciliation = %s where tenant = %s and id = %s", (self.whole.id, self.work.tenant, self.id)
        )

    def _store(self) -> None:
        """All resources in one transaction, set-based: a remittance can carry thousands of claims."""
        made: list[Resource] = [*(answer for _claim, answer, _payment in self.answered), *self.touched.values(), self.whole]
        entries = [{"resource": one.data, "request": {"method": "PUT", "url": f"{one.resourceType}/{one.id}"}} for one in made]
        self.work.store.bundle({"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def _row(self, place: int, payment: ClaimPayment, state: str, *, reason: str = "", claim: Claim | None = None) -> RemittanceItem:
        return RemittanceItem(
            tenant=self.work.tenant,
            remittance=self.id,
            place=place,
            claim_number=payment.claim[:60],
            status=payment.status,
            charge=payment.charge,
            paid=payment.paid,
            payer_control=payment.payer_control,
            state=state,
            reason=reason,
            claim=str(claim.id) if claim else None,
            patient=facts.target(claim.patient) if claim else None,
        )


def _in_order(payments: Sequence[ClaimPayment]) -> list[tuple[int, ClaimPayment]]:
    """With their places in the file, those that take an answer back first: what answers anew may stand before them."""
    return sorted(enumerate(payments, 1), key=lambda each: each[1].status != REVERSAL)


def check_charge(claim: Claim, payment: ClaimPayment) -> None:
    """Raises Unposted when the payer answers another charge than the claim's."""
    if facts.state_of(claim) not in transitions.OPEN and payment.charge != facts.total_of(claim):
        raise Unposted(_("The payer answers a charge of {theirs}; the claim's is {ours}.").format(theirs=payment.charge, ours=facts.total_of(claim)))


def _entries(
    tenant: int, claim: Claim, payment: ClaimPayment, stands: books.Standing, received: str = ledger.BANK
) -> tuple[list[ledger.Line], list[ledger.Line]]:
    """What the answer does to the books: decisions it takes back, and itself. Raises Unposted when it cannot be about this claim as it stands."""
    id, payer = str(claim.id), facts.target(claim.insurer)
    if payment.status == REVERSAL:
        lines = taken_back(tenant, id, payment)
        gone = -sum((line.debit - line.credit for line in lines if line.account == ledger.DENIED), stands[ledger.DENIED])
        decision = books.decision_taken_back(tenant, id, gone, payer)
        gone -= sum((line.debit for line in decision), ledger.ZERO)
        return decision, lines + answers.open_already(gone, patient=facts.target(claim.patient), claim=id, payer=payer)
    patient, owed = facts.target(claim.patient), stands[ledger.INSURANCE]
    decision = _reopened(tenant, claim, payment, stands)
    return decision, answers.lines(payment, patient=patient, claim=id, payer=payer, open_with_payer=owed, received=received)


def _reopened(tenant: int, claim: Claim, payment: ClaimPayment, stands: books.Standing) -> list[ledger.Line]:
    """The decisions an answer overtakes: what had been refused and settled is answered anew.

    Raises Unposted when the claim is not with the payer, or less of it is open than is answered: it was answered, and maybe paid, before.
    """
    if facts.state_of(claim) in transitions.OPEN:
        raise Unposted(_("The claim was not sent yet, or is being corrected."))
    left, more = stands[ledger.INSURANCE] + stands[ledger.DENIED], answers.answered(payment)
    decision = books.decision_taken_back(tenant, str(claim.id), more - left, facts.target(claim.insurer))
    left += sum((line.debit for line in decision), ledger.ZERO)
    if more > left:
        words = _("The claim was answered before: {left} of it is open, and this answers {more}. Nothing is posted twice.")
        raise Unposted(words.format(left=max(left, ledger.ZERO), more=more))
    return decision


def _move(claim: Claim, after: str) -> None:
    before = str(facts.state_of(claim))
    try:
        transitions.check(before, after)
    except transitions.IllegalTransition as refusal:
        raise Unposted(str(refusal)) from refusal
    facts.set_state(claim, after)


def taken_back(tenant: int, claim: str, payment: ClaimPayment) -> list[ledger.Line]:
    """The entries that undo the answer this reversal takes back. Raises Unposted when no such answer was posted, or it was taken back before."""
    items = RemittanceItem.objects.filter(tenant=tenant, claim=claim, state__in=("posted", "matched")).order_by("remittance", "place")
    earlier = [item for item in items if item.status != REVERSAL and item.charge == -payment.charge and item.paid == -payment.paid]
    undone = [item for item in items if item.status == REVERSAL and item.charge == payment.charge and item.paid == payment.paid]
    if len(earlier) <= len(undone):
        raise Unposted(_("It takes back an answer that was never posted here."))
    return answers.mirrored(_entries_of(tenant, earlier[len(undone)]))


def _entries_of(tenant: int, item: RemittanceItem) -> list[ledger.Line]:
    advice = RemittanceRow.objects.get(tenant=tenant, id=item.remittance)
    suffix = "|matched" if item.state == RemittanceItem.State.MATCHED else ""
    posted = LedgerTransaction.objects.get(tenant=tenant, source_kind=SOURCE, source_id=f"{advice.payer}|{advice.trace}|{item.place}{suffix}")
    entries = LedgerEntry.objects.filter(tenant=tenant, transaction=posted.id).order_by("place")
    # What came for a claim found later stood among unmatched payments; taken back, it leaves the bank.
    return [ledger.Line(ledger.BANK if e.account == ledger.UNMATCHED else e.account, e.debit, e.credit, e.patient, e.claim, e.payer) for e in entries]


def _words(claim: Claim, payment: ClaimPayment) -> str:
    number = facts.number_of(claim)
    return f"Insurance takes back its answer to claim {number}" if payment.status == REVERSAL else f"Insurance answers claim {number}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


# -- worked by a person -------------------------------------------------------------------------------------------


def match_item(*, remittance: str, place: int, claim: str, by: Actor) -> None:
    """Post an unmatched answer to the claim a person names, as it would have been posted had the payer named it: also when that person is not shown
    what the claim says. Raises Conflict when it was worked before, or does not fit, Forbidden, and NotFound."""
    if by.kind != "system" and not by.may(Permission.POST_REMITTANCES):
        raise Forbidden("You may not post remittances.")
    with unit_of_work(by=_house(by)) as work:
        row, item, payment, advice = _unmatched(work, remittance, place)
        found = work.store.read(Claim, claim)
        try:
            _post_matched(work, row, item, payment, advice, found)
        except Unposted as reason:
            raise Conflict(str(reason)) from reason
        _worked(work, item, "matched", _("Matched to claim {number}").format(number=facts.number_of(found)), by, claim=found)


def _post_matched(work: UnitOfWork, row: RemittanceRow, item: RemittanceItem, payment: ClaimPayment, advice: Remittance, claim: Claim) -> None:
    stands = books.standing(work, [str(claim.id)])[str(claim.id)]
    decision, lines = _entries(work.tenant, claim, payment, stands, received=ledger.UNMATCHED)
    if payment.status == REVERSAL:
        lines = [line if line.account != ledger.BANK else _at(line, ledger.UNMATCHED) for line in lines]
    _move(claim, answers.state_after(payment))
    source = f"{row.payer}|{row.trace}|{item.place}|matched"
    taken = ledger.Posting(books.DECISION, (SOURCE, f"{source}|decision"), advice.date, books.TAKEN_BACK, decision)
    ledger.post_all(work, [taken, ledger.Posting("answer", (SOURCE, source), advice.date, _words(claim, payment), lines)])
    work.store.create(explanation(claim, payment, advice))
    work.store.update(claim)


def _at(line: ledger.Line, account: str) -> ledger.Line:
    return ledger.Line(account, line.debit, line.credit, line.patient, line.claim, line.payer)


def set_aside(*, remittance: str, place: int, why: str, by: Actor) -> None:
    """Say that an unmatched answer is none of ours to post; its money stays among unmatched payments. Raises Conflict when it was worked before."""
    with unit_of_work(by=by) as work:
        _row, item, _payment, _advice = _unmatched(work, remittance, place)
        _worked(work, item, "set-aside", why, by)


def _unmatched(work: UnitOfWork, remittance: str, place: int) -> tuple[RemittanceRow, RemittanceItem, ClaimPayment, Remittance]:
    where = {"tenant": work.tenant, "remittance": remittance, "place": place}
    item = RemittanceItem.objects.select_for_update().filter(**where).first()
    if item is None:
        raise NotFound(type="Remittance item", id=f"{remittance}/{place}")
    if item.state != RemittanceItem.State.UNMATCHED:
        raise Conflict(_("Somebody worked this one already: {why}").format(why=item.worked_why or item.state))
    row = RemittanceRow.objects.get(tenant=work.tenant, id=remittance)
    advice = read_again(row)
    return row, item, advice.claims[place - 1], advice


def read_again(row: RemittanceRow) -> Remittance:
    """The remittance as its file said it."""
    file = RemittanceFile.objects.get(tenant=row.tenant, id=row.file)
    return next(each for each in read_835s(bytes(file.body)) if (each.payer_id, each.trace) == (row.payer, row.trace))


def _worked(work: UnitOfWork, item: RemittanceItem, state: str, why: str, by: Actor, *, claim: Claim | None = None) -> None:
    RemittanceItem.objects.filter(tenant=work.tenant, remittance=item.remittance, place=item.place).update(
        state=state,
        worked_by=by.name,
        worked_at=timezone.now(),
        worked_why=why,
        claim=str(claim.id) if claim else None,
        patient=facts.target(claim.patient) if claim else None,
    )
    work.notify("billing", remittance=str(item.remittance))


def close_quarantined(*, remittance: str, why: str, by: Actor) -> None:
    """Say what was done about a remittance that does not balance; it is never posted. Raises NotFound."""
    with unit_of_work(by=by) as work:
        open_one = RemittanceRow.objects.filter(tenant=work.tenant, id=remittance, state=RemittanceRow.State.QUARANTINED)
        if not open_one.update(state=RemittanceRow.State.CLOSED, closed_by=work.actor.name, closed_why=why):
            raise NotFound(type="Remittance", id=remittance)


def see_refused(*, file: str, by: Actor) -> None:
    """Take a refused file off the worklist."""
    with unit_of_work(by=by) as work:
        RefusedFile.objects.filter(tenant=work.tenant, id=file).update(seen_by=work.actor.name)


_ENTER = """
insert into billing_remittance (tenant, id, file, payer, trace, payer_name, amount, paid_on, state, reason)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (tenant, payer, trace) where state = 'posted' do nothing
"""
