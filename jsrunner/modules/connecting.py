"""A process's attempts to connect sessions, and its cache of earlier attempts."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final, Protocol, TypedDict
from weakref import WeakValueDictionary

from msgspec import Struct

from jsrunner.core.binding import DialFacts
from jsrunner.engine.interpreter import encode_value
from jsrunner.text import decode_bytewise

if TYPE_CHECKING:
    from typing import TypeAlias

    from jsrunner.engine.engine import Engine
    from jsrunner.engine.recorder import TagSet
    from jsrunner.transport import handshake
    from jsrunner.transport.dial import Direct

    #: The tag set of an attempt, and the numbers of its series for core_session_open.
    AttemptSeries: TypeAlias = tuple[TagSet, ctypes.Array[ctypes.c_int32]]

#: Maximum recipes: as many as in the core.
_MOST_RECIPES: Final = 1024
#: Maximum answers, and maximum tag sets, in the cache.
_MOST_KEPT: Final = 1024


class ConnectResponse(TypedDict):
    """The result of ws.connect."""

    url: str
    status: int
    headers: dict[str, str]
    body: str
    #: The error's text, empty if the server has answered.
    error: str


class Opening(Struct, frozen=True):
    """The judgement of an answer that opens a session.

    Answers that differ only in the value of Sec-WebSocket-Accept have the same judgement.
    """

    status: str
    protocol: str
    extensions: list[str]
    cookies: list[str]
    #: Payload for JavaScript, before and behind the value of Sec-WebSocket-Accept.
    before: bytes
    behind: bytes


class Question(Struct, frozen=True):
    """The parameters of a script's connect call."""

    address: str
    tags: dict[str, str]
    vu_tags: TagSet
    is_blocking: bool
    #: Number of the core's recipe for this question, -1 for none.
    recipe: int


class Proceeds(Protocol):
    """An attempt to connect (`session_attempt.Attempt`)."""

    #: False if the samples of the attempt are not recorded.
    is_recorded: bool

    def proceed(self, detail: int, data: bytes) -> None:
        """Continue with the core's event."""

    def fail(self, failure: str) -> None:
        """End the attempt."""

    def drop(self) -> None:
        """End the attempt without an event and without samples."""


class Resumes(Protocol):
    """A VU's half of sessions (`session.Session`)."""

    def resume(
        self, key: int, question: Question | None, direct: Direct | None, facts: DialFacts
    ) -> Proceeds:
        """Take over a dialing that the core has begun by a recipe.

        Args:
            key: The session's key.
            question: The recipe's question; None if it is not cached any more.
            direct: The recipe's destination; None if it is not cached any more.
            facts: The core's facts about the dialing.
        """


class SessionAttempts:
    """A process's attempts under way, by the session's key, and the cache of earlier attempts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.library = engine.library
        self.attempts: dict[int, Proceeds] = {}
        #: Python halves of VUs, by the indices of the VUs' interpreters.
        self.halves: WeakValueDictionary[int, Resumes] = WeakValueDictionary()
        #: Questions with recipes, and the recipes' destinations.
        self.recipes: dict[int, tuple[Question, Direct]] = {}
        self._openings: dict[tuple[str, bytes, bytes], Opening] = {}
        #: Tag sets and the numbers of their series, by the values that decide about the tags.
        self.series: dict[tuple[object, ...], AttemptSeries] = {}

    def attempt(self, key: int) -> Proceeds | None:
        """Return the attempt of a session, None if it has ended.

        If the core has begun the dialing by a recipe, the attempt is made now.
        """
        attempt = self.attempts.get(key)
        if attempt is None:
            facts = DialFacts()
            if self.library.core_dial_facts(key & 0xFFFFFFFF, key >> 32, ctypes.byref(facts)):
                question, direct = self.recipes.get(facts.recipe, (None, None))
                attempt = self._half(facts.vu).resume(key, question, direct, facts)
        return attempt

    def _half(self, vu: int) -> Resumes:
        """Return the Python half of a VU. A VU that has dialed only by recipes gets it now."""
        if vu not in self.halves:
            self._engine.find_operation(vu, "session.dial")
        return self.halves[vu]

    def proceed(self, slot: int, generation: int, detail: int, data: bytes) -> None:
        """Hand the core's event to its attempt."""
        attempt = self.attempt(generation << 32 | slot)
        if attempt is not None:
            attempt.proceed(detail, data)

    def keep_recipe(self, question: Question, direct: Direct) -> None:
        """Cache the question and the destination of a recipe that the core keeps."""
        if len(self.recipes) >= _MOST_RECIPES:
            self.recipes.pop(next(iter(self.recipes)))
        self.recipes[question.recipe] = question, direct

    def opening(self, address: str, before: bytes, behind: bytes) -> Opening | None:
        """Return the cached judgement of an answer, None if there is none.

        Args:
            address: The session's URL.
            before: The bytes of the answer's head before the value of Sec-WebSocket-Accept.
            behind: The bytes of the head behind that value.
        """
        return self._openings.get((address, before, behind))

    def keep_opening(self, address: str, before: bytes, behind: bytes, opening: Opening) -> None:
        """Cache the judgement of an answer."""
        if len(self._openings) >= _MOST_KEPT:
            self._openings.clear()
        self._openings[address, before, behind] = opening

    def keep_series(self, key: tuple[object, ...], series: AttemptSeries) -> None:
        """Cache the tag set and the series of attempts with equal tags."""
        if len(self.series) >= _MOST_KEPT:
            self.series.clear()
        self.series[key] = series


def protocol_of(answer: handshake.Answer) -> str:
    """Return the subprotocol that the server has chosen, "" for none."""
    return next(iter(answer.values("Sec-Websocket-Protocol")), "")


def opening_of(address: str, answer: handshake.Answer, accept: bytes) -> Opening:
    """Return the judgement of an answer that opens a session.

    Args:
        address: The session's URL.
        answer: The server's response, whose handshake is valid.
        accept: The value of Sec-WebSocket-Accept in the response.
    """
    protocol = protocol_of(answer)
    extensions = answer.values("Sec-Websocket-Extensions")
    payload = encode_value(
        {
            "response": response_of(answer, "", address),
            "protocol": protocol,
            "extensions": extensions,
        }
    )
    before, _, behind = payload.partition(accept)
    cookies = answer.values("Set-Cookie")
    return Opening(str(answer.status), protocol, extensions, cookies, before, behind)


def response_of(answer: handshake.Answer | None, error: str, address: str = "") -> ConnectResponse:
    """Return the result of ws.connect; its `error` is empty if the server has answered."""
    if answer is None:
        return {"url": "", "status": 0, "headers": {}, "body": "", "error": error}
    body = "" if answer.upgraded else decode_bytewise(answer.body)
    return {
        "url": address,
        "status": answer.status,
        "headers": answer.joined,
        "body": body,
        "error": "",
    }
