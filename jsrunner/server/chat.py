"""The path /chat/ROOM: each message goes to all members of the room, the sender included."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from websockets.asyncio.server import broadcast

if TYPE_CHECKING:
    from jsrunner.server.connection import Connection, Play


class Rooms:
    """The chat rooms of a server. An empty room is removed."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[Connection, str]] = {}
        self._guests = itertools.count(1)

    def enter(self, room: str, user: str) -> Play:
        """Return the handler of a new member.

        The member sends any text. It gets JSON with `type` (join, message or leave), `room`, `user`,
        and `members` (the number of members) or `text`.

        Args:
            room: The room's name.
            user: The member's name; "" for a generated name.
        """
        name = user or f"guest-{next(self._guests)}"

        async def play(connection: Connection) -> None:
            members = self._rooms.setdefault(room, {})
            members[connection] = name
            self._broadcast(room, type="join", user=name, members=len(members))
            try:
                async for message in connection:
                    text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                    self._broadcast(room, type="message", user=name, text=text)
            finally:
                del members[connection]
                if members:
                    self._broadcast(room, type="leave", user=name, members=len(members))
                else:
                    del self._rooms[room]

        return play

    def _broadcast(self, room: str, *, type: str, **fields: str | int) -> None:
        note = json.dumps({"type": type, "room": room, **fields}, separators=(",", ":"))
        broadcast(self._rooms[room], note)
