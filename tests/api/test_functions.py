"""`run`, `run_async` and the arguments of all three functions, with real runs."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE

import jsrunner
from jsrunner.api import functions

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';
const seen = new Counter('seen');
export const options = { thresholds: { seen: ['count>=4'], checks: ['rate>0.9'] } };
export default function () {
  seen.add(1);
  group('inner', () => check(__ENV.WANTED, { 'is yes': (value) => value === 'yes' }));
}
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.js"
    path.write_text(SCRIPT)
    return path


#: A program that has the path of `script` as its argument.
PROGRAM = """
import sys
import jsrunner
result = jsrunner.run(sys.argv[1], env={"WANTED": "yes"}, options={"iterations": 4})
print(result.exit_code.name, result.metrics["seen"]["count"])
"""


def test_a_run_that_passes(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = jsrunner.run(script, options={"vus": 2, "iterations": 4}, env={"WANTED": "yes"})
    assert result.exit_code == jsrunner.ExitCode.SUCCESS
    assert result.passed
    assert result.metrics["seen"]["count"] == 4
    assert result.metrics["iterations"]["count"] == 4
    assert result.checks == {"::inner::is yes": (4, 0)}
    assert result.failed_thresholds == {}
    assert capfd.readouterr() == ("", "")


def test_a_run_that_crosses_thresholds(script: Path) -> None:
    result = jsrunner.run(script, options={"iterations": 1}, env={"WANTED": "no"})
    assert result.exit_code == jsrunner.ExitCode.THRESHOLDS_FAILED
    assert not result.passed
    assert result.failed_thresholds == {"seen": ["count>=4"], "checks": ["rate>0.9"]}
    assert result.checks == {"::inner::is yes": (0, 1)}


def test_what_cannot_be_run_is_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "broken.js"
    path.write_text("export default function ( {}\n")
    with pytest.raises(jsrunner.JsrunnerError, match=r"broken\.js: Line 2:\d+"):
        jsrunner.run(path)
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(path, options={"vus": "many"})
    assert caught.value.exit_code == jsrunner.ExitCode.INVALID_CONFIG


def test_samples_go_to_outputs(script: Path, tmp_path: Path) -> None:
    target = tmp_path / "samples.json"
    jsrunner.run(script, env={"WANTED": "yes"}, outputs=[f"json={target}"])
    assert '"metric":"seen"' in target.read_text()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"vus": "many"}, 'the option vus is "many": '),
        ({"vus": [1]}, "the option vus is [1]: "),
        ({"duration": {}}, "the option duration is {}: "),
        ({"thresholds": 5}, "the option thresholds is 5: "),
        ({"tags": {"a": 1}}, 'the option tags is {"a": 1}: '),
        ({"stages": 5}, "the option stages is 5: "),
        ({"scenarios": {"a": {"executor": "constant-vus", "vus": "x"}}}, 'the field vus of scenario a is "x": '),
        ({"scenarios": {"a": {"executor": "nope"}}}, "unknown executor type 'nope'"),
        ({"vus": object()}, "the option vus is nothing that JSON can express: "),
        ([("vus", 1)], "options must be a mapping, not list"),
    ],
)  # fmt: skip
def test_wrong_options_are_named(script: Path, options: Any, text: str) -> None:
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(script, options=options)
    assert str(caught.value).startswith(text)
    assert caught.value.exit_code == jsrunner.ExitCode.INVALID_CONFIG


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"workers": 0}, "invalid number of workers 0, there must be at least 1"),
        ({"workers": "two"}, "invalid number of workers two, there must be at least 1"),
        ({"env": {"A": 1}}, "env: 'A' is 1, names and values must be strings"),
        ({"env": 5}, "env must be a mapping, not int"),
        (
            {"outputs": "json=x"},
            "outputs must be a list of texts such as 'json=out.json', not 'json=x'",
        ),
        ({"outputs": 5}, "outputs must be a list of texts such as 'json=out.json', not 5"),
        ({"outputs": [5]}, "outputs must be a list of texts such as 'json=out.json', not [5]"),
        ({"secrets": "x"}, "secrets must be a list of texts such as 'file=path', not 'x'"),
        ({"scenario": [1]}, "scenario must be a list of texts such as 'login', not [1]"),
        ({"scenario": " "}, "scenario names no scenario"),
        ({"dask": 5}, "dask must be an address such as 'tls://host:8786', not 5"),
        ({"dask": "nope"}, "invalid address 'nope' of a Dask scheduler, *"),
        ({"outputs": ["nope"]}, "invalid output type 'nope', available types are: *"),
        ({"secrets": ["nope=x"]}, "*nope*"),
        ({"scenario": "nope"}, 'scenario "nope" not found; *'),
    ],
)
def test_wrong_arguments_are_named(script: Path, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(jsrunner.JsrunnerError) as caught:
        jsrunner.run(script, **arguments)
    assert fnmatchcase(str(caught.value), text.replace("[", "[[]"))


def test_options_that_there_are_none_of_are_warned_of(
    script: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = {"vuss": 1, "iterations": 4, "blacklistIPs": ("10.0.0.0/8",)}
    assert jsrunner.run(script, options=options, env={"WANTED": "yes"}).passed
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(
        'level=warning msg="There were unknown fields in the options of the run" '
        r'error="json: unknown field \"vuss\""'
    )


def test_no_more_workers_than_make_sense(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert jsrunner.run(script, options={"iterations": 4}, env={"WANTED": "yes"}, workers=5000).passed
    assert "5000 worker processes are too many for this machine" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"once": True, "options": {"vus": 2}}, "once cannot be combined with the option vus"),
        (
            {"scenario": "a", "options": {"stages": []}},
            "scenario cannot be combined with the option stages",
        ),
    ],
)
def test_a_selection_and_a_load_contradict_each_other(
    script: Path, arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(jsrunner.ConfigError) as caught:
        jsrunner.run(script, **arguments)
    assert str(caught.value) == text


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(jsrunner.UsageError) as caught:
        jsrunner.run(5)  # type: ignore[arg-type]
    assert str(caught.value) == "script must be a path or a jsrunner.Script, not int"


def test_the_three_functions_have_the_same_arguments() -> None:
    names = [
        list(inspect.signature(function).parameters) for function in (jsrunner.run, jsrunner.run_async)
    ]
    of_start = [name for name in inspect.signature(jsrunner.start).parameters if name != "paused"]
    assert names == [of_start, of_start]
    assert list(functions.RunArguments.__annotations__) == of_start[1:]


def test_a_script_once(script: Path) -> None:
    result = jsrunner.run(script, once=True, thresholds=False, env={"WANTED": "yes"})
    assert result.metrics["iterations"]["count"] == 1
    assert result.passed
    assert result.thresholds == ()


def test_one_of_the_scenarios() -> None:
    scenario = "{ executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: '%s' }"
    script = jsrunner.Script.from_text(
        f"export const options = {{ scenarios: {{ a: {scenario % 'a'}, b: {scenario % 'b'} }} }};\n"
        "export function a() { console.log('this is a') }\nexport function b() { throw new Error('b') }"
    )
    records: list[jsrunner.LogRecord] = []
    assert jsrunner.run(script, scenario="a", on_log=records.append).passed
    assert [record.text for record in records] == ["this is a"]


def test_the_bundled_server() -> None:
    script = jsrunner.Script.from_text(
        "import ws from 'k6/ws';\nimport { check } from 'k6';\n"
        "export default () => {\n"
        "  const response = ws.connect(`${__ENV.WS_URL}/echo`, (socket) => socket.on('open', () => socket.close()));\n"
        "  check(response, { open: (r) => r.status === 101 });\n};"
    )
    assert jsrunner.run(script, server=True).checks == {"::open": (1, 0)}


def test_a_secret_is_shown_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secrets").write_text("token=hush\n")
    script = jsrunner.Script.from_text(
        "import secrets from 'k6/secrets';\n"
        "export default async () => console.log(`is ${await secrets.get('token')}`);"
    )
    result = jsrunner.run(script, secrets=[f"file={tmp_path / 'secrets'}"])
    assert [record.text for record in result.log] == ["is ***SECRET_REDACTED***"]
    failing = jsrunner.Script.from_text(
        "import secrets from 'k6/secrets';\nexport default () => {};\n"
        "export const setup = async () => { throw new Error(await secrets.get('token')) };"
    )
    reason = jsrunner.run(failing, secrets=[f"file={tmp_path / 'secrets'}"]).reason
    assert "***SECRET_REDACTED***" in reason
    assert "hush" not in "".join((reason, *capfd.readouterr()))


def test_output_of_the_script_goes_where_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """This holds also for a stream without a descriptor, as in a notebook."""
    script = jsrunner.Script.from_text(
        "export default () => console.log('log \u2713');\n"
        "export const handleSummary = () => ({ stdout: 'summary \u2713\\n' });"
    )
    jsrunner.run(script)
    out, err = capsys.readouterr()
    assert out == "summary \u2713\n"
    assert err.endswith('level=info msg="log \u2713" source=console\n')


def test_streams_of_the_program_that_fail_cost_the_run_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def write(self, text: str) -> None:
            raise LookupError(text)

    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", Refusing())
    script = jsrunner.Script.from_text(
        "export default () => console.log('log');\nexport const handleSummary = () => ({ stdout: 'out' });"
    )
    assert [record.text for record in jsrunner.run(script).log] == ["log"]


def test_an_exception_of_the_callback_ends_the_run() -> None:
    def refuse(record: jsrunner.LogRecord) -> None:
        raise LookupError(record.text)

    script = jsrunner.Script.from_text("export default () => console.log('hello')")
    with pytest.raises(LookupError, match="hello"):
        jsrunner.run(script, options={"duration": "1h"}, on_log=refuse)


def test_runs_in_threads_and_two_at_a_time(script: Path) -> None:
    def run(wanted: str) -> jsrunner.Result:
        return jsrunner.run(script, options={"iterations": 4}, env={"WANTED": wanted})

    idle = threading.Event()
    other = threading.Thread(target=idle.wait)
    other.start()
    with ThreadPoolExecutor(2) as threads:
        yes, no = threads.map(run, ("yes", "no"))
    idle.set()
    other.join()
    assert (yes.passed, no.passed) == (True, False)


def test_a_blocking_run_and_an_awaited_run_in_an_event_loop(script: Path) -> None:
    async def main() -> list[bool]:
        options: dict[str, Any] = {"options": {"iterations": 4}, "env": {"WANTED": "yes"}}
        blocking = jsrunner.run(script, **options)
        runs = [jsrunner.run_async(script, **options) for _ in range(2)]
        return [result.passed for result in (blocking, *await asyncio.gather(*runs))]

    assert asyncio.run(main()) == [True, True, True]


@pytest.mark.parametrize(
    "arguments", [("-c", PROGRAM), ("-i", "-c", PROGRAM), ("-",)], ids=["-c", "-i", "-"]
)
def test_programs_that_are_no_modules(script: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, *arguments, str(script)],
        input=PROGRAM if arguments == ("-",) else "",
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.stdout == "SUCCESS 4.0\n", done.stderr


def test_a_program_that_gevent_has_patched(script: Path) -> None:
    program = f"from gevent import monkey; monkey.patch_all()\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program, str(script)], capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.stdout == "SUCCESS 4.0\n", done.stderr


def test_a_notebook(script: Path) -> None:
    """A kernel has a running event loop, and streams without descriptors."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=DEADLINE, kernel_name="python3")
    outputs: list[dict[str, Any]] = []
    try:
        code = f"import jsrunner\njsrunner.run({str(script)!r}, env={{'WANTED': 'no'}})"
        client.execute_interactive(code, timeout=DEADLINE, output_hook=outputs.append)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    contents = [(one["msg_type"], one["content"]) for one in outputs]
    (logged,) = [content["text"] for kind, content in contents if kind == "stream"]
    assert "thresholds on metrics 'checks, seen' have been crossed" in logged
    (shown,) = [content["data"]["text/html"] for kind, content in contents if kind == "execute_result"]
    assert shown.startswith("<table>")
    assert "checks: rate&gt;0.9" in shown
