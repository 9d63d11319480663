"""/chat/<room>: what one says everyone in the room hears, the sender too."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from websockets.asyncio.server import broadcast

if TYPE_CHECKING:
    from jsrunner.server.connection import Connection, Play


class Rooms:
    """The rooms of a server; one that is empty is forgotten."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[Connection, str]] = {}
        self._guests = itertools.count(1)

    def enter(self, room: str, user: str) -> Play:
        """Messages in: any text. Out, as JSON: `type` (join, message, leave), `room`, `user`, and
        `members` (how many there are now) or `text`.
        """
        name = user or f"guest-{next(self._guests)}"

        async def play(connection: Connection) -> None:
            members = self._rooms.setdefault(room, {})
            members[connection] = name
            self._tell(room, type="join", user=name, members=len(members))
            try:
                async for message in connection:
                    text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                    self._tell(room, type="message", user=name, text=text)
            finally:
                del members[connection]
                if members:
                    self._tell(room, type="leave", user=name, members=len(members))
                else:
                    del self._rooms[room]

        return play

    def _tell(self, room: str, *, type: str, **fields: str | int) -> None:
        note = json.dumps({"type": type, "room": room, **fields}, separators=(",", ":"))
        broadcast(self._rooms[room], note)
