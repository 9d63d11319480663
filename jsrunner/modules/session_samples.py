"""Tags and series of the samples of one attempt to connect a session."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from jsrunner.metrics.registry import BUILTIN

if TYPE_CHECKING:
    from jsrunner.modules.connecting import AttemptSeries, Question, SessionAttempts
    from jsrunner.modules.context import ProcessContext

#: The metrics of the series that the core feeds, in its order (core_session_open).
_METRICS: Final = tuple(
    BUILTIN[name]
    for name in (
        "ws_sessions", "ws_connecting", "ws_msgs_sent", "ws_msgs_received", "ws_ping",
        "ws_session_duration",
    )
)  # fmt: skip


def series_of(
    process: ProcessContext,
    connecting: SessionAttempts,
    question: Question,
    ip: str,
    status: str = "",
    protocol: str = "",
) -> AttemptSeries:
    """Return the tag set of an attempt and the numbers of its series.

    Args:
        process: The process, which has the recorder.
        connecting: The process's attempts, which keep the series.
        question: The parameters of the script's call.
        ip: The peer's IP address, "" before the connection.
        status: The status of the response, "" without one.
        protocol: The subprotocol of the response.

    Returns:
        The tag set, and a C array of the series' numbers for core_session_open.
    """
    key = (
        question.vu_tags, *question.tags.items(), question.address, question.is_blocking, status,
        protocol, ip,
    )  # fmt: skip
    known = connecting.series.get(key)
    if known is None:
        recorder = process.recorder
        tag_set = recorder.tag_set(_tags_of(process.system_tags, question, ip, status, protocol))
        numbers = [recorder.series(metric, tag_set).number for metric in _METRICS]
        known = tag_set, (ctypes.c_int32 * len(numbers))(*numbers)
        connecting.keep_series(key, known)
    return known


def _tags_of(
    system: frozenset[str], question: Question, ip: str, status: str, protocol: str
) -> dict[str, str]:
    """Return the tags of the VU and the script, and the system tags of the handshake."""
    tags = {**question.vu_tags.tags, **question.tags}
    name = question.address
    if not question.is_blocking:
        # The tag `url` is the address, or the tag `name` that the script has set.
        name = tags.get("name", name)
        if "name" in system:
            tags["name"] = name
    if "url" in system:
        tags["url"] = name
    if status:
        if "status" in system:
            tags["status"] = status
        if "subproto" in system:
            tags["subproto"] = protocol
    if ip and "ip" in system:
        tags["ip"] = ip
    return tags
