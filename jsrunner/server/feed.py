"""The path /push: a feed of prices that go up and down, as an exchange sends them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsrunner.server.connection import Connection, Play

SYMBOLS: Final = ("BTC-USD", "ETH-USD", "SOL-USD")

#: The shortest pause in seconds. A faster feed sends several messages after a pause.
_SHORTEST_PAUSE: Final = 0.001
#: Messages that are sent before other connections are served.
_BURST: Final = 64
_PADDING: Final = ',"pad":""'


def feed(*, rate: float, count: int, size: int, symbols: Sequence[str]) -> Play:
    """Return the handler of a feed.

    A message is JSON with `seq` (from 1 on), `symbol`, `price`, `ts` (milliseconds since 1970) and, if
    padded, `pad`.

    Args:
        rate: Messages per second; 0 for as many as the client reads.
        count: The number of messages, after which the server closes with 1000; 0 for no end.
        size: The least number of characters of a message, to which it is padded.
        symbols: The symbols, which take turns.
    """

    async def play(connection: Connection) -> None:
        names = [json.dumps(symbol) for symbol in symbols]
        prices = [100.0] * len(names)
        begun = connection.loop.time()
        sent = 0
        while not count or sent < count:
            due = begun + (sent + 1) / rate - connection.loop.time() if rate else 0.0
            if due > 0:
                await connection.pause(max(due, _SHORTEST_PAUSE))
            elif sent % _BURST == 0:
                await asyncio.sleep(0)
            index = sent % len(names)
            prices[index] *= random.uniform(0.999, 1.001)
            sent += 1
            await connection.send(_tick(sent, names[index], prices[index], size))

    return play


def _tick(number: int, symbol: str, price: float, size: int) -> str:
    now = int(time.time() * 1000)
    text = f'{{"seq":{number},"symbol":{symbol},"price":{price:.2f},"ts":{now}}}'
    missing = size - len(text)
    if missing <= 0:
        return text
    return f'{text[:-1]},"pad":"{"x" * max(missing - len(_PADDING), 0)}"}}'
