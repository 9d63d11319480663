"""k6's REST API: the effect of each request on a run, and its response (JSON:API documents).

These functions are called in the run's own thread, so that they see the run at rest.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from msgspec import Struct

from jsrunner.coordinator.state import Phase
from jsrunner.errors import ExitCode, JsrunnerError
from jsrunner.messages.protocol import StageName
from jsrunner.metrics.sinks import GaugeSink, RateSink
from jsrunner.modules.k6.http.json_errors import reason
from jsrunner.options import kinds
from jsrunner.options.mismatch import mismatch
from jsrunner.options.model import TREND_STATS
from jsrunner.rest.process import process_metrics
from jsrunner.summary.model import Group, group_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsrunner.coordinator.control import RunControl
    from jsrunner.coordinator.view import RunView
    from jsrunner.json_types import JsonObject, JsonValue
    from jsrunner.metrics.store import Entry

    #: Gets the run's controls, the request, and the last part of the path, unquoted.
    _Handler = Callable[[RunControl, "RestRequest", str], JsonObject | None]

_JSON: Final = "application/json; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"

#: The numbers by which k6 tells how far a test is.
_STATUS: Final = {
    Phase.INIT: 1,
    Phase.PAUSED: 4,
    Phase.SETUP: 6,
    Phase.RUNNING: 7,
    Phase.TEARDOWN: 8,
    Phase.ENDED: 9,
}
_INTERRUPTED: Final = 10
_MARKED_AS_FAILED: Final = 11


class RestRequest(Struct, frozen=True):
    """An HTTP request."""

    method: str
    #: As it was sent, without the query.
    path: str
    body: bytes = b""


class RestResponse(Struct, frozen=True):
    """An HTTP response."""

    status: int = 200
    body: bytes = b""
    content_type: str = _JSON


class _RequestError(Exception):
    """A request that cannot be carried out: k6's title, the error's text, the status."""

    def __init__(self, title: str, detail: str, status: int) -> None:
        super().__init__(detail)
        self.title = title
        self.status = status


def answer(control: RunControl, request: RestRequest) -> RestResponse:
    """Carry out a request; return its response."""
    path = request.path
    if not path.startswith("/v1/"):
        return _outside(control.view, path)
    name, _, id = path.removeprefix("/v1/").partition("/")
    key = f"{name}/" if id else name
    methods = _ROUTES.get(key)
    if methods is None:
        return RestResponse(404, b"404 page not found\n", _TEXT)
    handler = methods.get(request.method)
    if handler is None:
        return RestResponse(405)
    try:
        document = handler(control, request, unquote(id))
    except _RequestError as error:
        return refusal(error.title, str(error), error.status)
    return RestResponse(body=b"" if document is None else _dumps(document))


def refusal(title: str, detail: str, status: int) -> RestResponse:
    """Return k6's document for a request that was not carried out."""
    wrong = {"status": str(status), "title": title, "detail": detail}
    return RestResponse(status, _dumps({"errors": [wrong]}))


def _outside(view: RunView, path: str) -> RestResponse:
    """Return the response to a path outside of /v1: metrics of the process, else a ping's."""
    if path == "/metrics":
        return RestResponse(
            body=process_metrics(view), content_type="text/plain; version=0.0.4; charset=utf-8"
        )
    if path.startswith("/debug/"):
        return RestResponse(404, b"jsrunner has no profiling endpoints", _TEXT)
    return RestResponse(body=b"ok", content_type=_TEXT)


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# -- the status ------------------------------------------------------------------------------------


def _status(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    view = control.view
    if view.is_stopping:
        status = _INTERRUPTED
    elif view.is_marked_failed:
        status = _MARKED_AS_FAILED
    else:
        status = _STATUS[view.phase]
    judged = view.thresholds.thresholds.values()
    attributes = {
        "status": status,
        "paused": view.is_paused,
        "vus": view.active_vus,
        "vus-max": view.initialized_vus,
        "stopped": view.is_stopping,
        "running": view.phase in (Phase.SETUP, Phase.RUNNING, Phase.TEARDOWN),
        "tainted": any(threshold.failed for thresholds in judged for threshold in thresholds),
    }
    return {"data": {"type": "status", "id": "default", "attributes": attributes}}


def _change_status(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    try:
        wanted = _attributes(_json(request.body))
    except ValueError as error:
        raise _RequestError("Invalid data", str(error), 400) from None
    if wanted.get("stopped"):
        control.stop("test run stopped from REST API", ExitCode.STOPPED_OVER_REST)
        return _status(control, request, id)
    if wanted.get("paused") is not None:
        _pause(control, bool(wanted["paused"]))
    if wanted.get("vus") is not None or wanted.get("vus-max") is not None:
        raise _RequestError(
            "Execution config error", "live VU configuration updates are not supported", 500
        )
    return _status(control, request, id)


def _json(body: bytes) -> JsonValue:
    """Parse a request's body. Raises ValueError with the text that Go has for it."""
    try:
        value: JsonValue = json.loads(body.decode())
        return value
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except ValueError:
        raise ValueError(reason(body)) from None


def _attributes(document: JsonValue) -> JsonObject:
    """Return the attributes of a status document that are set. Raises ValueError for a wrong type."""
    attributes: JsonObject = {"": document}
    for name, go_type in (("", "StatusJSONAPI"), ("data", "statusData"), ("attributes", "Status")):
        member = attributes.get(name)
        if member is None:  # which changes nothing
            return {}
        if not isinstance(member, dict):
            raise mismatch(member, f"v1.{go_type}")
        attributes = member
    types: dict[str, kinds.Bool | kinds.Int] = {
        "stopped": kinds.Bool(),
        "paused": kinds.Bool(),
        "vus": kinds.Int(),
        "vus-max": kinds.Int(),
    }
    return {
        name: kind.from_json(attributes[name])
        for name, kind in types.items()
        if attributes.get(name) is not None
    }


def _pause(control: RunControl, wanted: bool) -> None:
    """Resume the test; raise what k6 answers for everything else.

    Only a test that has not begun can be paused, and only by the option `paused`.
    """
    view = control.view
    if view.is_paused and view.phase in (Phase.INIT, Phase.PAUSED):
        if wanted:
            raise _RequestError("Pause error", "execution is already paused", 500)
        control.resume()
        return
    first = next(iter(view.test.scenarios.values()))
    raise _RequestError(
        "Pause error",
        f"{first.type} executor '{first.name}' doesn't support pause and resume operations after its "
        "start",
        500,
    )


# -- metrics and groups ----------------------------------------------------------------------------


def _metrics(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    view = control.view
    return {"data": [_metric_document(view, name, entry) for name, entry in view.store.entries.items()]}


def _metric(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    entry = control.view.store.entries.get(id)
    if entry is None:
        raise _RequestError("Not Found", "No metric with that ID was found", 404)
    return {"data": _metric_document(control.view, id, entry)}


def _metric_document(view: RunView, name: str, entry: Entry) -> JsonObject:
    sample = entry.sink.format(time.monotonic() - view.started, TREND_STATS)
    if isinstance(entry.sink, GaugeSink):
        sample = {"value": sample["value"]}
    elif isinstance(entry.sink, RateSink):
        sample = {"rate": sample["rate"]}
    verdicts = [threshold.failed for threshold in view.thresholds.thresholds.get(name, ())]
    tainted = None if None in verdicts or not verdicts else any(verdicts)
    attributes = {
        "type": entry.metric.type,
        "contains": entry.metric.contains,
        "tainted": tainted,
        "sample": sample,
    }
    return {"type": "metrics", "id": name, "attributes": attributes}


def _groups(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    return {"data": [_group_document(*pair) for pair in _walk(group_tree(control.view.store), None)]}


def _group(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    for group, parent in _walk(group_tree(control.view.store), None):
        if group.id == id:
            return {"data": _group_document(group, parent)}
    raise _RequestError("Not Found", "No group with that ID was found", 404)


def _walk(group: Group, parent: Group | None) -> Iterator[tuple[Group, Group | None]]:
    yield group, parent
    for child in group.groups.values():
        yield from _walk(child, group)


def _group_document(group: Group, parent: Group | None) -> JsonObject:
    checks: list[JsonObject] = [
        {
            "id": check.id,
            "path": check.path,
            "name": check.name,
            "passes": check.passes,
            "fails": check.fails,
        }
        for check in group.checks.values()
    ]
    return {
        "type": "groups",
        "id": group.id,
        "attributes": {"path": group.path, "name": group.name, "checks": checks},
        "relationships": {
            "groups": {"data": [_reference(child) for child in group.groups.values()]},
            "parent": {"data": None if parent is None else _reference(parent)},
        },
    }


def _reference(group: Group) -> dict[str, str]:
    return {"type": "groups", "id": group.id}


# -- setup and teardown ----------------------------------------------------------------------------


def _setup_data(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    data = control.view.setup_data
    attributes = {} if data is None else {"data": json.loads(data)}
    return {"data": {"type": "setupData", "id": "default", "attributes": attributes}}


def _replace_setup_data(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    if request.body:
        try:
            _json(request.body)
        except ValueError as error:
            raise _RequestError("Error parsing request body", str(error), 400) from None
    control.replace_setup_data(request.body or None)
    return _setup_data(control, request, id)


def _run_setup(control: RunControl, request: RestRequest, id: str) -> JsonObject:
    _run_stage(control, StageName.SETUP)
    return _setup_data(control, request, id)


def _run_teardown(control: RunControl, request: RestRequest, id: str) -> None:
    _run_stage(control, StageName.TEARDOWN)


def _run_stage(control: RunControl, stage: StageName) -> None:
    try:
        control.run_stage(stage)
    except JsrunnerError as error:
        raise _RequestError(f"Error executing {stage.value}", str(error), 500) from None


#: Handlers by path and method; a slash at the end stands for a path with an id.
_ROUTES: Final[dict[str, dict[str, _Handler]]] = {
    "status": {"GET": _status, "PATCH": _change_status},
    "metrics": {"GET": _metrics},
    "metrics/": {"GET": _metric},
    "groups": {"GET": _groups},
    "groups/": {"GET": _group},
    "setup": {"GET": _setup_data, "PUT": _replace_setup_data, "POST": _run_setup},
    "teardown": {"POST": _run_teardown},
}
