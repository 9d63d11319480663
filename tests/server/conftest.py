"""A server for all tests of this folder, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from waiting import DEADLINE

from jsrunner.server.server import Addresses, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[Addresses]:
    listening = threading.Event()
    found: list[Addresses] = []
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with running("127.0.0.1", 0, tls=True) as addresses:
            found.append(addresses)
            listening.set()
            await over.wait()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert listening.wait(DEADLINE)
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join(DEADLINE)
    assert not thread.is_alive()
