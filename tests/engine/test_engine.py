"""The core as a process uses it: compiled modules, with and without gevent's hub, forks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
import pytest
from core_vu import ASKING, DEADLINE, until
from running import memory

from jsrunner.engine import engine as numbers
from jsrunner.engine.engine import process_engine
from jsrunner.engine.errors import Interrupted, JSError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core_vu import VU

TESTS = Path(__file__).parent.parent
MEGABYTE = 1 << 20

#: A program without gevent's hub: the first init of a run.
PROGRAM = """
import os, sys, time
sys.path.insert(0, {tests!r})
from jsrunner.engine.engine import Engine
from jsrunner.engine.errors import Interrupted, JSError
from jsrunner.engine.interpreter import Interpreter
from jsrunner.script.script import ScriptBundle
script = ScriptBundle("script.js", source="")
engine = Engine()
said = []
def new(source="", deadline=0.0):
    interpreter = Interpreter(
        engine, find_operation={{"say": said.append, "slow": lambda: time.sleep(0.01)}}.__getitem__,
        load=script.load, normalize=lambda base, name: name,
    )
    interpreter.evaluate(
        "import * as core from 'jsrunner:core'; import {{ entries, host }} from 'jsrunner:host';"
        "import * as loop from 'jsrunner:loop';" + source, "file:///x.js", deadline,
    )
    return interpreter
"""


def without_hub(program: str) -> str:
    """Run a program in a process of its own; return its output."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(tests=str(TESTS)) + program],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
        cwd=TESTS.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# -- without a hub -----------------------------------------------------------------------------------


def test_commands_run_without_a_hub() -> None:
    assert (
        without_hub("""
vu = new("entries.run = (x) => { core.sleep(5); host('slow'); host('say', x); return x * 2; };")
print(vu.call("run", 21), said, engine.has_hub, "gevent" in sys.modules)
""")
        == "42 [21] False False"
    )


def test_timers_tasks_and_jobs_run_without_a_hub() -> None:
    assert (
        without_hub("""
vu = new('''entries.run = () => {
  const order = [];
  loop.addTimer(() => order.push('late'), 30, -1, 0);
  loop.addTimer(() => order.push('soon'), 1, -1, 0);
  Promise.resolve().then(() => order.push('job'));
  loop.queueTask(() => order.push('task'));
  loop.settle(() => {});
  return order;
};''')
print(*vu.call("run"))
""")
        == "job task soon late"
    )


def test_deadlines_and_errors_without_a_hub() -> None:
    assert without_hub("""
vu = new("entries.spin = () => { for (;;) {} }; entries.fail = () => { throw new Error('no'); };")
for name, seconds in (("spin", 0.02), ("fail", 60)):
    try:
        vu.call(name, deadline=time.monotonic() + seconds)
    except (Interrupted, JSError) as error:
        print(type(error).__name__, *str(error).splitlines()[:1])
""").splitlines() == ["Interrupted", "JSError Error: no"]


@pytest.mark.parametrize(
    "script", ["for (;;) {}", "core.sleep(1e9);", "loop.listen(1, () => {}); loop.settle(() => {});"]
)
def test_a_process_that_is_not_wanted_any_more_ends(script: str) -> None:
    """Whatever its first init does: computing or waiting."""
    assert (
        without_hub(f"""
looks = []
def is_wanted():
    if said: looks.append(1)
    return len(looks) < 4
engine.is_wanted = is_wanted
try:
    new("host('say', 'begun');" + {script!r})
except SystemExit as error:
    print("ended with", error.code)
""")
        == "ended with 1"
    )


def test_forked_processes_have_hubs_of_their_own() -> None:
    """Before the fork there was none; what was compiled serves both."""
    assert without_hub("""
engine.compile("shared", "export const value = 7;", is_script=True)
new("host('say', 1);").close()
for number in (1, 2):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        engine.begin_process()
        engine.start_with_hub()
        vu = new("import { value } from 'shared'; entries.run = (n) => {"
                 "  loop.listen(5, () => loop.forget(5)); loop.settle(() => {}); core.sleep(1); return n * value; };")
        import gevent
        order = []
        call = gevent.spawn(lambda: order.append(vu.call("run", number)))
        gevent.sleep(0.001)
        order.append("others run")
        vu.post(5, None)
        call.join()
        print(*order)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
vu = new("entries.run = () => 'still here';")
print(vu.call("run"))
""").splitlines() == ["others run 7", "others run 14", "still here"]


# -- with the hub ------------------------------------------------------------------------------------


def test_the_hub_drives_vus(make_vu: Callable[..., VU]) -> None:
    vus = [make_vu("entries.run = (n) => { core.sleep(n); return n; };") for _ in range(3)]
    assert process_engine().has_hub
    process_engine().start_with_hub()  # again: it is there already
    calls = [vu.start("run", number) for number, vu in enumerate(vus)]
    assert [one.get(timeout=DEADLINE) for one in calls] == [0, 1, 2]


def test_greenlets_run_while_vus_compute(make_vu: Callable[..., VU]) -> None:
    calls = [make_vu("entries.run = () => { for (;;) {} };").start("run") for _ in range(3)]
    for _ in range(20):
        gevent.sleep(0.001)
    assert not any(one.ready() for one in calls)
    gevent.killall(calls)


def test_the_names_of_operations(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    vu = make_vu(
        "entries.run = () => host('a.name.of.the.tests');",
        operations={"a.name.of.the.tests": lambda: 1},
    )
    assert vu.call("run") == 1
    names = [engine.operation_name(number) for number in range(numbers.DRAIN + 1)]
    assert names == [
        f"core.{name}"
        for name in (
            "done", "normalize", "load", "tags", "series", "merge", "iteration", "arrival", "inflate",
            "deflate", "head", "closed", "drain",
        )
    ]  # fmt: skip
    number = max(vu.interpreter.operations)
    assert engine.operation_name(number) == "a.name.of.the.tests"
    assert engine.library.core_operation_name(-1) is None
    assert engine.library.core_operation_name(1 << 30) is None


def test_an_operation_may_start_other_commands(make_vu: Callable[..., VU]) -> None:
    """The answers that come of it are served by whoever serves already."""
    other = make_vu("entries.run = (x) => { say(x); return x; };")
    calls: list[gevent.Greenlet] = []
    vu = make_vu(
        "entries.run = () => host('start');",
        operations={"start": lambda: calls.append(other.start("run", "beside"))},
    )
    vu.call("run")
    assert calls[0].get(timeout=DEADLINE) == "beside"
    assert other.said == ["beside"]


def test_many_vus_ask_at_once(make_vu: Callable[..., VU]) -> None:
    """More than are taken at a time."""
    vus = [make_vu("entries.run = (n) => { host('wait'); return n; };", operations={"wait": lambda: None})
           for _ in range(300)]  # fmt: skip
    calls = [vu.start("run", number) for number, vu in enumerate(vus)]
    assert [one.get(timeout=DEADLINE) for one in calls] == list(range(300))


def test_an_operation_that_fails_badly_leaves_the_others_alone(make_vu: Callable[..., VU]) -> None:
    def burst() -> None:
        raise AssertionError

    vus = [make_vu("entries.run = () => { try { host('burst'); } catch (e) { return e.message; } };",
                   operations={"burst": burst}) for _ in range(3)]  # fmt: skip
    calls = [vu.start("run") for vu in vus]
    assert [one.get(timeout=DEADLINE) for one in calls] == ["jsrunner: AssertionError: "] * 3


# -- what interpreters begin with --------------------------------------------------------------------


def test_interpreters_begin_with_a_module(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    engine.begin_with("import 'begin';")
    modules = {"begin": "globalThis.begun = (globalThis.begun ?? 0) + 1;"}
    for _ in range(2):
        vu = make_vu("entries.begun = () => begun;", modules=modules)
        assert [vu.call("begun"), vu.call("begun")] == [1, 1]
    engine.forget_modules()
    assert make_vu("entries.begun = () => typeof begun;").call("begun") == "undefined"


def test_interpreters_begin_again_after_they_were_lost(make_vu: Callable[..., VU]) -> None:
    process_engine().begin_with("globalThis.begun = 1;")
    vu = make_vu("entries.stay = () => { for (;;) [].concat('x'.repeat(1e6).split('')); };")
    with pytest.raises(Interrupted):
        vu.call("stay", within=0.1)
    vu.evaluate("entries.begun = () => begun;")
    assert vu.call("begun") == 1


@pytest.mark.parametrize(
    ("imports", "error"), [("import {", "SyntaxError"), ("throw new Error('thrown');", "thrown")]
)
def test_interpreters_that_cannot_begin(make_vu: Callable[..., VU], imports: str, error: str) -> None:
    process_engine().begin_with(imports)
    with pytest.raises(JSError, match=error):
        make_vu()


# -- compiled modules --------------------------------------------------------------------------------


def test_compiled_modules_are_not_loaded(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    engine.library.core_image_clear()
    assert engine.compile("compiled", "export const f = () => 'compiled';", is_script=True)
    vu = make_vu(
        "import { f } from 'compiled'; entries.run = f;",
        modules={"compiled": "throw new Error('loaded');"},
    )
    assert vu.call("run") == "compiled"


def test_bytecode_can_be_kept(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    assert engine.compile("kept", "export const f = () => 'kept';", is_script=False)
    bytecode = engine.bytecode("kept")
    assert bytecode
    engine.library.core_image_clear()
    assert engine.bytecode("kept") == b""
    engine.use_bytecode("kept", bytecode)
    vu = make_vu("import { f } from 'kept'; entries.run = f;")
    assert vu.call("run") == "kept"


def test_compiled_modules_import_one_another(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    assert engine.compile("user", "import { n } from 'used'; export const f = () => n;", is_script=True)
    assert engine.compile("used", "export const n = 21;", is_script=True)
    vu = make_vu("import { f } from 'user'; entries.run = f;")
    assert vu.call("run") == 21


@pytest.mark.parametrize("source", ["export const ;", "let a; let a;", "'", "await = 1;", "return 1;"])
def test_what_does_not_compile(source: str) -> None:
    engine = process_engine()
    assert not engine.compile("wrong", source, is_script=True)
    assert not engine.compiles(source, as_function=False)
    assert engine.bytecode("wrong") == b""


@pytest.mark.parametrize(
    ("source", "as_module", "as_function"),
    [
        ("export default 1;", True, False),
        ("import x from 'y';", True, False),
        ("await 1;", True, False),
        ("return 1;", False, True),
        ("exports.x = 1; module.exports = 2;", True, True),
        ("with (a) b;", False, False),
        ("", True, True),
        ("\ud800", False, False),
        ("'\ud800'", True, True),
        ("// comment", True, True),
        ("let x = '\0';", True, True),
    ],
)
def test_what_a_text_is(source: str, as_module: bool, as_function: bool) -> None:
    engine = process_engine()
    assert engine.compiles(source, as_function=False) is as_module
    assert engine.compiles(source, as_function=True) is as_function


def test_positions_of_scripts_are_kept(make_vu: Callable[..., VU]) -> None:
    engine = process_engine()
    engine.library.core_image_clear()
    engine.compile(
        "file:///lib.js", "export const f = () => {\n  throw new Error('x');\n};", is_script=True
    )
    vu = make_vu(
        "import 'jsrunner:language'; import { f } from 'file:///lib.js';"
        "entries.run = () => { try { f(); } catch (e) { return e.stack; } };"
    )
    assert "(file:///lib.js:2:" in vu.call("run")


# -- requests that concern no VU ---------------------------------------------------------------------


def test_handlers_are_told_of_what_concerns_no_fiber(make_vu: Callable[..., VU]) -> None:
    """As a ring of samples that is half full."""
    engine = process_engine()
    drained: list[tuple[int, int, int, bytes]] = []
    engine.handlers[numbers.DRAIN] = lambda *arguments: drained.append(arguments)
    library = engine.library
    library.core_keep_records(True)
    try:
        series = library.core_series_create(0)
        for _ in range(1 << 15):
            library.core_sample(series, 1.0, 1.0, -1)
        make_vu("")
        assert drained == [(-1, 0, 0, b"")]
    finally:
        library.core_keep_records(False)
        library.core_take_records(numbers.ctypes.byref(numbers.ctypes.c_size_t()))
        del engine.handlers[numbers.DRAIN]


def test_vus_that_wait_for_python_are_answered_in_order(make_vu: Callable[..., VU]) -> None:
    asked: list[int] = []
    vus = [
        make_vu("entries.run = (n) => { host('ask', n); };", operations={"ask": asked.append})
        for _ in range(5)
    ]
    for number, vu in enumerate(vus):
        vu.start("run", number)
    until(lambda: len(asked) == 5)
    assert asked == list(range(5))
    assert all(vu.state != ASKING for vu in vus)


def test_checks_of_syntax_keep_no_memory() -> None:
    engine = process_engine()
    text = "\n".join(f"export function f{n}(a, b) {{ return a * {n} + b; }}" for n in range(5000))
    assert engine.syntax_error(text) is None
    before = memory(os.getpid())
    for _ in range(40):
        engine.syntax_error(text)
    assert memory(os.getpid()) - before < 20 * MEGABYTE
