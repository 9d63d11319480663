"""Scripts that cannot be loaded, and flags that make no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from running import UNPRIVILEGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process

    Run = Callable[..., Process]

SCRIPT = "export default function () {}"


def test_missing_script(run: Run, tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere.js")
    assert done.code == 255
    [message] = done.messages("error")
    assert "nowhere.js\" couldn't be found on local disk" in message


def test_directory_as_script(run: Run, tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.code == 255
    assert done.messages("error") == [f"read {tmp_path}: is a directory"]


def test_unreadable_script(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "secret.js"
    script.write_text(SCRIPT)
    script.chmod(0)
    done = run(script, prefix=UNPRIVILEGED)
    assert done.code == 255
    [message] = done.messages("error")
    assert "secret.js" in message
    assert "permission denied" in message


@pytest.mark.parametrize("text", ["", "// nothing\n"])
def test_empty_script(run: Run, text: str) -> None:
    done = run(text)
    assert done.code == 255
    [message] = done.messages("error")
    assert message.endswith("no exported functions in script")


def test_syntax_error_names_the_place(run: Run, tmp_path: Path) -> None:
    done = run("export default function () {\n  let x = ;\n}")
    assert done.code == 107
    [message] = done.messages("error")
    assert f"file://{tmp_path}/script.js: Line 2:" in message


def test_syntax_error_in_an_import(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lib.js").write_text("export const a = 1;\n\nexport const b = {;\n")
    done = run("import { a } from './lib.js';\nexport default function () {}")
    assert done.code == 107
    [message] = done.messages("error")
    assert f"file://{tmp_path}/lib.js: Line 3:" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("throw new TypeError('no');", "TypeError: no\n\tat file://"),
        ("throw 'text';", "text"),
        ("undefined.x;", "TypeError: Cannot read property 'x' of undefined\n\tat file://"),
        ("Promise.reject(new Error('late'));", "Uncaught (in promise) Error: late"),
        ("import './nope.js';", '"./nope.js" couldn\'t be found on local disk'),
        ("import 'nope';", "couldn't be recognised as something k6 supports"),
    ],
)
def test_init_that_fails(run: Run, text: str, expected: str) -> None:
    done = run(f"{text}\nexport default function () {{}}")
    assert done.code == (255 if "Promise" in text else 107)
    [message] = done.messages("error")
    assert expected in message


def test_init_that_fails_for_one_vu_only(run: Run) -> None:
    done = run(
        "if (__VU === 3) throw new Error('third');\nexport default function () {}", "-u", "4", "-i", "4"
    )
    assert done.code == 107
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert "Error: third" in record["msg"]
    assert "script.js:1:" in record["msg"]
    assert record["hint"] == "error while initializing VU #3 (script exception)"


def test_thrown_text_has_its_stack_and_a_rejection_no_hint(run: Run) -> None:
    done = run(
        """
        const options = { iterations: 2 };
        export { options };
        const fail = (what) => { throw what; };
        export default function () {
          if (__ITER === 0) fail('text');
          else Promise.reject('rejected');
        }
        """
    )
    assert done.code == 0
    thrown, rejected = [one for one in done.records() if one["level"] == "error"]
    assert thrown["msg"].startswith("text\n\tat fail (file://")
    assert "\n\tat default (file://" in thrown["msg"]
    assert (thrown["executor"], thrown["scenario"], thrown["source"]) == (
        "shared-iterations", "default", "stacktrace",
    )  # fmt: skip
    assert rejected["msg"] == "Uncaught (in promise) rejected"
    assert "source" not in rejected
    assert "hint" not in rejected


@pytest.mark.parametrize(
    ("summary", "timeout", "reason"),
    [
        ("() => ({})", "0s", "handleSummary() execution timed out after 0 seconds"),
        ("'text'", "5s", "exported identifier handleSummary must be a function"),
    ],
)
def test_summary_that_is_not_called(run: Run, summary: str, timeout: str, reason: str) -> None:
    done = run(
        f"{SCRIPT}\nexport const handleSummary = {summary};",
        env={"K6_HANDLE_SUMMARY_TIMEOUT": timeout},
    )
    assert done.code == 0
    [record] = [one for one in done.records() if one["level"] == "error"]
    assert record["msg"] == "failed to handle the end-of-test summary"
    assert record["error"] == reason
    assert done.stdout == ""


def test_summary_that_fails_is_still_shown(run: Run) -> None:
    done = run(f"{SCRIPT}\nexport function handleSummary() {{ throw new Error('no summary'); }}")
    assert done.code == 0
    [message] = done.messages("error")
    assert message.startswith("Error: no summary\n\tat handleSummary (file://")
    assert "iterations" in done.stdout


@pytest.mark.parametrize(
    ("flags", "code", "expected"),
    [
        (["--nonsense"], 255, "unknown flag: --nonsense"),
        (["--vus", "many"], 255, r"invalid argument \"many\" for \"-u, --vus\" flag"),
        (["--duration", "soon"], 255, r"invalid argument \"soon\" for \"-d, --duration\" flag"),
        (["--iterations", "0", "--vus", "1"], 104, "iterations"),
        (["--vus", "-1", "--duration", "1s"], 104, "the number of VUs must be more than 0"),
        (["--out", "nonsense=x"], 255, "invalid output type 'nonsense'"),
        (["--summary-mode", "loud"], 255, "use compact or full or disabled"),
        (["--log-output", "moon"], 255, "unsupported log output 'moon'"),
        (["--config", "nowhere.json"], 104, "nowhere.json: no such file or directory"),
        (["-e", "1A=2"], 255, "invalid environment variable name '1A'"),
        (["--workers", "0"], 255, "workers"),
        (["--workers", "-3"], 255, "workers"),
    ],
)
def test_wrong_flags(run: Run, flags: list[str], code: int, expected: str) -> None:
    done = run(SCRIPT, *flags)
    assert done.code == code
    assert expected in done.stderr


def test_flag_without_its_argument(run: Run) -> None:
    done = run(None, "script.js", "--vus")
    assert done.code == 255
    assert "flag needs an argument: --vus" in done.stderr


@pytest.mark.parametrize("count", [0, 2])
def test_not_one_script(run: Run, tmp_path: Path, count: int) -> None:
    done = run(None, *["a.js"] * count)
    assert done.code == 255
    assert f"accepts 1 arg(s), received {count}" in done.stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{ vus: 'many' }", "vus"),
        ("{ duration: 'soon' }", "duration"),
        ("{ scenarios: { a: { executor: 'magic' } } }", "magic"),
        ("{ scenarios: { a: { executor: 'constant-vus', exec: 'gone', duration: '1s' } } }", "gone"),
        ("{ thresholds: { iterations: ['count!!1'] } }", "count!!1"),
        ("{ thresholds: { nothing: ['count>1'] } }", "nothing"),
        ("{ stages: [{ duration: 'x', target: 1 }] }", "stages"),
        ("5", "options"),
    ],
)
def test_wrong_options(run: Run, options: str, expected: str) -> None:
    done = run(f"export const options = {options};\n{SCRIPT}")
    assert done.code == 104
    assert any(expected in one for one in done.messages("error"))


def test_required_module_that_throws_is_caught_whole(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.js").write_text("export const a = 1;\nthrow new Error('inside');\n")
    done = run(
        """
        let text;
        try { require('./bad.js'); } catch (error) { text = String(error); }
        exports.default = function () { console.log(text); };
        """
    )
    assert done.code == 0, done.stderr
    assert done.messages() == ["Error: inside"]
