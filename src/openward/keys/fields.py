"""A model field whose column holds sealed text only.

    class App(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid4)
        secret = SealedTextField("oauth-client")

It reads and writes like any text. It is unsealed when first looked at, bound to its table, column and row: a value copied to another row does not open.
Such a field cannot be searched; `values()` gives it sealed, as an object that prints nothing.
"""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from openward.keys.sealing import seal, unseal


class Sealed(str):
    """The text of the column as it stands there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<sealed>"


class SealedAttribute(DeferredAttribute):
    field: SealedTextField

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed) and instance is not None:
            value = instance.__dict__[self.field.attname] = self.field.unsealed(value, instance)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Here so that Python asks `__get__` although the instance has a value."""
        instance.__dict__[self.field.attname] = value


class SealedTextField(models.TextField):
    """Text that stands sealed in the database. `row` names the field that names the row and never changes, by default the primary key."""

    description = "Text, sealed under a data key"
    descriptor_class = SealedAttribute

    def __init__(self, purpose: str = "", *, row: str = "pk", **options: Any) -> None:
        self.purpose, self.row = purpose, row
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, arguments, options = super().deconstruct()
        return name, path, (self.purpose, *arguments), {**options, **({"row": self.row} if self.row != "pk" else {})}

    def check(self, **options: Any) -> list[checks.CheckMessage]:
        named = self.model._meta.pk if self.row == "pk" else self.model._meta.get_field(self.row)
        if isinstance(named, models.AutoField | models.BigAutoField):
            trouble = "the row of a sealed field must be known before it is saved: use a UUID, or name another field with row="
            return [*super().check(**options), checks.Error(trouble, obj=self, id="openward.keys.E001")]
        return super().check(**options)

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return Sealed(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ARG002 - Django's signature
        value = model_instance.__dict__.get(self.attname)
        return value if isinstance(value, Sealed) or not value else self.sealed(str(value), model_instance)

    def sealed(self, text: str, instance: models.Model) -> Sealed:
        return Sealed(seal(self.purpose, text, about=self._about(instance), tenant=getattr(instance, "tenant", 1)))

    def unsealed(self, sealed: Sealed, instance: models.Model) -> str:
        """Raises KeyTrouble."""
        return unseal(self.purpose, sealed, about=self._about(instance), tenant=getattr(instance, "tenant", 1))

    def get_prep_value(self, value: Any) -> Any:
        """Only what was sealed for its row goes into the column: `update(secret=…)` and look-ups by it are programming errors."""
        if value and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is sealed: save() the instance, and do not search by it")
        return super().get_prep_value(value)

    def _about(self, instance: models.Model) -> tuple[str, str, str]:
        return instance._meta.label_lower, str(self.column), str(getattr(instance, self.row))
