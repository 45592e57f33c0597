"""Guides from packages: read within bounds, installed whole, known to everyone at once, removed again."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

import pytest

from openward.fhir.errors import NotFound, Refused, TooCostly
from openward.fhir.profiles import installed, policy, reading
from openward.fhir.profiles.installed import catalogue_of
from openward.fhir.profiles.installing import install, remove
from openward.fhir.profiles.merging import with_ids
from openward.fhir.profiles.reading import NotAPackage, read
from tests.fhir.profiles.making import URL, definition, element, sliced

MANIFEST = {"name": "example.guide", "version": "1.0.0", "fhirVersions": ["4.0.1"], "title": "Example guide"}
CODES = {"resourceType": "CodeSystem", "url": "urn:letters", "status": "active", "content": "complete", "concept": [{"code": "a"}, {"code": "b", "concept": [{"code": "b1"}]}]}  # fmt: skip
LETTERS = {
    "resourceType": "ValueSet", "url": "urn:set", "status": "active",
    "compose": {"include": [{"system": "urn:letters", "filter": [{"property": "concept", "op": "is-a", "value": "b"}]}]},
}  # fmt: skip
NAMED = definition("named", "Patient", element("Patient.name", min=1), element("Patient.maritalStatus", binding={"strength": "required", "valueSet": "urn:set"}))  # fmt: skip
NAMED["differential"]["element"] = with_ids(NAMED["differential"]["element"])


def packed(*resources: dict[str, Any], manifest: dict[str, Any] | None = None, files: dict[str, bytes] | None = None) -> bytes:
    content = {"package/package.json": json.dumps(MANIFEST if manifest is None else manifest).encode(), **(files or {})}
    content |= {f"package/{one['resourceType']}-{index}.json": json.dumps(one).encode() for index, one in enumerate(resources)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        for name, body in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            made.addfile(member, io.BytesIO(body))
    return stream.getvalue()


class TestReadingAPackage:
    def test_takes_what_defines_something_and_leaves_the_examples(self):
        example = {"package/example/Patient-1.json": b'{"resourceType": "Patient"}'}
        package = read(packed(NAMED, CODES, {"resourceType": "Patient"}, files=example))
        assert (package.guide, [one["resourceType"] for one in package.resources]) == ("example.guide#1.0.0", ["StructureDefinition", "CodeSystem"])

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not gzip",
            gzip.compress(b"not a tar", mtime=0),
            packed(NAMED)[:200],
            packed(manifest={"name": "../../etc", "version": "1"}),
            packed(manifest={"name": "a"}),
            packed(files={"package/ValueSet-x.json": b"{"}),
        ],
        ids=["empty", "not gzip", "not tar", "cut short", "a name that climbs", "no version", "a broken resource"],
    )
    def test_refuses_what_is_none(self, body):
        with pytest.raises(NotAPackage):
            read(body)

    def test_writes_nothing_wherever_its_names_point(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        read(packed(NAMED, files={"../outside.json": b"{}", "package/../../outside.json": b"{}", "/tmp/outside.json": b"{}"}))
        assert list(tmp_path.iterdir()) == []
        assert not (tmp_path.parent / "outside.json").exists()

    @pytest.mark.parametrize(("bound", "most"), [("MAX_PACKED", 10), ("MAX_UNPACKED", 2000), ("MAX_FILE", 20), ("MAX_FILES", 1)])
    def test_is_bounded(self, bound, most, monkeypatch):
        monkeypatch.setattr(reading, bound, most)
        with pytest.raises(TooCostly):
            read(packed(NAMED, CODES, files={"package/zeros.txt": bytes(100_000)}))


@pytest.fixture(autouse=True)
def ask_always(monkeypatch):
    monkeypatch.setattr(installed, "FRESH_FOR", 0.0)


class TestAnInstalledGuide:
    def test_is_checked_against_by_every_process_and_its_resources_can_be_read(self, house):
        report = install(house.store(), packed(NAMED, CODES, LETTERS))
        assert (report.profiles, report.value_sets, report.resources, report.without) == (1, 1, 3, {})
        other = house.store()
        assert catalogue_of(other).find(URL + "named") is not None
        assert len(other.search("StructureDefinition", {"url": URL + "named"}).matches) == 1

    def test_may_point_at_examples_that_are_not_in_it(self, store):
        guide = {
            "resourceType": "ImplementationGuide", "url": "urn:guide", "name": "Guide", "status": "active", "packageId": "example.guide", "fhirVersion": ["4.0.1"],
            "definition": {"resource": [{"reference": {"reference": "Patient/example"}}]},
        }  # fmt: skip
        assert install(store, packed(guide)).without == {}

    def test_is_listed_and_replaced_by_its_next_installation(self, store):
        install(store, packed(NAMED, CODES))
        install(store, packed(NAMED))
        (guide,) = installed.guides(store)
        assert (guide.guide, guide.profiles, guide.title) == ("example.guide#1.0.0", 1, "Example guide")

    def test_knows_its_value_sets(self, store):
        install(store, packed(NAMED, CODES, LETTERS))
        known = catalogue_of(store)
        asked = [("b", True), ("b1", True), ("a", False)]
        assert [known.member("urn:set", "urn:letters", code, "example.guide#1.0.0") for code, _ in asked] == [right for _, right in asked]

    def test_is_gone_when_it_is_removed(self, store):
        install(store, packed(NAMED, CODES))
        assert remove(store, "example.guide") == ["example.guide#1.0.0"]
        assert catalogue_of(store).find(URL + "named") is None
        assert not store.search("StructureDefinition", {"url": URL + "named"}).matches
        with pytest.raises(NotFound):
            remove(store, "example.guide")

    def test_belongs_to_its_tenant(self, house):
        install(house.store(), packed(NAMED))
        assert catalogue_of(house.store(tenant=2)).find(URL + "named") is None

    def test_of_another_version_of_fhir_is_refused(self, store):
        with pytest.raises(Refused):
            install(store, packed(NAMED, manifest={**MANIFEST, "fhirVersions": ["5.0.0"]}))

    def test_that_is_built_in_may_be_installed_and_stays_known_when_it_is_removed(self, store):
        install(store, packed(NAMED, manifest={"name": "hl7.fhir.us.core", "version": "6.1.0"}))
        assert remove(store, "hl7.fhir.us.core#6.1.0") == ["hl7.fhir.us.core#6.1.0"]
        assert catalogue_of(store).find("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0") is not None

    def test_that_is_built_in_stays(self, store):
        with pytest.raises(Refused):
            remove(store, "hl7.fhir.us.core")

    def test_says_what_it_leaves_out_and_what_it_lacks(self, store):
        orphan = definition("orphan", "Patient", element("Patient.name", min=1), baseDefinition="http://example.org/StructureDefinition/absent")
        logical = definition("model", "Patient", derivation="specialization")
        report = install(store, packed(orphan, logical, manifest={**MANIFEST, "dependencies": {"other.guide": "2.0.0", "hl7.fhir.us.core": "7.0.0"}}))
        assert "install that guide first" in report.without[URL + "orphan"]
        assert "not a profile" in report.without[URL + "model"]
        assert report.lacking == ["other.guide#2.0.0"]

    def test_may_start_from_another_profile_without_a_snapshot(self, store):
        core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|7.0.0"
        child = definition("child", "Patient", element("Patient.telecom", min=1), baseDefinition=URL + "parent")
        parent = definition("parent", "Patient", element("Patient.photo", max="0"), baseDefinition=core)
        install(store, packed(child, parent))
        known = catalogue_of(store)
        profile = known.find(URL + "child")
        assert profile is not None
        from openward.fhir.profiles import validate

        wrong = {"resourceType": "Patient", "photo": [{"url": "http://a.b/c"}], "name": [{"family": "Wu"}], "gender": "female"}
        places = [issue.expression for issue in validate(wrong, [URL + "child"], catalogue=known) if issue.severity == "error"]
        assert sorted(map(str, places)) == ["Patient.identifier", "Patient.photo", "Patient.telecom"]

    def test_adds_slices_to_those_it_starts_from(self, store):
        parent = definition(
            "parent", "Patient",
            sliced("Patient.identifier", ("value", "system")),
            element("Patient.identifier", slice="one", min=1),
            element("Patient.identifier.system", fixedUri="urn:one"),
        )  # fmt: skip
        child = definition(
            "child", "Patient", element("Patient.identifier", slice="two", min=1), element("Patient.identifier.system", fixedUri="urn:two"),
            baseDefinition=URL + "parent",
        )  # fmt: skip
        install(store, packed(parent, child))
        from openward.fhir.profiles import validate

        known = catalogue_of(store)
        for systems, faults in ((["urn:one", "urn:two"], 0), (["urn:one"], 1), (["urn:two"], 1), (["urn:three"], 2)):
            resource = {"resourceType": "Patient", "identifier": [{"system": system, "value": "1"} for system in systems]}
            assert len(validate(resource, [URL + "child"], catalogue=known)) == faults

    def test_holds_writes_that_name_its_profiles_without_a_version(self, store):
        from openward.fhir.errors import Invalid

        install(store, packed(NAMED))
        claim = {"resourceType": "Patient", "meta": {"profile": [URL + "named"]}}
        assert policy.current().mode == "versioned"
        with pytest.raises(Invalid):
            store.create(claim)
        store.create({**claim, "name": [{"family": "Wu"}]})
