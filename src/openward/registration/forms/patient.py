"""Demographics: what a person types, checked, and put into the Patient without disturbing what the form does not show."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from openward.fhir.resources import Address, CodeableConcept, Coding, ContactPoint, HumanName, Patient, PatientCommunication, PatientContact
from openward.registration import facts
from openward.registration.forms.fields import Phone, TypedDate, short_text

INTERPRETER: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
SEXES: Final = [("female", _("Female")), ("male", _("Male")), ("other", _("Other")), ("unknown", _("Not known"))]
LANGUAGES: Final = [
    ("en", _("English")),
    ("es", _("Spanish")),
    ("zh", _("Chinese")),
    ("vi", _("Vietnamese")),
    ("tl", _("Tagalog")),
    ("ar", _("Arabic")),
    ("fr", _("French")),
    ("ko", _("Korean")),
    ("ru", _("Russian")),
    ("ht", _("Haitian Creole")),
    ("pt", _("Portuguese")),
    ("de", _("German")),
    ("pl", _("Polish")),
    ("it", _("Italian")),
    ("ja", _("Japanese")),
    ("hi", _("Hindi")),
    ("fa", _("Persian")),
    ("ase", _("American Sign Language")),
]


class PatientForm(forms.Form):
    """Demographics, at registration and later.

    What stands on record and was left as it is, is not held to what a desk may type: a birth date of which only the year is known, a telephone from
    elsewhere, a state in full. Otherwise nothing of the patient could be changed without inventing the rest.
    """

    family = short_text(_("Family name"), required=True, error=_("Enter the family name."))
    given = short_text(
        _("Given names"), required=True, error=_("Enter at least one given name."), hint=_("First and middle names, with a space between")
    )
    preferred = short_text(_("Goes by"), hint=_("Only if it is another name"))
    birth_date = TypedDate(label=_("Birth date"), error_messages={"required": _("Enter the birth date.")})
    sex = forms.ChoiceField(label=_("Sex"), choices=SEXES, widget=forms.RadioSelect, error_messages={"required": _("Choose the sex, or Not known.")})
    phone = Phone(label=_("Telephone"), required=False)
    texts = forms.BooleanField(label=_("Agrees to text messages about appointments"), required=False)
    email = forms.EmailField(label=_("E-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    line = short_text(_("Street and number"), longest=200)
    city = short_text(_("City"))
    state = short_text(_("State"), longest=2, hint=_("Two letters, such as NY"))
    postal_code = short_text(_("ZIP code"), longest=10)
    language = forms.ChoiceField(label=_("Language"), choices=[("", _("Not asked")), *LANGUAGES], required=False)
    interpreter = forms.BooleanField(label=_("Needs an interpreter"), required=False)
    contact_name = short_text(_("Emergency contact"), longest=150, hint=_("Their full name"))
    contact_relationship = short_text(_("Who they are"), hint=_("Such as mother, husband, neighbor"))
    contact_phone = Phone(label=_("Their telephone"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        spoken, field = str(self.initial.get("language") or ""), self.fields["language"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        if spoken and spoken not in dict(LANGUAGES):
            field.choices = [*field.choices, (spoken, self.initial.get("language_words") or spoken)]  # type: ignore[misc]

    def clean_state(self) -> str:
        state = str(self.cleaned_data["state"]).strip().upper()
        if state and not (len(state) == 2 and state.isalpha()):
            raise forms.ValidationError(_("Enter the state as two letters, such as NY."))
        return state

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        for name in [name for name in self.errors if name in self.fields and self._is_as_it_stands(name)]:
            del self.errors[name]
            entered[name] = self.initial.get(name) or ""
        if entered.get("texts") and not entered.get("phone") and "phone" not in self.errors:
            self.add_error("phone", _("Enter the telephone that may be sent text messages."))
        if entered.get("contact_phone") and not entered.get("contact_name"):
            self.add_error("contact_name", _("Enter whose telephone this is."))
        return entered

    def _is_as_it_stands(self, name: str) -> bool:
        standing = self.fields[name].prepare_value(self.initial.get(name))
        return bool(self.initial) and str(self.data.get(self.add_prefix(name), "")).strip() == str(standing or "").strip()

    @classmethod
    def shown(cls, patient: Patient) -> dict[str, Any]:
        """What the form shows of a patient already registered."""
        name = _own_name(patient)
        nick = next((one for one in patient.name if one.use == "nickname"), None)
        spoken = patient.communication[0] if patient.communication else None
        return {
            "family": name.family if name else "",
            "given": " ".join(name.given) if name else "",
            "preferred": (" ".join(nick.given) or nick.text or "") if nick else "",
            "birth_date": dt.date.fromisoformat(patient.birthDate) if patient.birthDate and len(patient.birthDate) == 10 else patient.birthDate,
            "sex": patient.gender or "",
            "phone": facts.phone_of(patient) or "",
            "texts": facts.texts_welcome(patient),
            "email": facts.email_of(patient) or "",
            "language": _language(spoken),
            "language_words": _language_words(spoken),
            "interpreter": bool(patient.extension_value(INTERPRETER)),
            **_shown_address(patient),
            **_shown_contact(patient),
        }

    def apply(self, patient: Patient) -> Patient:
        """Put what was entered into the patient; other names, telephones and addresses stay as they are."""
        entered = self.cleaned_data
        _apply_names(patient, entered)
        born = entered["birth_date"]
        patient.birthDate = born.isoformat() if isinstance(born, dt.date) else born or None
        patient.gender = entered["sex"] or None
        apply_reach(patient, entered)
        apply_address(patient, entered)
        _apply_language(patient, entered)
        apply_contact(patient, entered)
        return patient


def _own_name(patient: Patient) -> HumanName | None:
    return next((name for name in patient.name if name.use in ("official", "usual")), None) or next(
        (name for name in patient.name if name.use != "nickname"), None
    )


def _language(spoken: PatientCommunication | None) -> str:
    codes = [coding.code for coding in spoken.language.coding] if spoken and spoken.language else []
    return str(codes[0]).split("-")[0] if codes and codes[0] else ""


def _language_words(spoken: PatientCommunication | None) -> str:
    if spoken is None or spoken.language is None:
        return ""
    return str(spoken.language.text or next((coding.display for coding in spoken.language.coding if coding.display), ""))


def _shown_address(patient: Patient) -> dict[str, Any]:
    place = patient.address[0] if patient.address else None
    if place is None:
        return {}
    return {"line": ", ".join(place.line), "city": place.city or "", "state": place.state or "", "postal_code": place.postalCode or ""}


def _emergency(patient: Patient) -> PatientContact | None:
    return next((one for one in patient.contact if any(coding.code == "C" for concept in one.relationship for coding in concept.coding)), None)


def _shown_contact(patient: Patient) -> dict[str, Any]:
    contact = _emergency(patient)
    if contact is None:
        return {}
    words = next((concept.text for concept in contact.relationship if concept.text), "")
    phone = next((point.value for point in contact.telecom if point.system == "phone"), "")
    name = contact.name
    shown = (name.text or " ".join([*name.given, name.family or ""]).strip()) if name else ""
    return {"contact_name": shown, "contact_relationship": words, "contact_phone": phone}


def _apply_names(patient: Patient, entered: dict[str, Any]) -> None:
    own = _own_name(patient)
    if own is None:
        own = HumanName(use="official")
        patient.name = [own, *patient.name]
        own = patient.name[0]
    own.family, own.given, own.text = entered["family"].strip(), entered["given"].split(), None
    others = [name for name in patient.name if name.use != "nickname"]
    nick = [HumanName(use="nickname", given=[entered["preferred"].strip()])] if entered["preferred"].strip() else []
    patient.name = [*others, *nick]


def apply_reach(patient: Patient, entered: dict[str, Any]) -> None:
    """Telephone, e-mail, and whether texts are welcome."""
    _apply_point(patient, "phone", entered["phone"])
    _apply_point(patient, "email", entered["email"])
    facts.welcome_texts(patient, entered["texts"])


def _apply_point(patient: Patient, system: str, value: str) -> None:
    """Change the one that is used first; without a value, take it out."""
    points: list[ContactPoint] = list(patient.telecom)
    used = facts.contact_point(patient, system)
    if used is None:
        patient.telecom = [*points, ContactPoint(system=system, value=value, use="home")] if value else points
        return
    kept = next(point for point in points if point == used)
    if value:
        kept.value = value
    patient.telecom = points if value else [point for point in points if point is not kept]


def apply_address(patient: Patient, entered: dict[str, Any]) -> None:
    parts = {"city": entered["city"], "state": entered["state"], "postalCode": entered["postal_code"]}
    filled = {name: value.strip() for name, value in parts.items() if value.strip()}
    line = [entered["line"].strip()] if entered["line"].strip() else []
    if not (filled or line):
        patient.address = patient.address[1:]
        return
    place = patient.address[0] if patient.address else Address(use="home", country=facts.COUNTRY)
    place.line = line
    for name in parts:
        setattr(place, name, filled.get(name))
    patient.address = [place, *patient.address[1:]]


def _apply_language(patient: Patient, entered: dict[str, Any]) -> None:
    code = entered["language"]
    if code != _language(patient.communication[0] if patient.communication else None):
        words = {key: str(word) for key, word in LANGUAGES}
        spoken = PatientCommunication(
            language=CodeableConcept(coding=[Coding(system="urn:ietf:bcp:47", code=code, display=words.get(code))]), preferred=True
        )
        patient.communication = [spoken, *patient.communication[1:]] if code else patient.communication[1:]
    patient.set_extension(INTERPRETER, **({"valueBoolean": True} if entered["interpreter"] else {}))


def apply_contact(patient: Patient, entered: dict[str, Any]) -> None:
    """Change what was changed of the emergency contact; under another name it is another person, of whom nothing is known yet."""
    before, shown = _emergency(patient), _shown_contact(patient)
    others = [one for one in patient.contact if before is None or one != before]
    name, words, phone = entered["contact_name"].strip(), entered["contact_relationship"].strip(), entered["contact_phone"]
    if not name:
        patient.contact = others
        return
    if before is not None and name == shown["contact_name"]:
        if words != shown["contact_relationship"]:
            _put_words(before, words)
        if phone != shown["contact_phone"]:
            _put_phone(before, phone)
        patient.contact = [*others, before]
        return
    role = CodeableConcept(coding=[Coding(system=facts.CONTACT_ROLE, code="C", display="Emergency Contact")])
    contact = PatientContact(relationship=[role], name=HumanName(text=name))
    _put_words(contact, words)
    _put_phone(contact, phone)
    patient.contact = [*others, contact]


def _put_words(contact: PatientContact, words: str) -> None:
    roles = list(contact.relationship)
    named = next((one for one in roles if one.text), roles[0])
    named.text = words or None
    contact.relationship = roles


def _put_phone(contact: PatientContact, phone: str) -> None:
    """The first telephone is the one shown."""
    points: list[ContactPoint] = list(contact.telecom)
    first = next((place for place, point in enumerate(points) if point.system == "phone"), None)
    if first is None:
        points += [ContactPoint(system="phone", value=phone)] if phone else []
    elif phone:
        points[first].value = phone
    else:
        del points[first]
    contact.telecom = points


class DifferentPersonForm(forms.Form):
    """Why somebody very like a registered patient is another person."""

    different = forms.CharField(
        label=_("Why is this a different person?"),
        max_length=300,
        error_messages={"required": _("Say how you know that this is a different person.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
