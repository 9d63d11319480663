"""TypeScript: types go, what they stand for stays, and positions are the script's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ScriptError
from jsrunner.messages.protocol import Log
from jsrunner.script import cache
from jsrunner.script.script import ScriptBundle
from jsrunner.script.typescript import Translator
from jsrunner.secrets.sources import SecretSources
from jsrunner.worker.process import Process
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project


@pytest.fixture(autouse=True)
def kept_compiler(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cache for all tests, since the compiler is compiled only once per cache."""
    monkeypatch.setenv("JSRUNNER_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "typescript"))


@pytest.mark.slow
def test_a_script_in_typescript(project: Project) -> None:
    assert project.init(
        {
            "main.ts": """import { Level, Shape, User, first } from './types.ts';
import type { Nothing } from './nowhere.ts';
import { Options } from 'k6/options';
export const options: Options = { vus: 2 };
enum Color { Red = 'r', Green = 'g' }
namespace Space { export const inner = <T,>(x: T): T => x; }
class Square extends Shape {
  constructor(private readonly side: number) { super('square'); }
  override area(): number { return this.side ** 2; }
}
function f(x: string): string; function f(x: number): number; function f(x: any) { return x; }
declare const missing: string;
const user = { name: 'ann' } as unknown as User satisfies object;
console.log(Level.High, Color.Green, Space.inner<number>(3), new Square(2).area(), f(1), user!.name, first([7]));
export default function (): void {}
""",
            "types.ts": """export interface User { name: string }
export enum Level { Low, High = 5 }
export abstract class Shape { protected constructor(public name: string) {} abstract area(): number; }
export const first = <T>(list: readonly T[]): T | undefined => list[0];
""",
        },
        "main.ts",
    ) == ["5 g 3 4 1 ann 7"]


def test_without_types_nothing_is_translated(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports that are not used still run their modules, as in k6."""
    monkeypatch.setattr(Translator, "_ask", lambda *_: pytest.fail("the compiler was asked"))
    assert project.init(
        {
            "main.ts": "import { used, K } from './side.ts'; export default function () {}",
            "side.ts": "console.log('side'); export const used = 1; export class K { k = 1 }\n"
            "export const common = require('./common.ts');",
            "common.ts": "console.log('common'); module.exports = 1 < 2 > (0);",
        },
        "main.ts",
    ) == ["side", "common"]


def test_with_types_imports_that_are_not_used_go(project: Project) -> None:
    assert project.init(
        {
            "main.ts": "import { used } from './side.ts'; const a: number = 1; console.log(a);\n"
            "export default function () {}",
            "side.ts": "console.log('side'); export const used = 1;",
        },
        "main.ts",
    ) == ["1"]


def test_positions_are_those_of_the_script(project: Project) -> None:
    with pytest.raises(ScriptError) as caught:
        project.init(
            {
                "main.ts": "interface A {\n  x: number;\n}\n\ntype B = A;\n"
                "function fail(a: A): never {\n  const b: B = a;  throw new Error(`${b.x}`);\n}\n"
                "enum C { D }\n  fail({ x: C.D });\nexport default function () {}\n"
            },
            "main.ts",
        )
    assert re.findall(r"main\.ts:(\d+:\d+)", str(caught.value)) == ["7:30", "10:3"]


@pytest.mark.slow
def test_commonjs_in_typescript(project: Project) -> None:
    with pytest.raises(ScriptError) as caught:
        project.init(
            {"main.ts": "type A = number;\n\nconst a: A = 1;\nrequire('./b.ts')(a);\n",
             "b.ts": "interface X {}\nmodule.exports = (x: X) => {\n\n  throw new Error('here');\n};"},
            "main.ts",
        )  # fmt: skip
    assert re.findall(r"(\w+\.ts):(\d+):", str(caught.value)) == [("b.ts", "4"), ("main.ts", "4")]


@pytest.mark.slow
def test_assignments_for_commonjs(project: Project) -> None:
    """`import name = require(...)` and `export = value`, where import and export are not the first words."""
    assert project.init(
        {
            "main.ts": """/* import a = require('none') */ import encoding = require('k6/encoding');
import b = require("./b.ts");
import Alias = b.inner; import type T = require('./none.ts');
const x: number = 1, text = 'export = 5';
console.log(encoding.b64encode('x'), b.c, Alias, x, text);
export default function () {}
""",
            "b.ts": "const c: number = 2;\n/* ; */ export = { c, inner: 'in' };\n",
        },
        "main.ts",
    ) == ["eA== 2 in 1 export = 5"]


def test_a_syntax_error_says_where(project: Project) -> None:
    with pytest.raises(ScriptError) as caught:
        project.init({"main.ts": "const a = 1;\nlet b: = 2;\n"}, "main.ts")
    assert f"{project.url('main.ts')}: Line 2:8 Type expected." in str(caught.value)


def test_typescript_from_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)

    def said(source: str) -> list[str]:
        messages: list[object] = []
        process = Process(
            ScriptBundle("-", source=source),
            environment={},
            secrets=SecretSources({}),
            send=messages.append,
        )
        new_vu(process, 0)
        return [one.text for one in messages if isinstance(one, Log)]

    assert said("const a: number = 1; console.log(a); export default function () {}") == ["1"]
    assert said("console.log('plain'); export default function () {}") == ["plain"]
    with pytest.raises(ScriptError, match="Line 1:7"):
        said("const = 1; export default function () {}")


def test_a_translation_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"const a: string = '{project.folder}';"
    translator = Translator()
    first = translator.translate(text, "file:///a.ts")
    translator.close()
    monkeypatch.setattr(Translator, "_ask", lambda *_: pytest.fail("the compiler was asked"))
    assert Translator().translate(text, "file:///b.ts") == first


def test_the_compiler_ends_when_all_is_loaded(project: Project) -> None:
    project.init(
        {"main.ts": f"const a: string = '{project.folder}';\nexport default () => {{}};"}, "main.ts"
    )
    assert project.process is not None
    assert project.process.script._modules._translator is None


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("JSRUNNER_CACHE_DIR", str(blocked / "below"))
    cache.store("kind", "key", b"data")
    assert cache.load("kind", "key") is None
