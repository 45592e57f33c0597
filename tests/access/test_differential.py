"""Thousands of questions per persona: the answer from the whole record is the answer from a record that holds only what the persona may see.

Beside the record stands, for each persona, a second one (another tenant) with exactly the resources a plain reading of the rules lets them see, and
nobody in its way. Both are asked the same through the REST surface: what they answer - which, how many, in which order, with which words - is equal,
so that nothing of what is hidden is in any answer. OPENWARD_QUESTIONS says how many questions each persona asks.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from openward.fhir.http import fhir_app
from openward.fhir.store import Store
from openward.record import open_store
from tests import cast
from tests.access.questions import questions
from tests.access.record import DELETED, TEEN, P, Persona, labels_in, patient_of, personas, record
from tests.access.telling import OnlyGrants, mirror, mirrored_store, stand, tell
from tests.fhir.http.client import Client

pytestmark = pytest.mark.django_db
EACH = int(os.environ.get("OPENWARD_QUESTIONS", "60"))
# What differs between two records of the same content: when it was written, and seals over where it stands.
STAMPS = re.compile(r'"(lastUpdated|versionId|timestamp|date|etag|lastModified)": ?"[^"]*"|(_cursor=|urn:uuid:)[A-Za-z0-9_.~%-]+|W/\\"\d+\\"')


EVERYONE = personas()


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The record and its mirrors, made once in a transaction that is rolled back at the end."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        stand()
        everything = tell()
        for number, persona in enumerate(EVERYONE):
            mirror(everything, persona, number)
        yield
        transaction.set_rollback(True)


def ask(persona: Persona, number: int) -> tuple[Client, Client]:
    @contextmanager
    def mirrored(_: Any) -> Iterator[Store]:
        yield mirrored_store(100 + number, OnlyGrants(persona))

    @contextmanager
    def whole(actor: Any) -> Iterator[Store]:
        yield open_store(actor)

    return Client(fhir_app(lambda _: persona.actor, whole)), Client(fhir_app(lambda _: persona.actor, mirrored))


def answer(client: Client, question: str, *, stamps: bool = True) -> tuple[int, Any, str]:
    """The status, what is in it and in which order, and the whole of it; unless told otherwise without stamps."""
    path, _, sent = question.partition("\n")
    got = client("POST" if sent else "GET", f"/{path}", sent.encode() or None)
    body = got.json
    entries = body.get("entry")
    if entries:  # what is included has no promised order
        entries.sort(key=lambda entry: entry["fullUrl"] if (entry.get("search") or {}).get("mode") == "include" or "$everything" in question else "")
    text = json.dumps(body, sort_keys=True)
    found = [entry.get("fullUrl", "").removeprefix("https://clinic.test/fhir/") for entry in body.get("entry", ())]
    return got.status, (body.get("total"), found), STAMPS.sub("", text) if stamps else text


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("number", range(len(EVERYONE)), ids=[persona.name for persona in EVERYONE])
def test_what_may_not_be_seen_is_in_no_answer(number: int) -> None:
    persona = EVERYONE[number]
    whole, mirror = ask(persona, number)
    for seed in range(EACH):
        for question in questions(seed * 1000 + number):
            got, expected = answer(whole, question), answer(mirror, question)
            assert got[:2] == expected[:2], f"{persona.name}: {question}"
            assert got[2] == expected[2], f"{persona.name}: {question}"


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("number", range(len(EVERYONE)), ids=[persona.name for persona in EVERYONE])
def test_page_after_page_is_what_may_be_seen(number: int) -> None:
    """Every page of lists that go on, by the links each answer gives."""
    whole, mirror = ask(EVERYONE[number], number)
    for question in LISTS:
        assert leafed(whole, question) == leafed(mirror, question), f"{EVERYONE[number].name}: {question}"


LISTS = ("Condition?_count=2&_sort=-recorded-date", "Observation?_count=3&_total=accurate", "_history?_count=9", "Encounter/_history?_count=2",
         f"Patient/{P[0]}/$everything?_count=4", "Patient?_count=2&_revinclude=Condition:subject", "?_type=Condition,Procedure&_count=5", "Claim?_count=3&_sort=-created&_total=accurate",
         "ExplanationOfBenefit?_count=2&_include=ExplanationOfBenefit:claim", "Claim/_history?_count=4")  # fmt: skip


def leafed(client: Client, question: str) -> list[tuple[int, Any]]:
    """(status, total and addresses) of each page."""
    pages: list[tuple[int, Any]] = []
    while question:
        assert len(pages) < 200, f"{question} has no end"
        status, found, text = answer(client, question, stamps=False)
        pages.append((status, found))
        question = following(text)
    return pages


def following(text: str) -> str:
    links = json.loads(text).get("link", ())
    return next((str(link["url"]).removeprefix("https://clinic.test/fhir/") for link in links if link["relation"] == "next"), "")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("number", range(len(EVERYONE)), ids=[persona.name for persona in EVERYONE])
def test_the_next_page_of_one_person_shows_another_only_what_is_theirs(number: int) -> None:
    """A link handed on, or found in a log: whoever opens it sees their own, is told their own count, or is refused."""
    persona = EVERYONE[number]
    whole, _ = ask(persona, number)
    for question in LISTS:
        mine = leafed(whole, question)
        everything = {address for _, (_, page) in mine for address in page}
        for other in {1, 11} - {number}:
            link = following(answer(ask(EVERYONE[other], other)[0], question, stamps=False)[2])
            status, (total, found), _ = answer(whole, link) if link else (404, (None, []), "")
            assert set(found) <= everything, f"{persona.name} by the link of {EVERYONE[other].name}: {question}"
            assert status != 200 or total == mine[0][1][0], f"{persona.name} by the link of {EVERYONE[other].name}: {question}"


@pytest.mark.usefixtures("told")
def test_what_was_labelled_when_it_was_stored_is_what_the_codes_ask_for() -> None:
    """The record says the labels of everything in plain words; what the guards put on it is no other."""
    store = open_store(cast.system())
    final = {(one["resourceType"], one["id"]): labels_in(one) for one in record() if one["id"] not in DELETED}
    stored = {(type, id): labels_in(store.read(type, id).data) for type, id in final}
    assert {at: (stored[at], labels) for at, labels in final.items() if stored[at] != labels} == {}


@pytest.mark.usefixtures("told")
def test_claims_are_hidden_from_some_who_see_others_of_the_same_patient() -> None:
    """Part 2 from the biller without consent and not with it; the answers to confidential visits from who pays for the young."""
    names = [persona.name for persona in EVERYONE]
    biller, payer = (ask(EVERYONE[names.index(name)], names.index(name))[0] for name in ("biller", "proxy for bills"))
    seen = {one.rpartition("/")[2] for one in answer(biller, "Claim?_count=200")[1][1]}
    claims = {one["id"]: (patient_of(one), labels_in(one)) for one in record() if one["resourceType"] == "Claim" and one["id"] not in DELETED}
    of_part_2 = {id: whose for id, (whose, labels) in claims.items() if labels == {"ETH"}}
    assert {id in seen for id, whose in of_part_2.items() if whose == P[0]} == {True}
    assert {id in seen for id, whose in of_part_2.items() if whose != P[0]} == {False}
    answers = {one["id"]: labels_in(one) for one in record() if one["resourceType"] == "ExplanationOfBenefit" and patient_of(one) == TEEN}
    mine = {one.rpartition("/")[2] for one in answer(payer, "ExplanationOfBenefit?_count=200")[1][1]}
    assert mine == {id for id, labels in answers.items() if not labels} - set(DELETED)
    assert mine < answers.keys()


@pytest.mark.usefixtures("told")
def test_most_questions_are_understood_and_many_find_something() -> None:
    """A test of answers that are all empty, or all errors, would say nothing."""
    whole, _ = ask(EVERYONE[11], 11)
    answers = [answer(whole, question) for seed in range(EACH) for question in questions(seed * 1000 + 11)]
    assert sum(status == 200 for status, *_ in answers) > 0.75 * len(answers)
    assert sum(bool(found[1]) for _, found, _ in answers) > 0.4 * len(answers)
