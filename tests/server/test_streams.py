"""The stream of a subscription ends with the process that sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import AsyncMock, Mock
from uuid import UUID

import pytest

from openward.server import streams
from openward.server.live import Board

SUBSCRIPTION = Mock(id="s1", rkey=UUID(int=1), events=0, wanted=Mock(heartbeat=None))


class Watched(Board):
    """What a stream does when nothing happened any more: it waits, and the process is told to stop."""

    waits = 0

    @contextmanager
    def subscribed(self, topics: list[str]) -> Iterator[Any]:
        with super().subscribed(topics) as queue:
            taken = queue.get

            async def get() -> str:
                self.waits += 1
                self.end()
                woken: str = await taken()
                return woken

            queue.get = get
            yield queue


async def sent(board: Board) -> list[bytes]:
    request = Mock(is_disconnected=AsyncMock(return_value=False))
    return [part async for part in streams._stream(request, board, "token", SUBSCRIPTION, 0)]


def test_a_stream_that_waits_is_woken_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_notification", lambda *_: (0, b"event: handshake\n\n"))
    monkeypatch.setattr(streams, "_opened", lambda *_: SUBSCRIPTION)
    board = Watched()
    assert asyncio.run(sent(board)) == [b"retry: 1000\n\nevent: handshake\n\n"]
    assert board.waits == 1
