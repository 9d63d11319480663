"""/push: prices that go up and down, as an exchange sends them."""

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

#: A timer is not asked for less, in seconds: faster feeds send several messages at once.
_SHORTEST_PAUSE: Final = 0.001
#: After so many messages in a row the other connections get their turn.
_BURST: Final = 64
_PADDING: Final = ',"pad":""'


def feed(*, rate: float, count: int, size: int, symbols: Sequence[str]) -> Play:
    """`rate` messages a second (0: as fast as the client reads), `count` of them (0: without end,
    else close 1000 follows), each padded to `size` characters.

    A message is JSON: `seq` from 1, `symbol`, `price`, `ts` (milliseconds since 1970), `pad` if padded.
    """

    async def play(connection: Connection) -> None:
        names = [json.dumps(one) for one in symbols]
        prices = [100.0] * len(names)
        begun = connection.loop.time()
        sent = 0
        while not count or sent < count:
            due = begun + (sent + 1) / rate - connection.loop.time() if rate else 0.0
            if due > 0:
                await connection.pause(max(due, _SHORTEST_PAUSE))
            elif sent % _BURST == 0:
                await asyncio.sleep(0)
            turn = sent % len(names)
            prices[turn] *= random.uniform(0.999, 1.001)
            sent += 1
            await connection.send(_tick(sent, names[turn], prices[turn], size))

    return play


def _tick(number: int, symbol: str, price: float, size: int) -> str:
    now = int(time.time() * 1000)
    text = f'{{"seq":{number},"symbol":{symbol},"price":{price:.2f},"ts":{now}}}'
    missing = size - len(text)
    if missing <= 0:
        return text
    return f'{text[:-1]},"pad":"{"x" * max(missing - len(_PADDING), 0)}"}}'
