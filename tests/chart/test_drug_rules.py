"""The clinical rules of prescribing: the tables in `rules/` are the test and the documentation."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest

from openward.chart.drugs.check import Outcome, Situation, check
from openward.chart.drugs.knowledge import CONTENT, Knowledge, KnowledgeUnavailable, read_knowledge
from openward.chart.drugs.recognition import recognise, recognise_allergy

RULES = Path(__file__).parent / "rules"
EXPECTED = re.compile(r'(?:(?P<kind>allergy|duplicate|interaction) (?P<severity>severe|moderate)|(?P<unavailable>unavailable)) "(?P<words>[^"]*)"$')


def rows(name: str) -> list[tuple[str, str, str, str]]:
    """(rule, first column, second column, what is expected) of every line of the tables in a file; two blanks part columns."""
    rule, found = "", []
    for line in (RULES / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("rule"):
            rule = line[4:].strip()
        elif line.strip() and not line.startswith("source") and not line.endswith("expect"):
            first, second, expected = re.split(r"\s{2,}", line.strip())
            found.append((rule, first, second, expected))
    return found


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return read_knowledge()


def meets(outcome: Outcome, expected: str) -> bool:
    """`-`: found nothing and left nothing out; else the finding, by kind, tier and words."""
    if expected == "-":
        return outcome.is_clear
    told = EXPECTED.match(expected)
    assert told is not None, expected
    if told["unavailable"]:
        return any(told["words"] in one.why for one in outcome.not_checked)
    return any(one.kind == told["kind"] and one.severity == told["severity"] and told["words"] in one.effect for one in outcome.warnings)


@pytest.mark.parametrize(("rule", "active", "new", "expected"), rows("prescribing.rule"))
def test_prescribing(knowledge: Knowledge, rule: str, active: str, new: str, expected: str) -> None:
    outcome = check(knowledge, recognise(knowledge, new), Situation(active=[recognise(knowledge, active)]))
    assert meets(outcome, expected), (rule, outcome)


@pytest.mark.parametrize(("rule", "allergy", "new", "expected"), rows("allergies.rule"))
def test_allergies(knowledge: Knowledge, rule: str, allergy: str, new: str, expected: str) -> None:
    kind, _colon, substance = allergy.rpartition(": ")
    recorded = recognise_allergy(knowledge, substance, categories=["food"] if kind == "food" else [], intolerance=kind == "intolerance")
    asked = allergy != "nobody asked"
    outcome = check(knowledge, recognise(knowledge, new), Situation(allergies=[recorded] if asked else [], allergies_asked=asked))
    assert meets(outcome, expected), (rule, outcome)


class TestWhenTheCheckCannotRun:
    def test_an_unknown_drug_is_not_called_clear(self, knowledge):
        outcome = check(knowledge, recognise(knowledge, "moonwort tincture"), Situation())
        assert (outcome.ran, outcome.is_clear, outcome.not_checked[0].what) == (False, False, "moonwort tincture")

    def test_a_missing_file_says_which(self, tmp_path):
        copy = tmp_path / "content"
        shutil.copytree(CONTENT, copy)
        (copy / "interactions.toml").unlink()
        with pytest.raises(KnowledgeUnavailable, match=r"interactions.toml is missing"):
            read_knowledge(copy)

    @pytest.mark.parametrize(
        "damage",
        ["[[pair]\n", 'a = "x"', '[[pair]]\na = "no such class"\nb = "NSAID"\nseverity = "severe"\neffect = "x"\nadvice = "x"\nsource = "onc"\n'],
    )
    def test_a_damaged_file_is_not_half_used(self, tmp_path, damage):
        copy = tmp_path / "content"
        shutil.copytree(CONTENT, copy)
        path = copy / "interactions.toml"
        path.write_text(path.read_text() + damage)
        with pytest.raises(KnowledgeUnavailable, match="damaged"):
            read_knowledge(copy)

    def test_a_file_past_its_date_is_not_used(self, knowledge):
        with pytest.raises(KnowledgeUnavailable, match="may not be used after"):
            knowledge.usable_on(knowledge.expires + dt.timedelta(days=1))

    def test_on_its_last_day_it_still_is(self, knowledge):
        assert knowledge.usable_on(knowledge.expires) is knowledge


class TestTheFile:
    def test_holds_every_pair_of_the_consensus_list(self, knowledge):
        assert sum("Phansalkar" in pair.source for pair in knowledge.pairs) >= 15

    def test_gives_a_source_for_every_pair(self, knowledge):
        assert all(pair.source and pair.effect and pair.advice for pair in knowledge.pairs)

    def test_gives_no_code_to_two_drugs(self, knowledge):
        codes = [drug.rxcui for drug in knowledge.drugs.values() if drug.rxcui]
        assert len(codes) == len(set(codes))

    def test_starts_every_prescription_with_a_known_frequency(self, knowledge):
        usual = [drug.usual.rsplit(" ", 1)[1] for drug in knowledge.prescribable]
        assert set(usual) <= set(knowledge.frequencies)
