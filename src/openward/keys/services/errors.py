"""What can be wrong with a key service; the docstring is the sentence a person reads. Never with a token or a key in it."""

from __future__ import annotations

from openward.keys.errors import KeyTrouble


class ServiceUnset(KeyTrouble):
    """The key service in OPENWARD_KMS cannot be used: {reason}."""


class ServiceAway(KeyTrouble):
    """The key service at {where} does not answer ({reason}). What this process has unwrapped already goes on being sealed and read; anything else waits for it."""


class ServiceRefused(KeyTrouble):
    """The key service at {where} refuses: {reason}."""
