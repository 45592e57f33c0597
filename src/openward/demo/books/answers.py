"""Remittances (835): a year of them posted as files of each payer, one waiting where the clearinghouse leaves it, one to try by hand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from openward.access.actor import Actor
from openward.billing import facts
from openward.billing.actions.remittances import take_file
from openward.billing.clearinghouse import clearinghouse
from openward.billing.models import ClaimRow, RemittanceRow
from openward.demo.content.places import ORGANISATION
from openward.demo.content.services import PAYERS, Payer
from openward.demo.generation.answers import SentClaim, SentLine, remittance
from openward.demo.generation.chance import Chance
from openward.demo.generation.clinic import Clinic
from openward.demo.generation.house import npi
from openward.fhir.resources import Claim, ClaimItem, Coverage, Patient
from openward.fhir.store import Store
from openward.formats.x12.claims import Envelope, Party
from openward.formats.x12.write_835 import write_835
from openward.record import open_store

ANSWERED_AFTER = 22
WAITING_AFTER = 15
NEVER_ANSWERED = 0.015
PRACTICE = (ORGANISATION, npi(1))
CLEARINGHOUSE = Party("FOLDER CLEARINGHOUSE", "OWCLEAR")


def answer_claims(actor: Actor, clinic: Clinic) -> None:
    """Post what the payers answered to claims older than three weeks, a file per payer and month; the newest answers wait in the folder."""
    for number, (payer, on, claims) in enumerate(_batches(actor, clinic), start=1):
        trace = f"OWT{payer.payer_id[-2:]}{on:%y%m%d}"
        body = _file(clinic, payer, on, claims, trace, number)
        if (clinic.moment.today - on).days > 0:
            if not RemittanceRow.objects.filter(tenant=actor.tenant, trace=trace).exists():
                take_file(data=body, name=f"{trace}.835", by=actor)
        else:
            _leave_in_folder(f"{trace}.835", body, to_try=payer is PAYERS[0])


def _batches(actor: Actor, clinic: Clinic) -> Iterator[tuple[Payer, dt.date, list[SentClaim]]]:
    """(payer, day it pays, claims): the months gone by at their end, and what is newer today."""
    today, store = clinic.moment.today, open_store(actor)
    by_payer = {clinic.house.get("payer", payer.key)["id"]: payer for payer in PAYERS}
    groups: dict[tuple[int, dt.date], list[ClaimRow]] = defaultdict(list)
    rows = ClaimRow.objects.filter(tenant=actor.tenant, state__in=("submitted", "accepted"), served_on__lte=today - dt.timedelta(days=WAITING_AFTER))
    for row in rows.order_by("served_on", "number"):
        if row.payer in by_payer and not Chance(clinic.seed, "silence", row.claim).happens(NEVER_ANSWERED):
            groups[PAYERS.index(by_payer[row.payer]), _pays_on(row, today)].append(row)
    for (place, on), found in sorted(groups.items(), key=lambda each: (each[0][1], each[0][0])):
        yield PAYERS[place], on, _sent(store, found, PAYERS[place])


def _pays_on(row: ClaimRow, today: dt.date) -> dt.date:
    """Three weeks after the visit, in the payer's run of that fortnight; today for the newest."""
    assert row.served_on
    if (today - row.served_on).days < ANSWERED_AFTER:
        return today
    due = row.served_on + dt.timedelta(days=ANSWERED_AFTER)
    run = due.replace(day=15) if due.day <= 15 else (due.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return min(run, today - dt.timedelta(days=1))


def _sent(store: Store, rows: list[ClaimRow], payer: Payer) -> list[SentClaim]:
    """The claims as they went out; three statements for a whole file."""
    claims: dict[str, Claim] = _read(store, "Claim", [row.claim for row in rows])
    patients: dict[str, Patient] = _read(store, "Patient", [str(row.patient) for row in rows])
    insured = {id: str(facts.target(claim.insurance[0].coverage)) for id, claim in claims.items()}
    coverages: dict[str, Coverage] = _read(store, "Coverage", list(insured.values()))
    return [_sent_one(row, payer, claims[row.claim], patients[str(row.patient)], coverages[insured[row.claim]]) for row in rows]


def _read(store: Store, type: str, ids: list[str]) -> dict[str, Any]:
    return {str(found.id): found for found in store.read_many([(type, id) for id in dict.fromkeys(ids)])}


def _sent_one(row: ClaimRow, payer: Payer, claim: Claim, patient: Patient, coverage: Coverage) -> SentClaim:
    name = patient.name[0]
    member = (name.family or "", name.given[0] if name.given else "", coverage.subscriberId or "")
    assert row.served_on
    return SentClaim(row.claim, row.number, str(row.patient), payer, row.served_on, tuple(_line(item) for item in claim.item), member)


def _line(item: ClaimItem) -> SentLine:
    units = item.quantity.value if item.quantity else None
    return SentLine(item.sequence or 1, facts.code_of(item.productOrService), facts.value(item.net), units or Decimal(1))


def _file(clinic: Clinic, payer: Payer, on: dt.date, claims: list[SentClaim], trace: str, number: int) -> bytes:
    advice = remittance(payer, on, claims, PRACTICE, clinic.seed, trace)
    sender, receiver = Party(payer.name, payer.payer_id), CLEARINGHOUSE
    at = dt.datetime.combine(on, dt.time(4, 30))
    return write_835(advice, Envelope(sender, receiver, number, at, "PROVIDER SERVICES", "2125550190", usage="T"))


def _leave_in_folder(name: str, body: bytes, *, to_try: bool) -> None:
    """The payers' newest files arrive by themselves; one lies aside, to be dropped into the folder by hand."""
    house = clearinghouse()
    folder = house.arrivals.parent / "to-try" if to_try else house.arrivals
    folder.mkdir(parents=True, exist_ok=True)
    if not (house.done / name).exists():
        part = folder / f".{name}.part"
        part.write_bytes(body)
        part.replace(folder / name)
