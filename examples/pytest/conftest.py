"""The application, listening in a thread for all tests."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from app import application

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def chat_url() -> Iterator[str]:
    """The address of the chat room."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application())

    async def listen() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    yield f"ws://127.0.0.1:{port}/chat"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
