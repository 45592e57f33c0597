"""Long-standing problems: ICD-10-CM (CMS and NCHS, public domain), how common they are, and how they are treated and followed.

The prevalences are rounded from public US surveillance (CDC NHANES and NHIS) far enough to look like a general practice; they are
for a demonstration, not for epidemiology.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Problem:
    """`shares` are (age, share of people that age who have it), read by straight lines; `lines` are drug choices, each line added in
    turn as the illness goes on; `panels` are followed every `months`; `after` is a problem it grows out of, `times` as often with it.
    """

    key: str
    code: str
    name: str
    shares: tuple[tuple[int, float], ...]
    lines: tuple[tuple[str, ...], ...] = ()
    panels: tuple[str, ...] = ()
    months: int = 12
    sexes: str = "fm"
    after: tuple[str, ...] = ()
    times: float = 1.0
    plan: str = ""
    subjective: str = ""

    def share_at(self, age: float) -> float:
        """The share of people of this age who have the problem."""
        if age < self.shares[0][0]:
            return 0.0
        for (a, p), (b, q) in pairwise(self.shares):
            if a <= age < b:
                return p + (q - p) * (age - a) / (b - a)
        return self.shares[-1][1]


PROBLEMS = (
    Problem(
        "hypertension", "I10", "Essential hypertension", ((22, 0.02), (40, 0.16), (55, 0.36), (65, 0.5), (80, 0.62)),
        (("lisinopril-10", "losartan-50"), ("amlodipine-5", "hctz-25")), ("bmp",), 6,
        plan="Continue current antihypertensive; home readings; low-salt diet; basic metabolic panel when due.",
        subjective="Checks blood pressure at home from time to time; no chest pain, headache or visual change.",
    ),
    Problem(
        "hyperlipidemia", "E78.5", "Hyperlipidemia", ((25, 0.02), (40, 0.18), (55, 0.34), (70, 0.46)),
        (("atorvastatin-20", "simvastatin-20"),), ("lipid", "lft"), 12, after=("diabetes",), times=1.5,
        plan="Continue statin; lipid panel yearly; diet and exercise reviewed.", subjective="Takes the statin most evenings; no muscle pain.",
    ),
    Problem(
        "prediabetes", "R73.03", "Prediabetes", ((25, 0.02), (45, 0.12), (65, 0.18)), (), ("a1c",), 12,
        plan="Weight loss of 5 to 7 percent, 150 minutes of activity a week; HbA1c yearly.", subjective="Trying to walk more and drink less soda.",
    ),
    Problem(
        "diabetes", "E11.9", "Type 2 diabetes mellitus without complications", ((28, 0.01), (45, 0.09), (60, 0.17), (75, 0.22)),
        (("metformin-500", "metformin-1000"), ("empagliflozin-10",)), ("a1c", "bmp", "uacr", "lipid"), 4, after=("obesity",), times=1.9,
        plan="Diet and activity reviewed; HbA1c every 3 to 6 months; yearly eye exam, foot exam and urine albumin.",
        subjective="Checks fasting glucose a few times a week; no hypoglycemia, numbness or thirst.",
    ),
    Problem(
        "ckd", "N18.31", "Chronic kidney disease, stage 3a", ((45, 0.01), (65, 0.06), (80, 0.14)), (), ("bmp", "cbc", "uacr"), 6,
        after=("diabetes", "hypertension"), times=2.0,
        plan="Avoid NSAIDs; blood pressure below 130/80; metabolic panel every 6 months.", subjective="No swelling or change in urination.",
    ),
    Problem(
        "obesity", "E66.9", "Obesity", ((10, 0.08), (25, 0.22), (50, 0.34), (80, 0.22)), (), (), 12,
        plan="Nutrition and activity plan reviewed; weight at each visit.", subjective="Weight is a concern; has tried cutting portions.",
    ),
    Problem(
        "asthma", "J45.909", "Asthma", ((3, 0.04), (10, 0.09), (30, 0.08), (70, 0.06)), (("albuterol",), ("fluticasone-inhaler",)), (), 9,
        plan="Inhaler technique reviewed; action plan given; step up if rescue use exceeds twice a week.",
        subjective="Uses the rescue inhaler once or twice a week, mostly with exercise and in spring.",
    ),
    Problem(
        "copd", "J44.9", "Chronic obstructive pulmonary disease", ((45, 0.02), (65, 0.1), (80, 0.13)), (("fluticasone-salmeterol",), ("albuterol",)),
        (), 6, plan="Continue inhalers; vaccines reviewed; pulmonary rehabilitation offered.", subjective="Winded on stairs, no change from last visit.",
    ),
    Problem(
        "depression", "F32.A", "Depression", ((13, 0.03), (20, 0.1), (45, 0.12), (75, 0.07)), (("sertraline-50", "fluoxetine-20"), ("sertraline-100",)),
        (), 5, plan="Continue medication; PHQ-9 at each visit; counseling referral discussed; safety reviewed.",
        subjective="Mood steadier than before; sleep fair; no thoughts of self-harm.",
    ),
    Problem(
        "anxiety", "F41.1", "Generalized anxiety disorder", ((12, 0.04), (25, 0.09), (60, 0.07), (80, 0.04)), (("sertraline-50",),), (), 6,
        plan="Continue medication; sleep routine and breathing exercises reviewed.", subjective="Worries are manageable; one bad week around a deadline.",
    ),
    Problem(
        "hypothyroidism", "E03.9", "Hypothyroidism", ((20, 0.01), (45, 0.05), (70, 0.1)), (("levothyroxine-75",),), ("tsh",), 12,
        plan="Continue levothyroxine; TSH yearly or 6 weeks after a change.", subjective="Energy is fair; takes the tablet before breakfast.",
    ),
    Problem(
        "reflux", "K21.9", "Gastro-esophageal reflux disease", ((20, 0.04), (45, 0.12), (70, 0.16)), (("omeprazole-20",),), (), 12,
        plan="Lowest effective dose; raise head of bed; avoid late meals.", subjective="Heartburn controlled unless meals are late.",
    ),
    Problem(
        "knee-arthritis", "M17.0", "Bilateral primary osteoarthritis of knee", ((45, 0.04), (65, 0.16), (80, 0.24)), (("acetaminophen-325",),), (), 12,
        after=("obesity",), times=1.6, plan="Activity as tolerated; physical therapy exercises; acetaminophen as needed.",
        subjective="Knees stiff in the morning and after sitting.",
    ),
    Problem(
        "back-pain", "M54.50", "Low back pain", ((20, 0.04), (50, 0.12), (75, 0.13)), (("naproxen-500",),), (), 12,
        plan="Stay active; core exercises; short course of naproxen as needed.", subjective="Dull ache after long days, no leg symptoms.",
    ),
    Problem(
        "migraine", "G43.909", "Migraine", ((12, 0.03), (25, 0.12), (45, 0.12), (65, 0.04)), (("naproxen-500",),), (), 12, sexes="f",
        plan="Headache diary; regular sleep; treat early.", subjective="Two or three headaches a month, relieved by rest and naproxen.",
    ),
    Problem(
        "rhinitis", "J30.2", "Seasonal allergic rhinitis", ((4, 0.06), (15, 0.14), (50, 0.11), (75, 0.06)), (("cetirizine-10", "loratadine-10"), ("fluticasone-nasal",)),
        (), 12, plan="Antihistamine in season; nasal steroid if not enough.", subjective="Sneezing and itchy eyes in spring.",
    ),
    Problem(
        "eczema", "L20.9", "Atopic dermatitis", ((0, 0.05), (5, 0.11), (18, 0.06), (60, 0.03)), (("hydrocortisone",),), (), 12,
        plan="Moisturize twice daily; short course of topical steroid for flares.", subjective="Dry patches at elbows and knees come and go.",
    ),
    Problem(
        "adhd", "F90.2", "Attention-deficit hyperactivity disorder, combined type", ((6, 0.03), (10, 0.09), (17, 0.08), (30, 0.03)), (("methylphenidate-20",),),
        (), 4, plan="Continue medication; growth, appetite and blood pressure followed; school plan reviewed.",
        subjective="Teachers report better focus; appetite smaller at lunch.",
    ),
    Problem(
        "coronary", "I25.10", "Coronary artery disease of native vessel", ((45, 0.02), (65, 0.12), (80, 0.2)), (("aspirin-81",), ("metoprolol-50",), ("atorvastatin-20",)),
        ("lipid", "bmp"), 6, after=("hypertension",), times=1.4, plan="Aspirin, statin and beta blocker; cardiology yearly.", subjective="No chest pain with usual activity.",
    ),
    Problem(
        "fibrillation", "I48.91", "Atrial fibrillation", ((55, 0.02), (70, 0.08), (82, 0.14)), (("apixaban-5", "warfarin-5"), ("metoprolol-50",)), ("bmp", "cbc"), 6,
        plan="Anticoagulation and rate control; bleeding precautions reviewed.", subjective="Occasional flutter, no dizziness or bleeding.",
    ),
    Problem(
        "heart-failure", "I50.22", "Chronic systolic heart failure", ((60, 0.02), (75, 0.07), (85, 0.11)), (("furosemide-40",), ("lisinopril-20",), ("metoprolol-50",)), ("bmp", "bnp"), 3,
        after=("coronary",), times=3.0, plan="Daily weights; 2 g sodium; call for gain of 3 pounds in a day.", subjective="Sleeps on two pillows; ankles a little swollen by evening.",
    ),
    Problem(
        "prostate", "N40.1", "Benign prostatic hyperplasia with lower urinary tract symptoms", ((45, 0.05), (60, 0.26), (75, 0.45)), (("tamsulosin",), ("finasteride-5",)), ("psa",), 12,
        sexes="m", plan="Continue alpha blocker; PSA shared decision yearly.", subjective="Up once or twice at night; stream fair.",
    ),
    Problem(
        "osteoporosis", "M81.0", "Age-related osteoporosis", ((52, 0.03), (65, 0.16), (80, 0.3)), (("alendronate-10",),), ("vitamin-d",), 12, sexes="f",
        plan="Calcium and vitamin D, weight-bearing exercise, fall safety; bone density every 2 years.", subjective="No falls or new back pain.",
    ),
    Problem(
        "gout", "M10.9", "Gout", ((35, 0.02), (55, 0.07), (75, 0.11)), (("allopurinol-100",),), ("uric-acid",), 12, sexes="m",
        plan="Allopurinol toward urate below 6; flare plan reviewed.", subjective="One toe flare this year.",
    ),
    Problem(
        "anemia", "D50.9", "Iron deficiency anemia", ((14, 0.04), (30, 0.08), (50, 0.05), (75, 0.05)), (("ferrous-sulfate",),), ("cbc", "ferritin"), 4, sexes="f",
        plan="Oral iron for 3 months beyond normal hemoglobin; recheck CBC and ferritin.", subjective="Tired, less so since starting iron.",
    ),
    Problem(
        "neuropathy", "G62.9", "Polyneuropathy", ((50, 0.02), (75, 0.08)), (("gabapentin-300",),), (), 6, after=("diabetes",), times=3.0,
        plan="Foot care; continue gabapentin.", subjective="Tingling in both feet at night.",
    ),
    Problem(
        "dementia", "F03.90", "Dementia without behavioral disturbance", ((70, 0.03), (85, 0.15)), (("donepezil-10",),), (), 6,
        plan="Caregiver support; safety at home; advance care planning.", subjective="Family reports more repeating of questions.",
    ),
    Problem(
        "sleep-apnea", "G47.33", "Obstructive sleep apnea", ((30, 0.03), (55, 0.1), (70, 0.11)), (), (), 12, after=("obesity",), times=2.2,
        plan="Continue CPAP nightly; supplies renewed.", subjective="Wears CPAP most nights; less sleepy by day.",
    ),
)  # fmt: skip

PROBLEM = {problem.key: problem for problem in PROBLEMS}


@dataclass(frozen=True, slots=True)
class Illness:
    """Something that comes and goes; `ages` up to but without the last, `weight` how often, `days` until it is gone."""

    key: str
    code: str
    name: str
    ages: tuple[int, int]
    weight: float
    days: int
    complaint: str
    findings: str
    plan: str
    drugs: tuple[str, ...] = ()
    fever: float = 0.0
    sexes: str = "fm"
    panels: tuple[str, ...] = ()
    season: tuple[int, ...] = ()


ILLNESSES = (
    Illness(
        "cold", "J06.9", "Acute upper respiratory infection", (1, 100), 3.0, 10, "runny nose, cough and sore throat for 4 days",
        "Throat mildly red without exudate; lungs clear.", "Fluids and rest; return if fever or shortness of breath.", fever=0.3, season=(10, 11, 12, 1, 2, 3),
    ),
    Illness(
        "strep", "J02.0", "Streptococcal pharyngitis", (4, 40), 1.2, 10, "sore throat and fever for 2 days", "Tonsils enlarged with exudate; tender anterior nodes.",
        "Amoxicillin for 10 days; back to school after 24 hours of treatment.", ("amoxicillin-500",), 0.8,
    ),
    Illness(
        "otitis", "H66.91", "Otitis media, right ear", (0, 8), 2.2, 14, "tugging at the right ear and poor sleep", "Right eardrum red and bulging.",
        "Amoxicillin for 10 days; pain relief; recheck if not better in 3 days.", ("amoxicillin-suspension",), 0.7,
    ),
    Illness(
        "sinusitis", "J01.90", "Acute sinusitis", (12, 90), 1.0, 14, "facial pressure and congestion for 11 days", "Maxillary tenderness; purulent nasal discharge.",
        "Amoxicillin-clavulanate for 7 days; saline rinses.", ("amoxicillin-clavulanate",), 0.3,
    ),
    Illness(
        "uti", "N39.0", "Urinary tract infection", (16, 100), 1.4, 7, "burning and frequency for 2 days", "No flank tenderness; abdomen soft.",
        "Nitrofurantoin for 5 days; fluids; call if fever or back pain.", ("nitrofurantoin-50",), 0.1, "f", ("urinalysis",),
    ),
    Illness(
        "ankle", "S93.401A", "Sprain of right ankle", (8, 70), 0.8, 30, "rolled the right ankle yesterday", "Swelling below the lateral malleolus; can bear weight.",
        "Rest, ice, compression, elevation; ibuprofen as needed.", ("ibuprofen-200",),
    ),
    Illness(
        "bronchitis", "J20.9", "Acute bronchitis", (18, 100), 1.1, 18, "cough with phlegm for 8 days", "Scattered rhonchi that clear with cough; no focal crackles.",
        "Supportive care; antibiotics not needed; return if worse.", (), 0.2, season=(11, 12, 1, 2, 3),
    ),
    Illness(
        "gastroenteritis", "K52.9", "Gastroenteritis", (1, 90), 0.9, 5, "vomiting and diarrhea since last night", "Mucous membranes moist; abdomen soft.",
        "Small sips of oral rehydration; return if unable to keep fluids down.", (), 0.4,
    ),
    Illness(
        "conjunctivitis", "H10.9", "Conjunctivitis", (2, 60), 0.6, 7, "red, sticky eye for 2 days", "Conjunctiva injected with discharge; vision normal.",
        "Hygiene and warm compresses; return for pain or change in vision.",
    ),
    Illness(
        "dermatitis", "L25.9", "Contact dermatitis", (3, 80), 0.7, 14, "itchy rash on the forearm", "Linear vesicles on the forearm.", "Hydrocortisone cream; avoid the trigger.", ("hydrocortisone",),
    ),
    Illness(
        "neck-pain", "M54.2", "Cervicalgia", (20, 80), 0.7, 30, "stiff, sore neck for a week", "Tight trapezius; full strength in the arms.", "Heat, stretching, naproxen as needed.", ("naproxen-500",),
    ),
    Illness(
        "fatigue", "R53.83", "Fatigue", (16, 90), 0.7, 60, "tired for two months", "Examination unremarkable.", "Blood count, thyroid and metabolic panel; sleep review.", (), 0.0, "fm", ("cbc", "tsh", "cmp"),
    ),
)  # fmt: skip
