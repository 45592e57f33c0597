"""Notes: a draft is a preliminary Composition on the server, so it outlives the connection and the session; signing makes it final for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.utils import timezone

from openward.access.actor import Actor
from openward.chart import notes
from openward.chart.actions.writing import coded, must_exist, now_text, patient_reference, signature, visit_reference, without_empty
from openward.chart.codes import LOINC
from openward.chart.errors import DraftChangedElsewhere, EmptyNote, NoteIsSigned, NotYourDraft
from openward.chart.notes import TEMPLATE, Section, Template
from openward.chart.queries.patients import current_visit
from openward.fhir.errors import PreconditionFailed
from openward.fhir.resources import CodeableConcept, Composition, CompositionAttester, CompositionRelatesTo, CompositionSection, Narrative, Reference
from openward.fhir.work import UnitOfWork
from openward.record import unit_of_work

Texts = Mapping[str, str]
"""Section key → what is written there, as plain text."""


def open_note(*, patient: str, template: str, by: Actor, visit: str | None = None, texts: Texts | None = None) -> Composition:
    """Begin a draft. `texts` is what the sections start with, such as today's vital signs."""
    kind = notes.templates()[template]
    with unit_of_work(by=by) as work:
        must_exist(work.store, patient)
        encounter = visit or getattr(current_visit(work.store, patient), "id", None)
        note = Composition(
            **without_empty(
                status="preliminary",
                type=coded(LOINC, kind.loinc, text=kind.title),
                title=kind.title,
                subject=patient_reference(patient),
                encounter=visit_reference(encounter),
                date=now_text(),
                author=[signature(by)],
            )
        )
        note.set_extension(TEMPLATE, valueCode=template)
        note.section = sections(kind, {**_starts(kind), **(texts or {})})
        return work.store.create(note)


def _starts(kind: Template) -> dict[str, str]:
    return {section.key: section.start for section in kind.sections if section.start}


def sections(kind: Template, texts: Texts, before: Sequence[CompositionSection] = ()) -> list[CompositionSection]:
    """The sections that have something in them, in the template's order: FHIR has no empty ones.

    What a section of `before` holds besides its text (entries, subsections) stays with it, and keeps it when the text is gone.
    """
    standing = {section.title: section for section in before}
    return [made for section in kind.sections if (made := _written(section, texts.get(section.key, ""), standing.get(section.title))) is not None]


def _written(section: Section, text: str, before: CompositionSection | None) -> CompositionSection | None:
    made = before.copy() if before is not None else CompositionSection(title=section.title, code=_code(section))
    made.text = Narrative(status="additional", div=notes.narrative(text)) if text.strip() else None
    return made if made.text is not None or made.entry or made.section else None


def _code(section: Section) -> CodeableConcept:
    return coded(LOINC, section.loinc, text=section.title) if section.loinc else CodeableConcept(text=section.title)


def save_draft(*, note: str, texts: Texts, version: int | None, by: Actor) -> Composition:
    """Keep what is written so far. Raises DraftChangedElsewhere when the draft moved on since `version`, NoteIsSigned, NotYourDraft."""
    with unit_of_work(by=by) as work:
        draft = _draft(work, note, by)
        draft.section = sections(template_of(draft), texts, draft.section)
        return _update(work, draft, version)


def sign_note(*, note: str, by: Actor, texts: Texts | None = None, version: int | None = None) -> Composition:
    """Sign: from now on nobody can change it. Raises EmptyNote, DraftChangedElsewhere, NoteIsSigned, NotYourDraft."""
    with unit_of_work(by=by) as work:
        draft = _draft(work, note, by)
        if texts is not None:
            draft.section = sections(template_of(draft), texts, draft.section)
        if not draft.section:
            raise EmptyNote
        draft.status = "final"
        draft.date = timezone.now()
        draft.author = [signature(by)]
        draft.attester = [_attester(by)]
        return _update(work, draft, version)


def addendum(*, note: str, text: str, by: Actor) -> Composition:
    """Add to a signed note: another note, signed at once, that appends to it. Raises EmptyNote."""
    if not text.strip():
        raise EmptyNote
    with unit_of_work(by=by) as work:
        signed = work.store.read(Composition, note)
        kind = notes.templates()["addendum"]
        made = Composition(
            **without_empty(
                status="final",
                type=signed.type,
                title=f"Addendum to {signed.title}",
                subject=signed.subject,
                encounter=signed.encounter,
                date=now_text(),
                author=[signature(by)],
                attester=[_attester(by)],
                relatesTo=[CompositionRelatesTo(code="appends", targetReference=Reference(f"Composition/{signed.id}"))],
                section=sections(kind, {"addendum": text}),
            )
        )
        made.set_extension(TEMPLATE, valueCode="addendum")
        return work.store.create(made)


def discard_draft(*, note: str, by: Actor) -> Composition:
    """The draft was not needed: it is marked as entered in error and shown no more."""
    with unit_of_work(by=by) as work:
        draft = _draft(work, note, by)
        draft.status = "entered-in-error"
        return work.store.update(draft)


def template_of(note: Composition) -> Template:
    """The template a note was written from, with the sections it has besides: a note from elsewhere loses nothing when it is saved here."""
    known = notes.templates().get(str(note.extension_value(TEMPLATE) or ""))
    kind = known or (replace(notes.templates()["soap"], sections=()) if note.section else notes.templates()["soap"])
    named = {section.title for section in kind.sections}
    extra = [section for section in note.section if section.title not in named]
    return replace(kind, sections=(*kind.sections, *(_own_section(place, section) for place, section in enumerate(extra, 1))))


def _own_section(place: int, section: CompositionSection) -> Section:
    codes = section.code.coding if section.code is not None else []
    loinc = next((str(coding.code) for coding in codes if coding.system == LOINC and coding.code), "")
    return Section(f"own-{place}", str(section.title or ""), loinc)


def texts_of(note: Composition) -> dict[str, str]:
    """What is written in each section, by the template's keys."""
    by_title = {str(section.title): notes.plain_text(section.text.div if section.text is not None else "") for section in note.section}
    return {section.key: by_title.get(section.title, "") for section in template_of(note).sections}


def _draft(work: UnitOfWork, note: str, by: Actor) -> Composition:
    draft = work.store.read(Composition, note)
    if draft.status in ("final", "amended"):
        raise NoteIsSigned
    if draft.status != "preliminary" or not is_author(draft.author, by):
        raise NotYourDraft
    return draft


def is_author(authors: Sequence[Reference], actor: Actor) -> bool:
    mine = {("reference", actor.reference), ("display", None if actor.reference else actor.name)}
    return any((name, author.data.get(name)) in mine for author in authors for name in ("reference", "display") if author.data.get(name))


def _update(work: UnitOfWork, note: Composition, version: int | None) -> Composition:
    try:
        return work.store.update(note, if_match=version)
    except PreconditionFailed as stale:
        raise DraftChangedElsewhere from stale


def _attester(by: Actor) -> CompositionAttester:
    return CompositionAttester(mode="legal", time=timezone.now(), party=signature(by))
