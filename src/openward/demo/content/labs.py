"""Laboratory tests: LOINC codes (https://loinc.org, free with notice), UCUM units and usual adult reference ranges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Analyte:
    """`low` and `high` bound the reference range; `panic` the values a laboratory telephones; the female range when it differs."""

    key: str
    code: str
    name: str
    unit: str
    ucum: str
    digits: int
    low: float | None
    high: float | None
    panic: tuple[float, float] | None = None
    female: tuple[float | None, float | None] | None = None

    def bounds(self, sex: str) -> tuple[float | None, float | None]:
        """The reference range for this sex."""
        return self.female if sex == "female" and self.female else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Panel:
    """An order and the analytes it reports."""

    key: str
    code: str
    name: str
    analytes: tuple[str, ...]


ANALYTES = (
    Analyte("a1c", "4548-4", "Hemoglobin A1c", "%", "%", 1, 4.0, 5.6),
    Analyte("glucose", "2345-7", "Glucose", "mg/dL", "mg/dL", 0, 70, 99, (45, 450)),
    Analyte("bun", "3094-0", "Urea nitrogen", "mg/dL", "mg/dL", 0, 7, 20),
    Analyte("creatinine", "2160-0", "Creatinine", "mg/dL", "mg/dL", 2, 0.7, 1.3, (0.2, 7.0), (0.6, 1.1)),
    Analyte("egfr", "98979-8", "eGFR (CKD-EPI 2021)", "mL/min/{1.73_m2}", "mL/min/{1.73_m2}", 0, 60, None),
    Analyte("sodium", "2951-2", "Sodium", "mmol/L", "mmol/L", 0, 135, 145, (120, 160)),
    Analyte("potassium", "2823-3", "Potassium", "mmol/L", "mmol/L", 1, 3.5, 5.1, (2.8, 6.2)),
    Analyte("chloride", "2075-0", "Chloride", "mmol/L", "mmol/L", 0, 98, 107),
    Analyte("bicarbonate", "2028-9", "Carbon dioxide", "mmol/L", "mmol/L", 0, 22, 29),
    Analyte("calcium", "17861-6", "Calcium", "mg/dL", "mg/dL", 1, 8.6, 10.3, (6.5, 13.0)),
    Analyte("protein", "2885-2", "Protein", "g/dL", "g/dL", 1, 6.0, 8.3),
    Analyte("albumin", "1751-7", "Albumin", "g/dL", "g/dL", 1, 3.5, 5.0),
    Analyte("bilirubin", "1975-2", "Bilirubin, total", "mg/dL", "mg/dL", 1, 0.1, 1.2),
    Analyte("alp", "6768-6", "Alkaline phosphatase", "U/L", "U/L", 0, 40, 129),
    Analyte("alt", "1742-6", "Alanine aminotransferase", "U/L", "U/L", 0, 7, 55, None, (7, 45)),
    Analyte("ast", "1920-8", "Aspartate aminotransferase", "U/L", "U/L", 0, 8, 48),
    Analyte("cholesterol", "2093-3", "Cholesterol", "mg/dL", "mg/dL", 0, None, 199),
    Analyte("triglycerides", "2571-8", "Triglycerides", "mg/dL", "mg/dL", 0, None, 149),
    Analyte("hdl", "2085-9", "HDL cholesterol", "mg/dL", "mg/dL", 0, 40, None, None, (50, None)),
    Analyte("ldl", "13457-7", "LDL cholesterol, calculated", "mg/dL", "mg/dL", 0, None, 129),
    Analyte("wbc", "6690-2", "Leukocytes", "10*3/uL", "10*3/uL", 1, 4.0, 11.0, (1.0, 40.0)),
    Analyte("rbc", "789-8", "Erythrocytes", "10*6/uL", "10*6/uL", 2, 4.4, 5.9, None, (3.8, 5.2)),
    Analyte("hemoglobin", "718-7", "Hemoglobin", "g/dL", "g/dL", 1, 13.2, 17.3, (7.0, 20.0), (11.7, 15.5)),
    Analyte("hematocrit", "4544-3", "Hematocrit", "%", "%", 1, 39.0, 51.0, None, (35.0, 46.0)),
    Analyte("mcv", "787-2", "MCV", "fL", "fL", 0, 80, 100),
    Analyte("platelets", "777-3", "Platelets", "10*3/uL", "10*3/uL", 0, 150, 400, (30, 1000)),
    Analyte("tsh", "3016-3", "Thyrotropin (TSH)", "m[IU]/L", "m[IU]/L", 2, 0.4, 4.5),
    Analyte("uacr", "9318-7", "Albumin/Creatinine, urine", "mg/g", "mg/g", 0, None, 29),
    Analyte("psa", "2857-1", "Prostate specific antigen", "ng/mL", "ng/mL", 1, None, 4.0),
    Analyte("vitamin-d", "62292-8", "25-Hydroxyvitamin D", "ng/mL", "ng/mL", 0, 30, 100),
    Analyte("uric-acid", "3084-1", "Urate", "mg/dL", "mg/dL", 1, 3.5, 7.2),
    Analyte("ferritin", "2276-4", "Ferritin", "ng/mL", "ng/mL", 0, 24, 336, None, (11, 307)),
    Analyte("bnp", "33762-6", "NT-proBNP", "pg/mL", "pg/mL", 0, None, 450),
    Analyte("urine-wbc", "5799-2", "Leukocyte esterase, urine", "", "", 0, None, None),
    Analyte("urine-nitrite", "5802-4", "Nitrite, urine", "", "", 0, None, None),
)

PANELS = (
    Panel("a1c", "4548-4", "Hemoglobin A1c", ("a1c",)),
    Panel("bmp", "24321-2", "Basic metabolic panel", ("glucose", "bun", "creatinine", "egfr", "sodium", "potassium", "chloride", "bicarbonate", "calcium")),
    Panel(
        "cmp", "24323-8", "Comprehensive metabolic panel",
        ("glucose", "bun", "creatinine", "egfr", "sodium", "potassium", "chloride", "bicarbonate", "calcium", "protein", "albumin", "bilirubin", "alp", "alt", "ast"),
    ),
    Panel("lipid", "57698-3", "Lipid panel", ("cholesterol", "triglycerides", "hdl", "ldl")),
    Panel("lft", "24325-3", "Hepatic function panel", ("protein", "albumin", "bilirubin", "alp", "alt", "ast")),
    Panel("cbc", "58410-2", "Complete blood count", ("wbc", "rbc", "hemoglobin", "hematocrit", "mcv", "platelets")),
    Panel("tsh", "3016-3", "Thyrotropin (TSH)", ("tsh",)),
    Panel("uacr", "9318-7", "Urine albumin/creatinine ratio", ("uacr",)),
    Panel("psa", "2857-1", "Prostate specific antigen", ("psa",)),
    Panel("vitamin-d", "62292-8", "25-Hydroxyvitamin D", ("vitamin-d",)),
    Panel("uric-acid", "3084-1", "Urate", ("uric-acid",)),
    Panel("ferritin", "2276-4", "Ferritin", ("ferritin",)),
    Panel("bnp", "33762-6", "NT-proBNP", ("bnp",)),
    Panel("urinalysis", "24357-6", "Urinalysis, dipstick", ("urine-wbc", "urine-nitrite")),
)  # fmt: skip

ANALYTE = {analyte.key: analyte for analyte in ANALYTES}
PANEL = {panel.key: panel for panel in PANELS}
