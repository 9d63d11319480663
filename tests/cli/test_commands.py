"""Commands besides `run`, in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import DEADLINE

from jsrunner import __version__
from jsrunner.cli.main import COMMANDS, main
from jsrunner.cli.new import TEMPLATE
from jsrunner.options.model import SYSTEM_TAGS
from jsrunner.version import K6_VERSION

ROOT = Path(__file__).parents[2]

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def do(*words: str) -> int:
    return main(words)


def shell(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, for what forks."""
    return subprocess.run(
        [sys.executable, "-m", "jsrunner", *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"], ["-q", "--help"]])
def test_usage(words: list[str], capsys: Capture) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    for name, (_, text) in COMMANDS.items():
        assert f"jsrunner {name}" in out
        assert text in out


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_of_commands(name: str, capsys: Capture) -> None:
    assert do("help", name) == 0
    first = capsys.readouterr().out
    assert do(name, "--help") == 0
    assert capsys.readouterr().out == first
    assert f"jsrunner {name}" in first
    assert "--help" in first


def test_help_tells_defaults(capsys: Capture) -> None:
    do("run", "--help")
    out = " ".join(capsys.readouterr().out.split())
    assert "-u, --vus int number of virtual users (default 1)" in out
    assert "--summary-mode mode end-of-test summary: compact, full or disabled (default compact)" in out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nwe"], 'unknown command \\"nwe\\" for \\"jsrunner\\"'),
        (["run", "--nope"], "unknown flag: --nope"),
        (["run", "-Z"], "unknown shorthand flag: 'Z' in -Z"),
        (["--nope"], "which command?"),
        (["inspect"], "accepts 1 arg(s), received 0"),
        (["features", "x"], "unknown command"),
        (["version", "x"], "unknown command"),
        (["new", "a", "b"], "accepts at most 1 arg(s), received 2"),
        (["completion", "tcsh"], "completion needs the name of a shell: bash, zsh, fish"),
        (["run", "--log-output=zz", "x.js"], "unsupported log output 'zz'"),
        (["run", "--summary-mode=zz", "x.js"], "invalid summary mode"),
        (["run", "--compatibility-mode=zz", "x.js"], 'invalid compatibility mode \\"zz\\"'),
        (
            ["run", "--type=zz", "x.js"],
            "could not initialize 'x.js': unknown or unspecified test type 'zz' for 'file://",
        ),
        (["run", "--traces-output=otel", "x.js"], 'invalid traces output \\"otel\\"'),
        (["run", "--workers=0", "x.js"], "there must be at least 1"),
        (["run", "--out=zz", "x.js"], "invalid output type 'zz'"),
        (["run", "-e", "1=2", "x.js"], "invalid environment variable name '1'"),
    ],
)
def test_wrong_command_lines(words: list[str], text: str, capsys: Capture) -> None:
    assert main(words) == 255
    captured = capsys.readouterr()
    assert captured.out.strip() == "" or "╻" in captured.out
    assert f'level=error msg="{text}' in captured.err or text in captured.err
    assert captured.err.count("level=error") == 1


def test_global_flags_before_the_command(capsys: Capture) -> None:
    assert do("--log-format", "json", "-v", "features", "x") == 255
    levels = [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()]
    assert levels == ["debug", "error"]


def test_version(capsys: Capture) -> None:
    for words in (["version"], ["--version"], ["version", "--json"]):
        assert main(words) == 0
    plain, again, details = capsys.readouterr().out.splitlines()
    assert plain == again
    assert plain.startswith(f"jsrunner {__version__} (k6 {K6_VERSION}, ")
    assert json.loads(details)["version"] == f"v{__version__}"


def test_features(capsys: Capture) -> None:
    assert do("features") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["FEATURE", "LIFECYCLE", "DESCRIPTION"]
    assert do("features", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["feature"] for one in listed] == [line.split()[0] for line in lines[1:]]
    assert {one["lifecycle"] for one in listed} == {"Experimental"}


def test_new_script(tmp_path: Path, capsys: Capture) -> None:
    assert do("new") == 0
    path = tmp_path / "script.js"
    assert path.read_text() == TEMPLATE
    path.write_text("mine")
    assert do("new") == 255
    assert "script.js already exists. Use the `--force` flag" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert do("new", "-f") == 0
    assert path.read_text() == TEMPLATE
    assert do("new", "none/script.js") == 255
    assert "could not write none/script.js: no such file or directory" in capsys.readouterr().err


@pytest.mark.slow
def test_new_script_runs(tmp_path: Path) -> None:
    assert shell("new").returncode == 0
    done = shell("run", "--with-server", "--quiet", "--iterations", "1", "script.js")
    assert done.returncode == 0, done.stderr
    assert "checks_succeeded...: 100.00% 2 out of 2" in done.stdout


def test_inspect(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text(
        "export const options = { vus: 3, duration: '2s',\n"
        "  tags: { a: __ENV.A ?? '', home: __ENV.HOME ?? '' } };\n"
        "export default () => {};"
    )
    done = shell("inspect", "-e", "A=b", "script.js")
    assert done.returncode == 0, done.stderr
    options = json.loads(done.stdout)
    assert (options["vus"], options["duration"], options["iterations"]) == (3, "2s", None)
    assert options["tags"] == {"a": "b", "home": ""}
    assert "maxVUs" not in options
    assert "cloud" not in options
    assert options["dns"] == {"ttl": None, "select": None, "policy": None}
    assert options["systemTags"] is None
    done = shell("inspect", "--execution-requirements", "script.js")
    more = json.loads(done.stdout)
    assert set(more) - set(options) == {"totalDuration", "maxVUs"}
    assert (more["totalDuration"], more["maxVUs"]) == ("32s", 3)
    assert more["scenarios"]["default"]["executor"] == "constant-vus"
    assert more["summaryTrendStats"] == ["avg", "min", "med", "max", "p(90)", "p(95)"]
    assert more["systemTags"] == sorted(SYSTEM_TAGS)


def test_inspect_shows_all_fields_of_scenarios(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text(
        "export const options = { scenarios: { a: { executor: 'per-vu-iterations', vus: 2 } },\n"
        "  thresholds: { iterations: ['count>0'] } };\n"
        "export default () => {};"
    )
    done = shell("inspect", "script.js")
    assert done.returncode == 0, done.stderr
    scenario = json.loads(done.stdout)["scenarios"]["a"]
    assert (scenario["executor"], scenario["vus"]) == ("per-vu-iterations", 2)
    names = ("startTime", "gracefulStop", "env", "exec", "tags", "iterations", "maxDuration")
    assert [scenario[name] for name in names] == [None] * len(names)
    assert r"count\u003e0" in done.stdout  # as Go's encoder writes it


@pytest.mark.parametrize(
    ("script", "words", "code"),
    [
        ("export const options = { scenarios: { s: { executor: 'nope' } } };", [], 104),
        ("throw new Error('no')", [], 107),
        ("export const options = { duration: '-1s' }; export default () => {};", [], 0),
        ("export const options = { duration: '-1s' }; export default () => {};",
         ["--execution-requirements"], 104),
    ],
)  # fmt: skip
def test_inspect_of_wrong_scripts(tmp_path: Path, script: str, words: list[str], code: int) -> None:
    (tmp_path / "script.js").write_text(script)
    assert shell("inspect", *words, "script.js").returncode == code


def test_deps(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(
        "import { sleep } from 'k6'; import './lib.js'; export default () => sleep(0);"
    )
    (tmp_path / "lib.js").write_text("import ws from 'k6/ws'; export default ws;")
    done = shell("deps", "--json", "script.js")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    urls = [f"file://{tmp_path}/{name}" for name in ("lib.js", "script.js")]
    assert found == {
        "buildDependencies": {},
        "imports": [*urls, "k6", "k6/ws"],
        "customBuildRequired": False,
    }
    text = shell("deps", "script.js").stdout
    assert [line.strip() for line in text.splitlines() if line.startswith("  ")] == found["imports"]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion(shell_name: str, capsys: Capture) -> None:
    assert do("completion", shell_name) == 0
    out = capsys.readouterr().out
    assert "summary-mode" in out
    assert all(name in out for name in COMMANDS)


COMPLETE = """
complete_words() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _jsrunner
  echo "${COMPREPLY[*]}"
}
complete_words jsrunner ins
complete_words jsrunner run --summary-m
complete_words jsrunner inspect --summary-trend
complete_words jsrunner completion f
complete_words jsrunner help ne
"""


def test_completion_in_bash(capsys: Capture) -> None:
    do("completion", "bash")
    code = capsys.readouterr().out + COMPLETE
    done = subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert done.stdout.splitlines() == ["inspect", "--summary-mode", "", "fish", "new"]
