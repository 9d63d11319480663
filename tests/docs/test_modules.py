"""The table of modules has what scripts can import, and what they export."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from waiting import DEADLINE

from jsrunner.modules.registry import source

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "modules.md"
MODULES = Path(__file__).parents[2] / "jsrunner" / "modules"

#: Rows that do not list named exports.
WITHOUT_EXPORTS = {"k6/secrets"}


def documented() -> dict[str, list[str]]:
    """Return the exports by import, as the page lists them."""
    table = PAGE.read_text(encoding="utf-8").split("\n## ")[0]
    rows = re.findall(r"^\| `(k6[\w/]*)` \| (.*) \|$", table, re.MULTILINE)
    tables = {name: re.findall(r"`(\w+)`", exports) for name, exports in rows}
    return {name: exports for name, exports in tables.items() if name not in WITHOUT_EXPORTS}


def importable() -> set[str]:
    """Return the modules of k6 that there are."""
    names = {str(path.relative_to(MODULES).with_suffix("")) for path in (MODULES / "k6").rglob("*.js")}
    own = {name.removesuffix("/index") for name in names}
    return {name for name in own if source(name) is not None} - WITHOUT_EXPORTS


def test_every_module_is_listed() -> None:
    assert set(documented()) == importable()


def test_the_exports_are_those_of_the_page(tmp_path: Path) -> None:
    tables = documented()
    imports = "".join(f"import * as m{i} from '{name}';\n" for i, name in enumerate(tables))
    shown = ", ".join(f"'{name}': Object.keys(m{i})" for i, name in enumerate(tables))
    script = tmp_path / "exports.js"
    script.write_text(f"{imports}export default () => console.log(JSON.stringify({{ {shown} }}));")
    command = [sys.executable, "-m", "jsrunner", "run", "--quiet", "--log-format", "raw", str(script)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("{")]
    is_constant = re.compile(r"[A-Z0-9_]+|(Status|HealthCheck)\w+").fullmatch
    exports = {
        name: sorted(key for key in keys if key != "default" and not is_constant(key))
        for name, keys in json.loads(line).items()
    }
    assert exports == {name: sorted(names) for name, names in tables.items()}
