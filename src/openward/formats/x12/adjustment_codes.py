"""What claim adjustment groups and reason codes mean, in our own words.

The numbers are facts that payers send; the official texts belong to X12 and are not here. A site that has licensed the
official list may show it instead. `Meaning` decides what happens to the money:

- agreed    the contract with the payer lowers the price: written off, nobody owes it
- share     the patient's part under the plan
- elsewhere another payer has dealt with this part: no money moves
- refused   the payer will not pay as claimed: stays owed and goes to the worklist, never written off by itself
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    AGREED = "agreed"
    SHARE = "share"
    ELSEWHERE = "elsewhere"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    meaning: Meaning
    words: str


GROUPS = {
    "CO": "Contract: the agreement between practice and payer",
    "PR": "Patient: the plan says the patient pays this",
    "OA": "Other: neither contract nor patient",
    "PI": "Payer: lowered by the payer on its own account",
    "CR": "Correction of an earlier answer",
}

_A, _S, _E, _R = Meaning.AGREED, Meaning.SHARE, Meaning.ELSEWHERE, Meaning.REFUSED

_REASONS: tuple[tuple[str, Meaning, str], ...] = (
    ("1", _S, "Deductible: the part the patient pays before the plan starts to pay"),
    ("2", _S, "Coinsurance: the patient's percentage"),
    ("3", _S, "Copay: the patient's fixed amount for a visit"),
    ("4", _R, "The modifier does not fit the service, or one is missing"),
    ("5", _R, "The service does not fit the place of service"),
    ("6", _R, "The service does not fit the patient's age"),
    ("7", _R, "The service does not fit the patient's sex"),
    ("8", _R, "The service does not fit the clinician's specialty"),
    ("9", _R, "The diagnosis does not fit the patient's age"),
    ("10", _R, "The diagnosis does not fit the patient's sex"),
    ("11", _R, "The diagnosis does not support the service"),
    ("16", _R, "Something on the claim is missing or wrong; the remark code says what"),
    ("18", _R, "An exact duplicate of a claim the payer already has"),
    ("19", _R, "An injury at work: another insurance should pay"),
    ("20", _R, "An injury that a liability insurance should pay"),
    ("21", _R, "An injury that a no-fault insurance should pay"),
    ("22", _R, "Another insurance may have to pay first"),
    ("23", _E, "What an earlier payer paid or took off"),
    ("24", _A, "Paid already by a fixed monthly amount for this patient"),
    ("26", _R, "The visit was before the coverage began"),
    ("27", _R, "The visit was after the coverage ended"),
    ("29", _R, "The claim came after the payer's time limit"),
    ("31", _R, "The payer does not find this patient among its members"),
    ("32", _R, "The payer does not find that this dependent is covered"),
    ("33", _R, "The plan does not cover dependents"),
    ("35", _R, "The plan's lifetime limit is used up"),
    ("39", _R, "Authorization was asked for and refused"),
    ("40", _R, "Not an emergency by the payer's rules"),
    ("44", _A, "Discount for prompt payment"),
    ("45", _A, "The part of the charge above the agreed price"),
    ("49", _R, "Routine or preventive service that the plan does not cover"),
    ("50", _R, "The payer does not find the service medically necessary"),
    ("51", _R, "A condition the patient had before the coverage"),
    ("55", _R, "The payer holds the treatment to be experimental"),
    ("58", _R, "Given at a place the payer does not accept for it"),
    ("59", _A, "Lower price because several services were done together"),
    ("66", _S, "Blood deductible"),
    ("94", _E, "More was processed than was charged"),
    ("95", _R, "The plan's procedures were not followed"),
    ("96", _R, "Not covered by the plan"),
    ("97", _R, "Counted as part of another service that was paid"),
    ("100", _S, "Paid to the patient or the insured person instead of the practice"),
    ("104", _A, "Held back by the managed care agreement"),
    ("107", _R, "The service it depends on is missing from the claim"),
    ("109", _R, "Sent to the wrong payer"),
    ("110", _R, "Billed before the day of service"),
    ("119", _R, "The plan's maximum for this period is used up"),
    ("122", _S, "Reduction for psychiatric services"),
    ("125", _R, "A mistake in the claim or billing data"),
    ("129", _R, "What the earlier payer decided is missing or wrong"),
    ("130", _A, "Fee for sending the claim"),
    ("131", _A, "Discount agreed for this claim"),
    ("140", _R, "Member number and name do not belong together"),
    ("142", _S, "Monthly share of a Medicaid patient"),
    ("144", _E, "Extra payment as an incentive"),
    ("146", _R, "The diagnosis code was not valid on the day"),
    ("149", _R, "The lifetime maximum for this benefit is used up"),
    ("150", _R, "The record does not support this level of service"),
    ("151", _R, "The record does not support this many or this often"),
    ("163", _R, "An attachment the claim refers to did not arrive"),
    ("167", _R, "The plan does not cover this diagnosis"),
    ("170", _R, "Not paid when done by this kind of clinician"),
    ("177", _R, "The patient did not meet the conditions of eligibility"),
    ("181", _R, "The service code was not valid on the day"),
    ("182", _R, "The modifier was not valid on the day"),
    ("183", _R, "The referring clinician may not refer for this"),
    ("185", _R, "The clinician may not perform this by the payer's rules"),
    ("187", _S, "To be paid from the patient's spending account"),
    ("197", _R, "Authorization was needed beforehand and is missing"),
    ("198", _R, "More than was authorized"),
    ("204", _R, "Not a benefit of the patient's plan"),
    ("206", _R, "The clinician's NPI is missing"),
    ("207", _R, "The clinician's NPI is not valid"),
    ("208", _R, "The payer does not know this NPI"),
    ("222", _R, "More units than the contract allows"),
    ("226", _R, "The practice did not send what the payer asked for"),
    ("227", _R, "The patient did not send what the payer asked for"),
    ("231", _R, "Services that cannot both be done on one day"),
    ("234", _R, "Not paid separately"),
    ("236", _R, "This combination of services may not be billed together"),
    ("237", _A, "Lowered by law or regulation"),
    ("242", _R, "The clinician is outside the plan's network"),
    ("243", _R, "Not approved by the patient's primary care clinician"),
    ("246", _E, "A code for reporting only, without a price"),
    ("250", _R, "The attachment received is not the one asked for"),
    ("251", _R, "The attachment received is not complete"),
    ("252", _R, "The payer wants an attachment before it decides"),
    ("253", _A, "Federal budget reduction (sequestration)"),
    ("256", _R, "Not payable under the managed care contract"),
    ("288", _R, "A referral is missing"),
    ("A1", _R, "Refused; the remark code says why"),
    ("A2", _A, "Contract adjustment"),
    ("B7", _R, "The clinician was not certified for this on the day"),
    ("B13", _R, "The payer says it has paid this before"),
    ("B15", _R, "Needs another service that is not on the claim or was not covered"),
    ("B16", _R, "A new-patient service, but the payer does not hold the patient to be new"),
)

REASONS = {code: Reason(code, meaning, words) for code, meaning, words in _REASONS}


def reason(code: str) -> Reason:
    """The reason; a code we do not know counts as refused, so that a person looks at it and no money disappears."""
    return REASONS.get(code) or Reason(code, Meaning.REFUSED, f"Reason {code}, which has no description here")


def meaning(group: str, code: str, *, claim_denied: bool = False) -> Meaning:
    """What an adjustment does to the money. Group and code together decide; `claim_denied` is CLP02 status 4.

    Only the group CO lets the practice's contract write money off. PR makes the patient owe it, unless the payer could
    not place the claim at all, which is mended with the payer before anybody bills the patient.
    """
    known = reason(code).meaning
    if known is Meaning.ELSEWHERE:
        return known
    if group == "PR":
        return Meaning.REFUSED if code in _MEND_FIRST or (claim_denied and known is not Meaning.SHARE) else Meaning.SHARE
    if group == "CO" and known is Meaning.AGREED and not claim_denied:
        return Meaning.AGREED
    return Meaning.REFUSED


_MEND_FIRST = frozenset({"16", "18", "19", "20", "21", "22", "26", "27", "29", "31", "32", "33", "109", "125", "129", "140", "227", "252"})
