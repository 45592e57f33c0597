"""Releases in the layouts their publishers document, with invented codes and names only."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

SYNONYM, FULL = "900000000000013009", "900000000000003001"
PREFERRED, ACCEPTABLE = "900000000000548007", "900000000000549004"
IS_A = "116680003"
PRIMITIVE, DEFINED = "900000000000074008", "900000000000073002"

Concepts = Mapping[str, tuple[str, Sequence[str]]]
ZOO: Concepts = {
    "900001": ("Zoo concept", ()), "900002": ("Beast", ("900001",)), "900003": ("Furry beast", ("900002",)), "900004": ("Wet beast", ("900002",)),
    "900005": ("Otter", ("900003", "900004")), "900006": ("Cage", ("900001",)),
}  # fmt: skip
"""code → name and parents."""

LOINC_COLUMNS = [
    "LOINC_NUM",
    "COMPONENT",
    "PROPERTY",
    "TIME_ASPCT",
    "SYSTEM",
    "SCALE_TYP",
    "METHOD_TYP",
    "CLASS",
    "VersionLastChanged",
    "CHNG_TYPE",
    "DefinitionDescription",
    "STATUS",
    "CONSUMER_NAME",
    "CLASSTYPE",
    "FORMULA",
    "EXMPL_ANSWERS",
    "SURVEY_QUEST_TEXT",
    "SURVEY_QUEST_SRC",
    "UNITSREQUIRED",
    "RELATEDNAMES2",
    "SHORTNAME",
    "ORDER_OBS",
    "HL7_FIELD_SUBFIELD_ID",
    "EXTERNAL_COPYRIGHT_NOTICE",
    "EXAMPLE_UNITS",
    "LONG_COMMON_NAME",
    "EXAMPLE_UCUM_UNITS",
    "STATUS_REASON",
    "STATUS_TEXT",
    "CHANGE_REASON_PUBLIC",
    "COMMON_TEST_RANK",
    "COMMON_ORDER_RANK",
    "HL7_ATTACHMENT_STRUCTURE",
    "EXTERNAL_COPYRIGHT_LINK",
    "PanelType",
    "AskAtOrderEntry",
    "AssociatedObservations",
    "VersionFirstReleased",
    "ValidHL7AttachmentRequest",
    "DisplayName",
]


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8")
    return path


def tabs(*fields: object) -> str:
    return "\t".join(map(str, fields))


def snomed(
    folder: Path, concepts: Concepts = ZOO, *, date: str = "20260301", retired: Sequence[str] = (), attributes: Sequence[tuple[str, str, str]] = ()
) -> Path:
    """An RF2 snapshot of the edition of the United States. Each concept has a full name, a preferred and an acceptable synonym."""
    end = f"US1000124_{date}.txt"
    root = folder / "Snapshot"
    write(root / f"Terminology/sct2_Concept_Snapshot_{end}", [
        tabs("id", "effectiveTime", "active", "moduleId", "definitionStatusId"),
        *(tabs(code, date, int(code not in retired), "731000124108", PRIMITIVE if place % 2 else DEFINED) for place, code in enumerate(concepts)),
    ])  # fmt: skip
    names = [(f"{code}{kind}", code, type, text) for code, (name, _) in concepts.items()
             for kind, type, text in ((1, FULL, f"{name} (thing)"), (2, SYNONYM, f"{name}, so called"), (3, SYNONYM, name))]  # fmt: skip
    write(root / f"Terminology/sct2_Description_Snapshot-en_{end}", [
        tabs("id", "effectiveTime", "active", "moduleId", "conceptId", "languageCode", "typeId", "term", "caseSignificanceId"),
        *(tabs(id, date, 1, "731000124108", code, "en", type, text, "900000000000448009") for id, code, type, text in names),
    ])  # fmt: skip
    edges = [(code, parent, IS_A) for code, (_, parents) in concepts.items() for parent in parents] + list(attributes)
    write(root / f"Terminology/sct2_Relationship_Snapshot_{end}", [
        tabs("id", "effectiveTime", "active", "moduleId", "sourceId", "destinationId", "relationshipGroup", "typeId", "characteristicTypeId", "modifierId"),
        *(tabs(f"{n}", date, 1, "731000124108", source, target, 0, type, "900000000000011006", "900000000000451002") for n, (source, target, type) in enumerate(edges)),
    ])  # fmt: skip
    write(root / f"Refset/Language/der2_cRefset_LanguageSnapshot-en_{end}", [
        tabs("id", "effectiveTime", "active", "moduleId", "refsetId", "referencedComponentId", "acceptabilityId"),
        *(tabs(n, date, 1, "731000124108", "900000000000509007", id, ACCEPTABLE if type == SYNONYM and text.endswith("so called") else PREFERRED)
          for n, (id, _, type, text) in enumerate(names)),
    ])  # fmt: skip
    return folder


def quoted(fields: Iterable[str]) -> str:
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields)


def loinc(folder: Path, version: str = "2.91") -> Path:
    """`Loinc_2.91.zip` as it is downloaded."""
    terms: list[dict[str, str]] = [
        {"LOINC_NUM": "99001-1", "COMPONENT": "Unobtainium", "PROPERTY": "MCnc", "SYSTEM": "Ser", "SCALE_TYP": "Qn", "CLASS": "CHEM", "CLASSTYPE": "1",
         "STATUS": "ACTIVE", "LONG_COMMON_NAME": "Unobtainium [Mass/volume] in Serum", "SHORTNAME": "Unobt SerPl-mCnc", "RELATEDNAMES2": "Unob; UNB",
         "DefinitionDescription": 'Says "how much",\nover two lines.'},
        {"LOINC_NUM": "99002-9", "COMPONENT": "Dragon mood", "SCALE_TYP": "Nom", "CLASS": "SURVEY", "CLASSTYPE": "4", "STATUS": "DEPRECATED", "LONG_COMMON_NAME": "Dragon mood"},
    ]  # fmt: skip
    files = {
        "LoincTable/Loinc.csv": [quoted(LOINC_COLUMNS), *(quoted(term.get(column, "") for column in LOINC_COLUMNS) for term in terms)],
        "AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv": [
            "PATH_TO_ROOT,SEQUENCE,IMMEDIATE_PARENT,CODE,CODE_TEXT", ",1,,LP99000-0,{component}", "LP99000-0,1,LP99000-0,LP99001-8,Unobtainium",
            "LP99000-0.LP99001-8,1,LP99001-8,99001-1,Unobtainium [Mass/volume] in Serum",
        ],
        "AccessoryFiles/AnswerFile/AnswerList.csv": [
            quoted(("AnswerListId", "AnswerListName", "AnswerListOID", "ExtDefinedYN", "AnswerStringId", "LocalAnswerCode", "SequenceNumber", "DisplayText")),
            quoted(("LL9901-1", "Moods", "", "N", "LA99001-7", "", "1", "Grumpy")), quoted(("LL9901-1", "Moods", "", "N", "LA99002-5", "", "2", "Sleepy")),
        ],
        "AccessoryFiles/AnswerFile/LoincAnswerListLink.csv": [
            quoted(("LoincNumber", "LongCommonName", "AnswerListId", "AnswerListName", "AnswerListLinkType", "ApplicableContext")),
            quoted(("99002-9", "Dragon mood", "LL9901-1", "Moods", "NORMATIVE", "")),
        ],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"Loinc_{version}.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in files.items():
            archive.writestr(name, "\r\n".join(lines) + "\r\n")
    return made


def pipes(*fields: object) -> str:
    return "|".join(map(str, fields)) + "|"


def rxnorm(folder: Path) -> Path:
    root = folder / "RxNorm_full_03022026"

    def name(code: str, atom: str, source: str, kind: str, text: str, suppress: str = "N") -> str:
        return pipes(code, "ENG", "", "", "", "", "", atom, "", code, "", source, kind, code, text, "", suppress, "4096")

    write(root / "rrf/RXNCONSO.RRF", [
        name("9900001", "1", "RXNORM", "IN", "placebonium"), name("9900002", "2", "RXNORM", "SCD", "placebonium 5 MG Oral Tablet"),
        name("9900002", "3", "RXNORM", "SY", "placebonium 5 milligram tablet"), name("9900002", "4", "ELSEWHERE", "CD", "not ours"),
        name("9900003", "5", "RXNORM", "SCD", "placebonium 1 MG Oral Tablet", "O"),
    ])  # fmt: skip
    write(root / "prescribe/rrf/RXNCONSO.RRF", [name("9900009", "9", "RXNORM", "IN", "of the subset")])

    def relation(one: str, kind: str, other: str, said: str) -> str:
        return pipes(one, "", kind, "RO", other, "", kind, said, "1", "", "RXNORM", "", "", "", "", "")

    write(root / "rrf/RXNREL.RRF", [relation("9900001", "CUI", "9900002", "has_ingredient"), relation("9900001", "AUI", "9900003", "has_ingredient")])
    write(root / "rrf/RXNSAT.RRF", [pipes("9900002", "", "", "1", "CUI", "9900002", "", "", "RXN_STRENGTH", "RXNORM", "5 MG", "N", "")])
    write(root / "rrf/RXNSTY.RRF", [pipes("9900001", "T121", "A1", "Pharmacologic Substance", "AT1", "")])
    return root


def cpt(folder: Path) -> Path:
    root = folder / "CPT2026"
    write(
        root / "LONGULT.txt",
        [
            "This is not the AMA's; everything here is invented.",
            "",
            tabs("0999X", "Looking at a dragon, each 15 minutes"),
            tabs("99991", "Counting of scales"),
        ],
    )
    write(root / "MEDU.txt", [tabs("0999X", "LOOKING AT DRAGON")])
    return root


def icd10cm(folder: Path) -> Path:
    def line(number: int, code: str, billable: int, short: str, long: str) -> str:
        return f"{number:05} {code:<7} {billable} {short:<60} {long}"

    return write(folder / "icd10cm_order_2027.txt", [
        line(1, "X99", 0, "Dragon", "Injury by dragon"), line(2, "X991", 0, "Dragon bite", "Bite of a dragon"),
        line(3, "X991XXA", 1, "Dragon bite, init", "Bite of a dragon, initial encounter"), line(4, "X999", 1, "Other dragon injury", "Other dragon injury"),
    ])  # fmt: skip


def hcpcs(folder: Path) -> Path:
    def line(code: str, number: str, kind: str, long: str, short: str = "") -> str:
        return f"{code:<5}{number:<5}{kind}{long:<80}{short:<28}"

    return write(folder / "HCPC2027_JAN_ANWEB.txt", [
        line("Z9901", "00100", "3", "Dragon saddle, with all that belongs to it and a text that goes on in", "Dragon saddle"),
        line("Z9901", "00200", "4", "the next line"), line("Z1", "00100", "7", "By a wizard", "Wizard"),
    ])  # fmt: skip


def cvx(folder: Path) -> Path:
    return write(folder / "cvx_20260301.txt", [
        "9901|dragon pox|dragon pox vaccine, live|Invented.|Active|901|False|2026/03/01", "9902|old dragon pox|||Inactive|902|False|2026/03/01",
    ])  # fmt: skip
