"""Write the generated parts of the reference: options, commands, executors, names of the API.

python scripts/reference.py            write all pages that have generated parts
python scripts/reference.py --check    exit with 1 if a page is out of date

A generated part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`. NAME is a key of
PARTS.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import NODEFAULT
from msgspec.structs import fields

import jsrunner
from jsrunner.cli.main import COMMANDS, main, usage
from jsrunner.executors.config import ExecutorConfig, fields_of
from jsrunner.executors.registry import NAMES, executor_of
from jsrunner.options.model import Options, rows
from jsrunner.options.runtime import Dashboard, Globals, Runtime
from jsrunner.options.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jsrunner.options.model import OptionRow

FOLDER: Final = Path(__file__).parent.parent / "docs" / "reference"

#: What a script writes for a field of a scenario, by the class of its kind.
_VALUES: Final = {
    "Duration": "duration, as `30s`, or milliseconds",
    "Int": "integer",
    "ScenarioOptions": "object, for k6's browser only",
    "ScenarioStages": "array of `{ duration, target }`",
    "Text": "string",
    "TextMap": "object of strings",
}

_PART: Final = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def options() -> str:
    """Return the table of a test's options."""
    heads = ("option", "flag", "variable", "default", "meaning")
    return _table(
        heads,
        [
            [_code(row.json), _flag(row), _code(row.variable), _code(row.default), text_of(row)]
            for _, row in rows(Options)
        ],
    )


def run_flags() -> str:
    """Return the table of the flags that only `run` has."""
    return _flags(Selection, Runtime)


def dashboard_variables() -> str:
    """Return the table of the variables of k6's web dashboard."""
    heads = ("variable", "default", "meaning")
    return _table(
        heads,
        [[_code(row.variable), _code(row.default), text_of(row)] for _, row in rows(Dashboard)],
    )


def global_flags() -> str:
    """Return the table of the flags that every command has."""
    return _flags(Globals)


def commands() -> str:
    """Return a section with the help of each command."""
    sections = [f"```text\n{usage()}\n```\n"]
    for name in COMMANDS:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            main(["help", name])
        sections.append(f"## jsrunner {name}\n\n```text\n{text.getvalue().strip()}\n```\n")
    return "\n".join(sections)


def api() -> str:
    """Return what mkdocstrings makes a section of each public name of: functions first."""
    names = [name for name in jsrunner.__all__ if not name.startswith("__")]
    order = sorted(names, key=lambda name: (name[0].isupper(), name))
    return "\n".join(f"::: jsrunner.{name}\n" for name in order)


def executor_fields() -> str:
    """Return a section with the own fields of each executor, then the fields of all executors."""
    sections = []
    common = fields_of(ExecutorConfig)
    for name in NAMES:
        executor = executor_of(name)
        own = [field for field in fields_of(executor) if field not in common]
        sections.append(f"## {name}\n\n{_fields(executor, own)}")
    shared = _fields(ExecutorConfig, list(common))
    sections.append(f"## Fields of every scenario\n\n{shared}")
    return "\n".join(sections)


#: The generated parts by name.
PARTS: Final[dict[str, Callable[[], str]]] = {
    "api": api,
    "commands": commands,
    "executors": executor_fields,
    "dashboard-variables": dashboard_variables,
    "global-flags": global_flags,
    "run-flags": run_flags,
    "options": options,
}


def update(text: str) -> str:
    """Return a page's text with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def stale_pages() -> dict[Path, str]:
    """Return the new text of each page that is out of date."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
    return {path: new for path, old in pages.items() if (new := update(old)) != old}


# -- Markdown ------------------------------------------------------------------------------------------


def _flags(*classes: type[Any]) -> str:
    heads = ("flag", "variable", "default", "meaning")
    return _table(
        heads,
        [
            [_flag(row), _code(row.variable), _code(row.default), text_of(row)]
            for rows_class in classes
            for _, row in rows(rows_class)
        ],
    )


def _fields(executor: type[ExecutorConfig], names: Sequence[str]) -> str:
    attributes = {field.name: field for field in fields(executor)}
    lines = []
    for name in names:
        attribute, kind = fields_of(executor)[name]
        default = attributes[attribute].default
        is_set = default is not NODEFAULT and default is not None and default != ()
        value = _VALUES[type(kind).__name__]
        lines.append([_code(name), value, _code(str(kind.to_json(default))) if is_set else ""])
    return _table(("field", "value", "default"), lines)


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    shown = [heads, ["---"] * len(heads), *lines]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in shown]
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


def text_of(row: OptionRow) -> str:
    """Return a row's help for Markdown, where brackets would begin a link."""
    return row.help.replace("[", "\\[")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _flag(row: OptionRow) -> str:
    if not row.flag:
        return ""
    word = row.word or row.kind.word
    value = f" {word}" if word and row.bare is None else ""
    short = f"`-{row.short}` " if row.short else ""
    return f"{short}`--{row.flag}{value}`"


if __name__ == "__main__":
    stale = stale_pages()
    for path, text in stale.items():
        print(f"{path}: out of date" if "--check" in sys.argv else f"{path}: written")
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    sys.exit(bool(stale) and "--check" in sys.argv)
