"""A site's own search parameters in this installation: guard, job, what is taken up again, and the command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from openward.fhir.errors import Invalid
from openward.fhir.search import own, reindex
from openward.fhir.search.own import OWN
from openward.record import open_store, unit_of_work
from openward.record.connection import connection
from openward.record.searching import index_anew, resume
from tests import cast

PARAMETER: dict[str, Any] = {
    "resourceType": "SearchParameter", "url": "urn:site:contact", "name": "Contact", "status": "active", "description": "Ours.",
    "code": "contact-family", "base": ["Patient"], "type": "string", "expression": "Patient.contact.name.family",
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_once(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No waiting for other processes, for there are none; nothing is left in this one afterwards."""
    monkeypatch.setattr(own, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(reindex, "SETTLED", 0.0)
    yield
    connection().execute("delete from fhir.own_parameter")
    OWN.keep_fresh(connection(), now=True)


def told() -> None:
    with unit_of_work(by=cast.system()) as work:
        work.store.update({"resourceType": "Patient", "id": "ada", "contact": [{"name": {"family": "Byron"}}]})
    with unit_of_work(by=cast.system()) as work:
        work.store.create(dict(PARAMETER))


def queued() -> int:
    return int(ProcrastinateJob.objects.filter(task_name="record.reindex", status="todo").count())


def found() -> list[str | None]:
    return [patient.id for patient in open_store(cast.system()).search("Patient", {"contact-family": "byr"})]


@pytest.mark.parametrize("job", [index_anew, resume], ids=["the job that was queued", "the one that looks every minute"])
def test_what_was_there_is_indexed_by_a_job(job: Any) -> None:
    before = queued()
    told()
    assert queued() == before + 1
    job()
    assert found() == ["ada"]


def test_what_cannot_be_searched_by_is_refused_and_queues_nothing() -> None:
    before = queued()
    with pytest.raises(Invalid), unit_of_work(by=cast.system()) as work:
        work.store.create(PARAMETER | {"expression": "Patient.contact.("})
    assert queued() == before
    assert reindex.progress(connection()) == []
