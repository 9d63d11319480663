"""Python half of WebSocket sessions: the beginning of an attempt to connect, permessage-deflate.

The core owns a session from its creation (core/session.h). `session_attempt` connects it; afterwards
only permessage-deflate and TLS call Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jsrunner.engine.engine import DEFLATE, HEAD, INFLATE
from jsrunner.engine.errors import HostError
from jsrunner.modules.base import HostModule, operation
from jsrunner.modules.connecting import Question, SessionAttempts
from jsrunner.modules.session_attempt import Attempt
from jsrunner.options.numbers import quote
from jsrunner.text import decode_bytewise
from jsrunner.transport import url
from jsrunner.transport.deflate import OFFER, STRICT_OFFER, Deflate
from jsrunner.transport.errors import DialError, MessageTooBig, ProtocolViolation
from jsrunner.transport.wire import shown

if TYPE_CHECKING:
    from jsrunner.core.binding import DialFacts
    from jsrunner.modules.context import ModuleContext
    from jsrunner.transport.dial import Direct

_NO_HANDSHAKE: Final = "closed before the connection was established"


class Session(HostModule):
    """The operations of one VU about sessions, and its compression of messages."""

    specifier = "jsrunner:session"

    def __init__(self, vu: ModuleContext) -> None:
        super().__init__(vu)
        #: Attempts to connect that are under way, by the session's key.
        self._attempts: dict[int, Attempt] = {}
        process = vu.process
        engine = process.engine
        self._connecting: SessionAttempts = vu.shared.setdefault("session", SessionAttempts(engine))
        self._connecting.halves[vu.interpreter.index] = self
        engine.handlers[HEAD] = self._connecting.proceed
        vu.interpreter.operations[INFLATE] = self._inflate
        vu.interpreter.operations[DEFLATE] = self._deflate

    # -- operations --------------------------------------------------------------------------------

    @operation
    def parse(self, address: str) -> str:
        """Return the URL of a `new WebSocket` as Go writes it."""
        shown = quote(address)
        try:
            parts = url.parse(address)
        except url.URLError as error:
            raise HostError(
                f"WebSocket requires valid url, but got {shown} which resulted in {error}"
            ) from None
        if parts.scheme not in ("ws", "wss"):
            raise HostError(f'WebSocket requires url with scheme ws or wss, but got "{parts.scheme}"')
        if parts.fragment:
            raise HostError(f'WebSocket requires no url fragment, but got "{parts.fragment}"')
        return str(parts)

    @operation
    def dial(
        self,
        key: int,
        recipe: int,
        tag_set: int,
        is_blocking: bool,
        address: str,
        headers: dict[str, str],
        tags: dict[str, str],
        jar: int | None,
        compression: bool,
        protocols: str | None,
    ) -> None:
        """Begin to connect a session; the event OPEN or FAILED has the outcome.

        The core calls it without a ready recipe (core/recipe.h); `recipe` is the number of the recipe
        that the attempt should fill, -1 for none. `tag_set` is part of the recipe's key.
        """
        question = Question(address, tags, self.vu.context.tag_set, bool(is_blocking), recipe)
        attempt = Attempt(self.vu, self._connecting, self._attempts, key, question)
        cookies = self.vu.jars.own if jar is None else self.vu.jars.get(jar)
        offer = STRICT_OFFER if self.vu.process.is_strict else OFFER
        attempt.begin(headers, cookies, offer if compression else "", protocols)

    @operation
    def cancel(self, key: int) -> None:
        """End an attempt to connect."""
        attempt = self._connecting.attempt(key)
        if attempt is not None:
            attempt.fail(_NO_HANDSHAKE)

    @operation
    def stop_samples(self, key: int) -> None:
        """Record nothing of an attempt to connect."""
        attempt = self._connecting.attempt(key)
        if attempt is not None:
            attempt.is_recorded = False

    @operation
    def give_up_dialing(self, key: int, address: str) -> str | None:
        """End an attempt to connect that has just begun, without samples.

        Returns:
            Go's text of the failure; None if the attempt goes on: it looks up a name, or it fails.
        """
        try:
            target = url.parse_websocket(address)
            direct = self.vu.process.dialer.direct(
                target.host, target.port, self.vu.id, secure=target.secure
            )
        except DialError:
            return None
        if direct is None:
            return None
        attempt = self._connecting.attempt(key)
        if attempt is not None:
            attempt.drop()
        return f"dial tcp {shown((direct.ip, direct.port))}: operation was canceled"

    def resume(
        self, key: int, question: Question | None, direct: Direct | None, facts: DialFacts
    ) -> Attempt:
        """Take over a dialing that the core has begun by a recipe."""
        if question is None:  # the address and the tags are lost
            question = Question("", {}, self.vu.context.tag_set, bool(facts.is_blocking), -1)
        attempt = Attempt(self.vu, self._connecting, self._attempts, key, question)
        attempt.resume(direct, facts)
        return attempt

    @operation
    def warn(self, text: str) -> None:
        """Log a warning."""
        self.vu.log("warning", text)

    @operation
    def encode(self, text: str) -> bytes:
        """Return a text's UTF-8."""
        return text.encode()

    @operation
    def decode(self, data: bytes) -> str:
        """Return bytes as text; invalid UTF-8 becomes U+FFFD, each byte alone, as in Go."""
        return decode_bytewise(data)

    # -- permessage-deflate ------------------------------------------------------------------------

    def _inflate(self, slot: int, generation: int, payload: bytes) -> bytes | None:
        process = self.vu.process
        assert process.plan is not None
        limit = process.plan.limits.message
        return inflate(process.deflates[generation << 32 | slot], payload, limit)

    def _deflate(self, slot: int, generation: int, payload: bytes) -> bytes:
        return self.vu.process.deflates[generation << 32 | slot].compress(payload)

    # -- the end -----------------------------------------------------------------------------------

    def give_up(self) -> None:
        """End the attempts to connect, without events and samples."""
        for attempt in list(self._attempts.values()):
            attempt.drop()


def inflate(deflate: Deflate, payload: bytes, limit: int) -> bytes | None:
    """Return the decompressed message; None if it has more than `limit` bytes.

    Raises:
        HostError: it is no deflate.
    """
    try:
        return deflate.decompress(payload, limit)
    except MessageTooBig:
        return None
    except ProtocolViolation as error:
        raise HostError(str(error)) from None
