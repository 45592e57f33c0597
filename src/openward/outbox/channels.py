"""How a message leaves. Each channel is an adapter; the default of each writes a file where a person can look at it.

A real gateway is a class with `send(message)`, named in `OPENWARD_CHANNELS` (`email=package.module.Class,sms=…`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from openward.outbox.models import Message


class Undeliverable(Exception):
    """The message could not be handed over. `permanent` is the one question its sender has."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Channel(Protocol):
    def send(self, message: Message) -> None:
        """Hand the message over; raises Undeliverable."""


class FolderChannel:
    """The local double: each message becomes a text file in DATA/outbox/<channel>/."""

    def send(self, message: Message) -> None:
        folder: Path = settings.OPENWARD_DATA / "outbox" / message.channel
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = f"To: {message.to}\nTitle: {message.title}\n\n{message.body}\n"
            (folder / f"{message.id}.txt").write_text(text, encoding="utf-8")
        except OSError as error:
            raise Undeliverable(f"the folder {folder} cannot be written: {error.strerror}", permanent=False) from error


@cache
def channel(name: str) -> Channel:
    path = settings.OPENWARD_CHANNELS.get(name)
    adapter: Channel = import_string(path)() if path else FolderChannel()
    return adapter
