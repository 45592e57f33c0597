"""Scopes are a closed set, and narrow the policy wherever the record is looked at or written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openward.access.scopes import CONTEXTS, InvalidScope, Scopes
from openward.fhir.resources import Condition, Encounter
from openward.record import open_store
from tests import cast
from tests.smart.conftest import CATEGORY, Api, Walk, observation

LEVELS = ("patient", "user", "system")
LABORATORY = f"patient/Observation.rs?category={CATEGORY}|laboratory"


def parsed(text: str) -> Scopes:
    return Scopes.parse(text, LEVELS, CONTEXTS)


class TestWhatIsAScope:
    @pytest.mark.parametrize(
        ("text", "letters"),
        [
            ("patient/Observation.read", "rs"),
            ("patient/Observation.write", "cud"),
            ("patient/Observation.*", "cruds"),
            ("patient/Observation.rs", "rs"),
            ("patient/Observation.cruds", "cruds"),
            ("patient/Observation.d", "d"),
            ("user/*.cu", "cu"),
        ],
    )
    def test_of_both_versions(self, text: str, letters: str) -> None:
        assert parsed(text).resources[0].letters == frozenset(letters)

    @pytest.mark.parametrize(
        "text",
        [
            "", " ", "patient", "patient/", "patient/Observation", "patient/Observation.", "patient/Observation.sr", "patient/Observation.rr",
            "patient/Observation.RS", "patient/observation.rs", "Patient/Observation.rs", "patient /Observation.rs", "patient/Observation.rs ?category=x",
            "patient/Observation.rs?", "patient/Observation.rs?category=", "patient/Observation.rs?=laboratory", "patient/Observation.rs?category=a|b|c",
            "patient/Observation.rs?category=|", "patient/Observation.rs?category=a|", "patient/Observation.rs?category:in=x", "patient/Observation.rs?x=y",
            "patient/Observation.rs?subject=Patient/1", "patient/Observation.rs?_has:x=y", "patient/Observation.rs?code-value-quantity=a$b",
            "patient/Observation.rs?date=2020", "patient/Observation.rs?category=a&category=b&category=c&category=d&category=e", "patient/*.rs?category=a",
            "patient/Observation.rs?category=a\\,b", "patient/Observation.rs?category=a%00b", "patient/Observation.rs?category=%20", "*/*.*", "**", "patient/**.rs",
            "patient/Observ*.rs", "patient/Observation,Patient.rs", "patient/../user/*.rs", "admin/*.cruds", "patient/Observation.rs\n", "patient/Observation.rs\u2003openid",
            "offline_access\tonline_access", "OPENID", "openid;fhirUser", "launch/Patient", "launch/patient/x", "fhiruser", "x" * 13_000,
            " ".join(f"patient/Observation.rs?category=c{n}" for n in range(170)),
            " ".join(f"patient/Observation.rs?category={'c' * 100}{n}" for n in range(130)),
        ],
    )  # fmt: skip
    def test_nothing_else_is(self, text: str) -> None:
        with pytest.raises(InvalidScope):
            parsed(text)

    def test_only_of_the_levels_that_are_asked_for(self) -> None:
        with pytest.raises(InvalidScope):
            Scopes.parse("patient/*.rs")
        with pytest.raises(InvalidScope):
            Scopes.parse("openid")

    @pytest.mark.parametrize(
        ("text", "kinds"), [("system/*.rs", {"client"}), ("user/*.rs", {"staff", "patient"}), ("patient/*.rs", {"staff", "patient"})]
    )
    def test_of_a_level_serves_those_it_is_for(self, text: str, kinds: set[str]) -> None:
        scopes = parsed(text).bound_to(patient=cast.PATIENT_ID, app="x")
        assert {kind for kind in ("client", "staff", "patient", "system") if scopes.opening(kind, "r", "Observation") is not None} == kinds

    @pytest.mark.parametrize("kind", ["staff", "patient"])
    def test_for_one_patient_reads_what_no_patient_owns_and_writes_none_of_it(self, kind: str) -> None:
        scopes = parsed("patient/*.cruds").bound_to(patient=cast.PATIENT_ID, app="x")
        for type in ("Organization", "Practitioner", "Location", "Medication"):
            assert [letter for letter in "cruds" if scopes.opening(kind, letter, type) is not None] == ["r", "s"], type

    def test_twice_and_far_apart_is_once(self) -> None:
        assert parsed("  openid   patient/Patient.r  openid patient/Patient.r ").text == "openid patient/Patient.r"

    @given(st.text(max_size=60))
    def test_what_nobody_thought_of_is_refused_or_read_back_as_it_was(self, text: str) -> None:
        try:
            scopes = parsed(text)
        except InvalidScope:
            return
        assert parsed(scopes.text) == scopes

    @pytest.mark.parametrize(
        ("wide", "narrow", "covered"),
        [
            ("patient/*.rs", "patient/Observation.r", True),
            ("patient/*.read", "patient/*.rs", True),
            ("patient/Observation.rs", "patient/*.rs", False),
            ("patient/*.rs", "user/*.rs", False),
            ("user/*.rs", "patient/*.rs", False),
            ("patient/*.r patient/*.s", "patient/*.rs", True),
            ("patient/Observation.rs?category=a", "patient/Observation.rs", False),
            ("patient/Observation.rs?category=a", "patient/Observation.rs?category=a,b", False),
            ("patient/Observation.rs?category=a,b", "patient/Observation.rs?category=b", True),
            ("patient/Observation.rs?category=a", "patient/Observation.rs?category=a&status=final", True),
            ("patient/Observation.rs?category=a&status=final", "patient/Observation.rs?category=a", False),
            ("openid", "openid fhirUser", False),
            ("patient/*.rs", "patient/*.rs offline_access", False),
        ],
    )
    def test_covers_what_is_within_it(self, wide: str, narrow: str, covered: bool) -> None:
        assert parsed(wide).covers(parsed(narrow)) is covered


@pytest.mark.django_db
class TestGranularScopes:
    @pytest.fixture
    def api(self, walk: Walk) -> Api:
        """One patient's laboratory results; and their conditions, so that an include has somewhere to start."""
        store = open_store(cast.system())
        visit = Encounter(id="visit-a1", status="finished", subject=_patient())
        visit.data["class"] = {"code": "AMB"}
        store.update(visit)
        for category in ("laboratory", "vital-signs"):
            one = observation(f"{category}-seen", cast.PATIENT_ID, category)
            one.data["encounter"] = {"reference": "Encounter/visit-a1"}
            store.update(one)
        store.update(Condition(id="condition-a1", subject=_patient()))
        return Api(walk.tokens(scope=f"launch/patient patient/Patient.rs patient/Encounter.rs {LABORATORY}")["access_token"])

    def test_narrow_searches_and_their_counts(self, api: Api) -> None:
        assert api.ids("Observation") == {"laboratory-a1", "laboratory-seen"}
        assert api.ids("Observation?category=vital-signs") == set()
        assert api.ids("Observation?category:not=laboratory") == set()
        assert api.ask("GET", "Observation?_summary=count").json["total"] == 2
        assert api.ids("Observation?_id=vital-signs-a1,laboratory-a1") == {"laboratory-a1"}

    def test_narrow_reads_and_versions(self, api: Api) -> None:
        assert api.status("GET", "Observation/laboratory-a1") == 200
        for path in (
            "Observation/vital-signs-a1",
            "Observation/vital-signs-a1/_history/1",
            "Observation/vital-signs-a1/_history",
            "Observation/laboratory-b2",
        ):
            assert api.status("GET", path) == 404, path

    def test_narrow_histories(self, api: Api) -> None:
        assert api.ids("Observation/_history") == {"laboratory-a1", "laboratory-seen"}
        assert {"vital-signs-a1", "survey-a1", "condition-a1"} & api.ids("_history") == set()

    def test_to_read_alone_list_nothing(self, walk: Walk) -> None:
        """SMART App Launch 2.2: the history of a type and of the whole record belong to `s`."""
        api = Api(walk.tokens(scope="launch/patient patient/Patient.rs patient/Observation.r?category=laboratory")["access_token"])
        assert api.status("GET", "Observation/laboratory-a1") == 200
        assert api.status("GET", "Observation") == 403
        assert api.status("GET", "Observation/_history") in (403, 404)
        assert api.ids("_history") == {cast.PATIENT_ID}

    def test_narrow_includes_both_ways(self, api: Api) -> None:
        assert api.ids("Encounter?_revinclude=Observation:encounter") == {"visit-a1", "laboratory-seen"}
        assert api.ids(f"Patient?_id={cast.PATIENT_ID}&_revinclude=Observation:subject") == {cast.PATIENT_ID, "laboratory-a1", "laboratory-seen"}

    def test_narrow_chains_and_has(self, api: Api) -> None:
        assert api.ids("Patient?_has:Observation:subject:category=vital-signs") == set()
        assert api.ids("Patient?_has:Observation:subject:category=laboratory") == {cast.PATIENT_ID}
        assert api.ids("Encounter?_has:Observation:encounter:category=vital-signs") == set()

    def test_narrow_operations(self, api: Api) -> None:
        everything = api.ids(f"Patient/{cast.PATIENT_ID}/$everything")
        assert {"laboratory-a1", "laboratory-seen"} <= everything
        assert not {"vital-signs-a1", "survey-a1", "condition-a1"} & everything
        assert "vital-signs-a1" not in api.ask("GET", "Observation/$lastn?patient=" + cast.PATIENT_ID).body.decode()

    def test_narrow_batches_and_graphql(self, api: Api) -> None:
        asked = [{"request": {"method": "GET", "url": url}} for url in ("Observation/vital-signs-a1", "Observation")]
        answer = api.ask("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": asked})
        assert "vital-signs-a1" not in str([entry.get("resource") for entry in answer.json["entry"]][1])
        assert answer.json["entry"][0]["response"]["status"].startswith("404")
        query = f'{{Patient(id: "{cast.PATIENT_ID}") {{ObservationList(_reference: subject) {{id}}}}}}'
        assert "vital-signs-a1" not in api.ask("POST", "$graphql", query.encode(), content_type="application/graphql").body.decode()

    def test_say_nothing_of_other_types(self, api: Api) -> None:
        assert api.status("GET", "Condition/condition-a1") == 404
        assert api.status("GET", "Condition") in (403, 404)
        assert api.status("GET", f"Patient/{cast.OTHER_PATIENT_ID}") == 404

    def test_write_nothing(self, api: Api) -> None:
        assert api.status("PUT", "Observation/laboratory-a1", observation("laboratory-a1", cast.PATIENT_ID, "laboratory").data) in (403, 404)
        assert api.status("DELETE", "Observation/laboratory-a1") in (403, 404)


@pytest.mark.django_db
class TestWriting:
    @pytest.fixture
    def api(self, staff_walk: Walk) -> Api:
        """A clinician's app that writes vital signs of one patient."""
        scope = f"launch/patient patient/Observation.cruds?category={CATEGORY}|vital-signs"
        return Api(staff_walk.tokens(fields={"patient": cast.PATIENT_ID}, scope=scope)["access_token"])

    def created(self, api: Api, category: str, patient: str = cast.PATIENT_ID) -> int:
        body: dict[str, Any] = observation("x", patient, category).data
        body.pop("id")
        return api.status("POST", "Observation", body)

    def test_what_the_scope_names(self, api: Api) -> None:
        assert self.created(api, "vital-signs") == 201

    def test_nothing_of_another_category(self, api: Api) -> None:
        assert self.created(api, "laboratory") == 403

    def test_nothing_of_another_patient(self, api: Api) -> None:
        assert self.created(api, "vital-signs", cast.OTHER_PATIENT_ID) == 403

    def test_not_over_what_the_scope_does_not_name(self, api: Api) -> None:
        assert api.status("PUT", "Observation/laboratory-a1", observation("laboratory-a1", cast.PATIENT_ID, "vital-signs").data) == 404

    def test_not_into_what_the_scope_does_not_name(self, api: Api) -> None:
        assert api.status("PUT", "Observation/vital-signs-a1", observation("vital-signs-a1", cast.PATIENT_ID, "laboratory").data) == 404
        assert api.status("PUT", "Observation/vital-signs-a1", observation("vital-signs-a1", cast.OTHER_PATIENT_ID, "vital-signs").data) == 404

    def test_never_more_than_the_role_may(self, api: Api) -> None:
        assert api.status("DELETE", "Observation/vital-signs-a1") in (403, 404)

    def test_nothing_that_no_patient_owns(self, staff_walk: Walk) -> None:
        got = staff_walk.tokens(fields={"patient": cast.PATIENT_ID}, scope="launch/patient patient/*.cruds")
        api = Api(got["access_token"])
        assert api.status("GET", f"Practitioner/{cast.PRACTITIONER_ID}") == 200
        assert api.status("POST", "Location", {"resourceType": "Location", "name": "x"}) == 403


@pytest.mark.django_db
def test_a_patient_s_app_sees_no_more_than_the_patient(walk: Walk) -> None:
    """A scope never widens: what is not released to the patient stays closed to their app."""
    hidden = observation("hidden-a1", cast.PATIENT_ID, "laboratory")
    hidden.meta = None
    open_store(cast.system()).update(hidden)
    api = Api(walk.tokens(scope="launch/patient user/*.rs patient/*.rs", scopes=None)["access_token"])
    assert "hidden-a1" not in api.ids("Observation")
    assert api.status("GET", "Observation/hidden-a1") == 404
    assert api.status("GET", "Observation/laboratory-b2") == 404


def _patient() -> Any:
    from openward.fhir.resources import Reference

    return Reference(reference=f"Patient/{cast.PATIENT_ID}")
