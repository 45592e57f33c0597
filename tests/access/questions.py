"""Random questions to the record, in FHIR's own words: what an inquisitive program would try."""

from __future__ import annotations

import json
import random
from urllib.parse import quote, urlencode

from tests.access.record import CODES, D1, ICD, LOINC, P

TYPES = ("Patient", "Condition", "Observation", "Encounter", "Procedure", "DiagnosticReport", "Composition", "Communication", "List",
         "Practitioner", "Location", "Consent", "Claim", "ExplanationOfBenefit", "ClaimResponse", "ChargeItem", "Invoice", "Coverage",
         "PaymentNotice", "PaymentReconciliation")  # fmt: skip
PATIENT_LINKS = {"Condition": "subject", "Observation": "subject", "Encounter": "subject", "Procedure": "subject", "DiagnosticReport": "subject",
                 "Composition": "subject", "Communication": "subject", "List": "subject", "ChargeItem": "subject", "Invoice": "subject",
                 "Claim": "patient", "ExplanationOfBenefit": "patient", "ClaimResponse": "patient", "Coverage": "beneficiary"}  # fmt: skip
SORTS = {"Patient": ("family", "birthdate", "_id"), "Condition": ("code", "recorded-date", "_id"), "Observation": ("date", "code", "value-quantity", "_id"),
         "Encounter": ("date", "_id"), "Procedure": ("date", "_id"), "DiagnosticReport": ("date", "_id"), "Composition": ("date", "title", "_id"),
         "Claim": ("created", "_id"), "ExplanationOfBenefit": ("created", "disposition", "_id"), "Invoice": ("date", "totalnet", "_id")}  # fmt: skip
INCLUDES = {"Condition": ("Condition:subject", "Condition:encounter"), "Observation": ("Observation:subject", "Observation:encounter"),
            "Procedure": ("Procedure:subject", "Procedure:reason-reference"), "DiagnosticReport": ("DiagnosticReport:result", "DiagnosticReport:subject"),
            "Encounter": ("Encounter:subject", "Encounter:practitioner", "Encounter:location"), "List": ("List:item", "List:subject"),
            "Composition": ("Composition:subject", "Composition:author", "*"), "Claim": ("Claim:patient", "Claim:insurer", "*"),
            "ExplanationOfBenefit": ("ExplanationOfBenefit:claim", "ExplanationOfBenefit:coverage", "*"), "ClaimResponse": ("ClaimResponse:request",),
            "PaymentNotice": ("PaymentNotice:request",), "PaymentReconciliation": ("*",)}  # fmt: skip
REVINCLUDES = {"Patient": ("Condition:subject", "Observation:subject", "Encounter:patient", "Consent:patient", "*", "Claim:patient",
                           "ExplanationOfBenefit:patient", "ChargeItem:subject", "Invoice:subject"),
               "Claim": ("ExplanationOfBenefit:claim", "ClaimResponse:request", "*"), "Coverage": ("ExplanationOfBenefit:coverage",),
               "Encounter": ("Condition:encounter", "Observation:encounter"), "Condition": ("Procedure:reason-reference", "List:item"),
               "Observation": ("DiagnosticReport:result",), "Practitioner": ("Encounter:practitioner", "Composition:author")}  # fmt: skip


def questions(seed: int) -> list[str]:
    """A never-ending list would do; this is one question by its address under the base. What is sent along stands in a line of its own: then it is a POST."""
    rng = random.Random(seed)
    kind = rng.choice(
        (
            "search",
            "search",
            "search",
            "search",
            "chain",
            "chain",
            "read",
            "history",
            "everything",
            "graphql",
            "system",
            "compartment",
            "meta",
            "match",
            "count",
        )
    )
    return [globals()[f"_{kind}"](rng)]


def _search(rng: random.Random) -> str:
    type = rng.choice(TYPES)
    asked = [_filter(rng, type) for _ in range(rng.randint(0, 2))] + _shape(rng, type)
    return f"{type}?{_query(asked)}"


def _chain(rng: random.Random) -> str:
    label = rng.choice(list(CODES))
    asked = rng.choice(
        (
            ("Procedure", f"reason-reference:Condition.code={ICD}|{label}"),
            ("Procedure", f"reason-reference.recorded-date=ge2026-0{rng.randint(1, 6)}"),
            ("Patient", f"_has:Condition:subject:code={ICD}|{label}"),
            ("Patient", f"_has:Observation:subject:code={LOINC}|4548-4"),
            ("Patient", f"_has:Condition:subject:encounter.practitioner=Practitioner/{D1}"),
            ("Practitioner", f"_has:Encounter:practitioner:subject.family=Family{rng.randint(0, 2)}"),
            ("Encounter", f"_has:Condition:encounter:code={ICD}|{label}"),
            ("Encounter", f"_has:Observation:encounter:value-quantity=gt{rng.randint(1, 80)}"),
            ("Observation", f"encounter.subject.family=Family{rng.randint(0, 2)}"),
            ("DiagnosticReport", f"result.value-quantity=lt{rng.randint(1, 90)}"),
            ("Condition", f"subject.given=Given{rng.randint(0, 5)}"),
            ("Condition", f"encounter.location.name=Location/{rng.choice(('south-1', 'north'))}"),
            ("Condition", f"_list=list-{rng.randint(0, 5)}"),
            ("Patient", f"_has:Claim:patient:created=ge2026-03-{rng.randint(10, 28)}"),
            ("Patient", f"_has:ExplanationOfBenefit:patient:disposition=Paid in part {rng.randint(0, 3)}"),
            ("Patient", f"_has:Claim:patient:_has:ExplanationOfBenefit:claim:disposition=Paid in part {rng.randint(0, 3)}"),
            ("Claim", f"_has:ExplanationOfBenefit:claim:created=lt2026-03-{rng.randint(10, 28)}"),
            ("ExplanationOfBenefit", f"claim.created=ge2026-03-{rng.randint(10, 28)}"),
            ("ExplanationOfBenefit", f"claim.patient.family=Family{rng.randint(0, 2)}"),
            ("ClaimResponse", f"request.patient=Patient/{rng.choice(P)}"),
            ("Coverage", f"_has:ExplanationOfBenefit:coverage:claim.created=ge2026-03-{rng.randint(10, 28)}"),
            ("PaymentNotice", f"request:Invoice.totalnet=gt{rng.randint(38, 46)}"),
            ("PaymentReconciliation", f"_has:Provenance:target:_id=x-{rng.randint(0, 3)}"),
            ("Location", f"_has:Encounter:location:_has:Condition:encounter:code={ICD}|{label}"),
        )
    )
    name, _, value = asked[1].partition("=")
    return f"{asked[0]}?{_query([(name, value), *_shape(rng, asked[0])])}"


def _filter(rng: random.Random, type: str) -> tuple[str, str]:
    options = [("_id", ",".join(rng.sample(_ids(type), 3))), ("_security", rng.choice(("PSY", "ETH", "HIV", "V"))), ("_lastUpdated", "ge2020-01-01"),
               ("_security:not", rng.choice(("PSY", "ETH"))), ("_tag", "released"), ("_content", rng.choice(("hello", "methadone", "panel")))]  # fmt: skip
    if type in PATIENT_LINKS:
        link = PATIENT_LINKS[type]
        options += [(link, f"Patient/{rng.choice(P)}"), (f"{link}:Patient.gender", rng.choice(("male", "female")))]
    if type == "Condition":
        code = rng.choice(list(CODES))
        options += [("code", f"{ICD}|{code}"), ("code", code), ("code:not", code), ("code", ",".join(CODES)), ("clinical-status", "active")]
        options += [("encounter:missing", rng.choice(("true", "false"))), ("recorded-date", f"lt2026-0{rng.randint(2, 7)}"), ("code:text", "x")]
    if type == "Observation":
        options += [("code", "4548-4"), ("status", "final"), ("status:not", "final"), ("category", "vital-signs"), ("value-quantity", "gt40")]
        options += [("combo-code-value-quantity", "4548-4$gt10"), ("date", f"ge2026-01-{rng.randint(10, 28)}")]
    if type == "Patient":
        options += [
            ("name", "Family1"),
            ("birthdate", "lt1953"),
            ("gender", "female"),
            ("address-state", "NY"),
            ("general-practitioner:missing", "true"),
        ]
    if type in ("Claim", "ExplanationOfBenefit", "ClaimResponse"):
        options += [("created", f"ge2026-03-{rng.randint(10, 28)}"), ("identifier", f"urn:x|N{rng.randint(0, 5)}-{rng.randint(0, 2)}")]
        options += [("use", "claim")] if type != "ExplanationOfBenefit" else [("claim", f"Claim/claim-{rng.randint(0, 5)}-{rng.randint(0, 2)}")]
    if type == "ChargeItem":
        options += [("code:text", "Office")]
    if type == "Invoice":
        options += [("totalnet", f"gt{rng.randint(38, 46)}"), ("status", "issued")]
    return rng.choice(options)


def _ids(type: str) -> list[str]:
    stems = {"Condition": "problem-{n}-{m}", "Observation": "seen-{n}-{m}", "Encounter": "visit-{n}-{m}", "Procedure": "done-{n}-{m}",
             "DiagnosticReport": "report-{n}", "Communication": "message-{n}", "List": "list-{n}", "Claim": "claim-{n}-{m}",
             "ExplanationOfBenefit": "answer-{n}-{m}", "ClaimResponse": "heard-{n}-{m}", "ChargeItem": "charge-{n}-{m}", "Invoice": "statement-{n}",
             "Coverage": "coverage-{n}", "PaymentNotice": "paid-{n}", "PaymentReconciliation": "advice-{n}"}  # fmt: skip
    if type == "Patient":
        return P
    return [stems.get(type, "none-{n}-{m}").format(n=n, m=m) for n in range(6) for m in range(4)]


def _shape(rng: random.Random, type: str) -> list[tuple[str, str]]:
    shape = []
    if rng.random() < 0.5:
        shape.append(("_total", rng.choice(("accurate", "estimate"))))
    if rng.random() < 0.4 and type in SORTS:
        shape.append(("_sort", rng.choice(("", "-")) + rng.choice(SORTS[type])))
    if rng.random() < 0.5:
        shape.append(("_count", str(rng.choice((0, 1, 2, 5, 50)))))
    if rng.random() < 0.4 and type in INCLUDES:
        shape.append((rng.choice(("_include", "_include:iterate")), rng.choice(INCLUDES[type])))
    if rng.random() < 0.4 and type in REVINCLUDES:
        shape.append(("_revinclude", rng.choice(REVINCLUDES[type])))
    if rng.random() < 0.2:
        shape.append(rng.choice((("_summary", "count"), ("_summary", "true"), ("_elements", "id"))))
    return shape


def _query(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, quote_via=quote, safe=":|,$/")


def _read(rng: random.Random) -> str:
    type = rng.choice(TYPES)
    address = f"{type}/{rng.choice(_ids(type))}"
    return rng.choice((address, f"{address}/_history/1", f"{address}/_history/2", f"{address}/_history"))


def _history(rng: random.Random) -> str:
    order = rng.choice(("", "&_sort=_lastUpdated"))
    return rng.choice((f"{rng.choice(TYPES)}/_history?_count={rng.choice((2, 10, 100))}{order}", f"_history?_count={rng.choice((7, 300))}{order}"))


def _match(rng: random.Random) -> str:
    """Somebody who is there, somebody who nearly is, and nobody."""
    asked = {"resourceType": "Patient", "name": [{"family": f"Family{rng.randint(0, 3)}", "given": [f"Given{rng.randint(0, 6)}"]}],
             "birthDate": f"19{50 + rng.randint(0, 6)}-03-04", "gender": rng.choice(("male", "female"))}  # fmt: skip
    given: list[dict[str, object]] = [{"name": "resource", "resource": asked}, {"name": "count", "valueInteger": rng.choice((1, 3, 10))}]
    given += [{"name": "onlyCertainMatches", "valueBoolean": True}] if rng.random() < 0.3 else []
    return "Patient/$match\n" + json.dumps({"resourceType": "Parameters", "parameter": given})


def _count(rng: random.Random) -> str:
    """Nothing but how many."""
    type = rng.choice(TYPES)
    asked = [_filter(rng, type) for _ in range(rng.randint(0, 3))]
    return (
        f"{type}?{_query([*asked, rng.choice((('_summary', 'count'), ('_count', '0'))), ('_total', rng.choice(('accurate', 'estimate', 'none')))])}"
    )


def _everything(rng: random.Random) -> str:
    patient = rng.choice(P)
    return rng.choice(
        (
            f"Patient/{patient}/$everything?_count=200",
            f"Patient/{patient}/$everything?_type=Condition,Observation",
            f"Encounter/visit-{rng.randint(0, 5)}-0/$everything",
            f"Observation/$lastn?patient={patient}&category=vital-signs&max=2",
            f"DocumentReference/$docref?patient={patient}",
            f"Composition/note-{rng.randint(0, 5)}-final/$document",
            f"Patient/{patient}/$everything?_type=Claim,ExplanationOfBenefit,ChargeItem,Invoice,Coverage,ClaimResponse",
        )
    )


def _graphql(rng: random.Random) -> str:
    patient = rng.choice(P)
    query = rng.choice(
        (
            "{name{family},ConditionList(_reference:subject){id,code{coding{code}}}}",
            "{id,ClaimList(_reference:patient){id,diagnosis{diagnosisCodeableConcept{coding{code}}},insurer{resource{id}}}}",
            "{id,ExplanationOfBenefitList(_reference:patient){id,disposition,claim{reference,resource{id,diagnosis{sequence}}}}}",
            "{id,ObservationList(_reference:subject){id,encounter{reference,resource{id,status}}}}",
        )
    )
    whole = '{ConditionList(code:"F11.20"){id,subject{resource{id}}}}'
    return rng.choice((f"Patient/{patient}/$graphql?query={quote(query)}", f"$graphql?query={quote(whole)}"))


def _system(rng: random.Random) -> str:
    types = ",".join(rng.sample(TYPES, 3))
    return (
        f"?_type={types}&_count=100&_security={rng.choice(('PSY', 'ETH', 'HIV'))}"
        if rng.random() < 0.5
        else f"?_type={types}&_count=100&_total=accurate"
    )


def _compartment(rng: random.Random) -> str:
    return rng.choice(
        (
            f"Patient/{rng.choice(P)}/{rng.choice(('Condition', 'Observation', 'Encounter', 'Claim', 'ExplanationOfBenefit', '*'))}?_total=accurate",
            f"Practitioner/{D1}/{rng.choice(('Encounter', 'Composition'))}?_total=accurate",
            f"Encounter/visit-{rng.randint(0, 5)}-1/{rng.choice(('Condition', 'Observation'))}?_total=accurate",
        )
    )


def _meta(rng: random.Random) -> str:
    return rng.choice((f"{rng.choice(TYPES)}/$meta", "$meta", f"Condition/{rng.choice(_ids('Condition'))}/$meta"))
