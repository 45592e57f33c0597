"""Why a demo clinic is not made; the docstring is the sentence a person reads."""

from __future__ import annotations

from openward.troubles import DatabaseTrouble


class InUse(DatabaseTrouble):
    """This record is already in use ({what}). A demo clinic is only made in an empty one: choose another folder with --data."""


class AnotherDemo(DatabaseTrouble):
    """This record holds another demo clinic ({what}). Choose another folder with --data to make a second one."""
