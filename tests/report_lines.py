"""Lines of records, for tests of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsrunner.record.lines import FORMAT, VERSION, LineWriter
from jsrunner.record.sketch import pack

if TYPE_CHECKING:
    from pathlib import Path

HEAD = {"format": FORMAT, "version": VERSION, "jsrunner": "0.1.0", "k6": "2.3.0"}
THRESHOLDS = [
    {"key": "ws_ping", "metric": "ws_ping", "tags": {}, "source": "p(95)<80", "aggregation": "p(95)",
     "operator": "<", "value": 80},
    {"key": "checks", "metric": "checks", "tags": {}, "source": "rate>0.5", "aggregation": "rate",
     "operator": ">", "value": 0.5},
]  # fmt: skip
RUN = {
    "kind": "run", "script": {"name": "chat.js", "sha256": "0" * 64}, "started": 1.7e9, "options": {"vus": 2},
    "thresholds": THRESHOLDS, "machine": {"system": "Linux", "cores": 2},
}  # fmt: skip
END = {
    "kind": "end", "at": 30.0, "code": 99, "reason": "thresholds on metrics 'ws_ping' have been crossed",
    "messages": [], "metrics": {},
    "thresholds": [
        {"key": "ws_ping", "source": "p(95)<80", "failed": True, "value": 97.4},
        {"key": "checks", "source": "rate>0.5", "failed": False, "value": 0.9},
    ],
    "checks": [{"name": "answers", "group": "::lobby", "passes": 90, "fails": 10}],
}  # fmt: skip
METRICS = (
    ("ws_sessions", "counter", "default"), ("ws_msgs_received", "counter", "default"),
    ("ws_ping", "trend", "time"), ("http_reqs", "counter", "default"), ("vus", "gauge", "default"),
    ("checks", "rate", "default"), ("my_time", "trend", "time"),
)  # fmt: skip
#: Two buckets: 64.25 and 128.5.
SKETCH = {0x4280: 1, 0x4300: 1}
ROWS = {"counter": [10], "gauge": [2, 1, 3], "rate": [9, 10]}


def row_of(number: int, type_: str, scale: int = 1) -> list[Any]:
    sketch = {bucket: count * scale for bucket, count in SKETCH.items()}
    return [number, *ROWS.get(type_, [2 * scale, 192 * scale, 64, 129, pack(sketch)])]


def lines(
    *,
    seconds: int = 30,
    tags: tuple[dict[str, str], ...] = ({"room": "a"}, {"room": "b"}),
    end: bool = True,
) -> list[dict[str, Any]]:
    """The lines of a run of each kind of metric with each tag set."""
    series = [
        {"kind": "series", "metric": name, "type": type_, "contains": contains, "tags": each}
        for name, type_, contains in METRICS
        for each in tags
    ]
    numbered = [{**each, "number": number} for number, each in enumerate(series)]
    message = {
        "kind": "message",
        "number": 0,
        "level": "error",
        "at": 1,
        "text": "<b>no</b> answer",
        "fields": {},
    }
    steps = [
        {"kind": "step", "at": at, "rows": [row_of(each["number"], each["type"]) for each in numbered],
         "messages": [[0, 1]]}
        for at in range(seconds)
    ]  # fmt: skip
    crossed = {"kind": "threshold", "at": 12.0, "key": "ws_ping", "source": "p(95)<80", "failed": True}
    log = {"kind": "log", "level": "error", "at": 1, "text": "<b>no</b> answer", "fields": {"vu": "1"}}
    return [HEAD, RUN, *numbered, message, log, *steps, crossed, *([END] if end else [])]


def written(path: Path, listed: list[dict[str, Any]]) -> str:
    """Write a record of these lines; return its path."""
    with path.open("wb", buffering=0) as file:
        writer = LineWriter(file)
        for line in listed:
            writer.add(line)
        writer.close()
    return str(path)
