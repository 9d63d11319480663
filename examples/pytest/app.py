"""The application under test: a chat room by WebSockets, with aiohttp."""

from __future__ import annotations

import contextlib

from aiohttp import WSMsgType, web

MEMBERS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("members", set)


async def chat(request: web.Request) -> web.WebSocketResponse:
    """Send each message of a member to all members."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    members = request.app[MEMBERS]
    members.add(socket)
    try:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                for member in list(members):
                    with contextlib.suppress(ConnectionResetError):  # a member that is leaving
                        await member.send_str(message.data)
    finally:
        members.discard(socket)
    return socket


def application() -> web.Application:
    """Return a new application."""
    app = web.Application()
    app[MEMBERS] = set()
    app.router.add_get("/chat", chat)
    return app
