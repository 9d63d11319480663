"""The page of a run as one HTML file: everything is in it, and it loads nothing.

The page's scripts are the files of `page/` as they are. A policy (CSP) allows these texts by their
hashes, and nothing else: whatever a run names its metrics and tags is text.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from jsrunner.errors import JsrunnerError
from jsrunner.record.reader import coarsen, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsrunner.record.reader import Record

_FOLDER: Final = Path(__file__).parent / "page"
_STYLES: Final = ("uplot/uPlot.min.css", "page.css")
#: In the order in which they are run.
_SCRIPTS: Final = ("uplot/uPlot.iife.min.js", "model.js", "format.js", "charts.js", "main.js")
#: Steps of a record in a report: further ones are merged. If the sketches have too many figures, of two
#: to three bytes each, buckets are widened, and steps are merged further, but not to fewer than these.
_MOST_STEPS: Final = 720
_FEWEST_STEPS: Final = 90
_MOST_FIGURES: Final = 3_000_000


def page(record: Record | None, baseline: Record | None = None) -> str:
    """Return the page.

    Args:
        record: The run; None for a page that follows a run which goes on.
        baseline: A run whose figures are laid over it.
    """
    licence = _text("uplot/LICENSE").replace("--", "- -")
    styles = [_text(name) for name in _STYLES]
    scripts = [_text(name) for name in _SCRIPTS]
    policy = (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        "base-uri 'none'; form-action 'none'"
    )
    if record is None:
        policy += "; connect-src 'self'"
    data = "".join(
        f'<script type="application/json" id="{id}">{_json(data)}</script>\n'
        for id, data in (("record", record), ("baseline", baseline))
        if data is not None
    )
    parts = {
        "policy": policy,
        "styles": "\n".join(f"<style>{style}</style>" for style in styles),
        "scripts": f"<!-- uPlot:\n{licence}-->\n"
        + "\n".join(f"<script>{script}</script>" for script in scripts),
        "data": data,
    }
    before, *rest = _text("page.html").split("{{")
    pieces = [before]
    for piece in rest:
        name, _, after = piece.partition("}}")
        pieces += (parts[name], after)
    return "".join(pieces)


def write_report(
    record: str,
    path: str,
    baseline: str | None = None,
    warn: Callable[[str], object] = lambda text: None,
) -> None:
    """Write the report of a record.

    Args:
        record: The record's file.
        path: The HTML file, which is overwritten.
        baseline: The record of a run whose figures are laid over it.
        warn: Called with a text about each record that is not whole.

    Raises:
        JsrunnerError: The record cannot be read, or the report cannot be written.
    """
    html = page(_read(record, warn), _read(baseline, warn) if baseline else None)
    try:
        Path(path).write_text(html, encoding="utf-8", errors="replace")
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise JsrunnerError(f"could not write the report: open {path}: {reason}") from None


def _read(path: str, warn: Callable[[str], object]) -> Record:
    """Read a record with as many steps as charts can show. Raises RecordError."""
    record = read(path, most_steps=_MOST_STEPS)
    if record.flaw:
        warn(f"the record {path} {record.flaw}")
    coarsen(record, most_figures=_MOST_FIGURES, fewest_steps=_FEWEST_STEPS)
    return record


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def _json(record: Record) -> str:
    """Return a record's lines as JSON that ends no script element."""
    return orjson.dumps(list(_lines(record)), default=str).decode().replace("<", "\\u003c")


def _lines(record: Record) -> Iterator[dict[str, Any]]:
    yield record.head
    yield record.run
    for series in record.series:
        yield {
            "kind": "series", "number": series.number, "metric": series.metric, "type": series.type,
            "contains": series.contains, "tags": series.tags,
        }  # fmt: skip
    yield from record.events
    for step in record.steps:
        sessions = step.sessions
        yield {
            "kind": "step", "at": step.at, "seconds": step.seconds,
            "rows": [[number, *row] for number, row in step.rows.items()],
            "messages": list(step.messages.items()),
            "sessions": sessions and {
                "open": sessions.open, "failed": sessions.failed,
                "closes": list(sessions.closes.items()),
            },
        }  # fmt: skip
    if record.end is not None:
        yield record.end
