"""Medicines the demo's clinicians prescribe: RxNorm clinical drugs (https://www.nlm.nih.gov/research/umls/rxnorm) with a usual dose."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Drug:
    """`code` is an RxNorm SCD or BPCK; `dose` is in `form` (tablets, puffs, …), `times` a day, for `days` per fill; `days` 0 is one pack."""

    key: str
    code: str
    name: str
    form: str
    dose: Decimal
    times: int
    route: str
    days: int
    refills: int
    sig: str
    as_needed: bool = False


def _daily(key: str, code: str, name: str, form: str = "tablet", times: int = 1, when: str = "") -> Drug:
    often = {1: "once daily", 2: "twice daily", 3: "three times daily"}[times]
    sig = f"Take 1 {form} by mouth {often}{' ' + when if when else ''}"
    return Drug(key, code, name, form, Decimal(1), times, "oral", 90, 3, sig)


def _short(key: str, code: str, name: str, dose: str, form: str, times: int, days: int, *, as_needed: bool = False) -> Drug:
    often = {1: "once daily", 2: "twice daily", 3: "three times daily", 4: "four times daily"}[times]
    ending = " as needed" if as_needed else f" for {days} days"
    some = f"{dose} {form}{'s' if Decimal(dose) > 1 and form != 'mL' else ''}"
    return Drug(key, code, name, form, Decimal(dose), times, "oral", days, 0, f"Take {some} by mouth {often}{ending}", as_needed)


DRUGS = (
    _daily("lisinopril-10", "314076", "lisinopril 10 MG Oral Tablet"),
    _daily("lisinopril-20", "314077", "lisinopril 20 MG Oral Tablet"),
    _daily("losartan-50", "979492", "losartan potassium 50 MG Oral Tablet"),
    _daily("amlodipine-5", "197361", "amlodipine 5 MG Oral Tablet"),
    _daily("hctz-25", "310798", "hydrochlorothiazide 25 MG Oral Tablet", when="in the morning"),
    _daily("metoprolol-50", "866436", "24 HR metoprolol succinate 50 MG Extended Release Oral Tablet"),
    _daily("furosemide-40", "313988", "furosemide 40 MG Oral Tablet", when="in the morning"),
    _daily("atorvastatin-20", "617310", "atorvastatin 20 MG Oral Tablet", when="at bedtime"),
    _daily("simvastatin-20", "312961", "simvastatin 20 MG Oral Tablet", when="at bedtime"),
    _daily("metformin-500", "861007", "metformin hydrochloride 500 MG Oral Tablet", times=2, when="with meals"),
    _daily("metformin-1000", "861004", "metformin hydrochloride 1000 MG Oral Tablet", times=2, when="with meals"),
    _daily("empagliflozin-10", "1545653", "empagliflozin 10 MG Oral Tablet", when="in the morning"),
    _daily("aspirin-81", "243670", "aspirin 81 MG Oral Tablet"),
    _daily("clopidogrel-75", "309362", "clopidogrel 75 MG Oral Tablet"),
    _daily("apixaban-5", "1364445", "apixaban 5 MG Oral Tablet", times=2),
    _daily("warfarin-5", "855332", "warfarin sodium 5 MG Oral Tablet", when="in the evening"),
    _daily("sertraline-50", "312941", "sertraline 50 MG Oral Tablet"),
    _daily("sertraline-100", "312938", "sertraline 100 MG Oral Tablet"),
    _daily("fluoxetine-20", "310385", "fluoxetine 20 MG Oral Capsule", "capsule", when="in the morning"),
    _daily("duloxetine-20", "596926", "duloxetine 20 MG Delayed Release Oral Capsule", "capsule", times=2),
    _daily("levothyroxine-75", "966222", "levothyroxine sodium 0.075 MG Oral Tablet", when="on an empty stomach"),
    _daily("omeprazole-20", "198051", "omeprazole 20 MG Delayed Release Oral Capsule", "capsule", when="before breakfast"),
    _daily("tamsulosin", "863669", "tamsulosin hydrochloride 0.4 MG Oral Capsule", "capsule", when="after supper"),
    _daily("finasteride-5", "310346", "finasteride 5 MG Oral Tablet"),
    _daily("allopurinol-100", "197319", "allopurinol 100 MG Oral Tablet"),
    _daily("alendronate-10", "904419", "alendronic acid 10 MG Oral Tablet", when="with a full glass of water, upright for 30 minutes"),
    _daily("ferrous-sulfate", "310325", "ferrous sulfate 325 MG Oral Tablet", when="with orange juice"),
    _daily("gabapentin-300", "310431", "gabapentin 300 MG Oral Capsule", "capsule", times=3),
    _daily("donepezil-10", "997223", "donepezil hydrochloride 10 MG Oral Tablet", when="at bedtime"),
    _daily("cetirizine-10", "1014678", "cetirizine hydrochloride 10 MG Oral Tablet"),
    _daily("loratadine-10", "311372", "loratadine 10 MG Oral Tablet"),
    _daily("methylphenidate-20", "1091392", "methylphenidate hydrochloride 20 MG Oral Tablet", when="in the morning"),
    Drug("levora", "748879", "Levora 0.15/30 28 Day Pack", "tablet", Decimal(1), 1, "oral", 84, 3, "Take 1 tablet by mouth once daily at the same time"),
    Drug(
        "albuterol", "2123111", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "puff", Decimal(2), 4, "inhalation", 30, 2,
        "Inhale 2 puffs every 4 to 6 hours as needed for wheezing", as_needed=True,
    ),
    Drug(
        "fluticasone-inhaler", "895994", "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler", "puff", Decimal(2), 2,
        "inhalation", 30, 5, "Inhale 2 puffs twice daily and rinse mouth afterwards",
    ),
    Drug(
        "fluticasone-salmeterol", "896209", "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
        "inhalation", Decimal(1), 2, "inhalation", 30, 5, "Inhale 1 dose twice daily and rinse mouth afterwards",
    ),
    Drug(
        "fluticasone-nasal", "1797907", "fluticasone propionate 0.05 MG/ACTUAT Metered Dose Nasal Spray", "spray", Decimal(1), 1, "nasal", 60, 2,
        "Use 1 spray in each nostril once daily",
    ),
    Drug(
        "hydrocortisone", "106258", "hydrocortisone 10 MG/ML Topical Cream", "application", Decimal(1), 2, "topical", 14, 1,
        "Apply a thin layer to the affected skin twice daily",
    ),
    _short("amoxicillin-suspension", "308189", "amoxicillin 80 MG/ML Oral Suspension", "6", "mL", 2, 10),
    _short("amoxicillin-500", "308192", "amoxicillin 500 MG Oral Tablet", "1", "tablet", 3, 10),
    _short("amoxicillin-clavulanate", "562251", "amoxicillin 250 MG / clavulanate 125 MG Oral Tablet", "1", "tablet", 3, 7),
    _short("azithromycin-250", "308460", "azithromycin 250 MG Oral Tablet", "1", "tablet", 1, 5),
    _short("doxycycline-100", "1650142", "doxycycline monohydrate 100 MG Oral Tablet", "1", "tablet", 2, 7),
    _short("nitrofurantoin-50", "311995", "nitrofurantoin, macrocrystals 50 MG Oral Capsule", "1", "capsule", 4, 5),
    _short("prednisone-20", "312615", "prednisone 20 MG Oral Tablet", "2", "tablet", 1, 5),
    _short("naproxen-500", "198014", "naproxen 500 MG Oral Tablet", "1", "tablet", 2, 10, as_needed=True),
    _short("ibuprofen-200", "310965", "ibuprofen 200 MG Oral Tablet", "2", "tablet", 3, 7, as_needed=True),
    _short("acetaminophen-325", "313782", "acetaminophen 325 MG Oral Tablet", "2", "tablet", 3, 7, as_needed=True),
    _short("colchicine", "197541", "colchicine 0.6 MG Oral Tablet", "1", "tablet", 2, 5),
)  # fmt: skip

DRUG = {drug.key: drug for drug in DRUGS}
