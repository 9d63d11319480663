"""Modules as k6 resolves, links and runs them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from jsrunner.errors import ExitCode, ScriptError
from jsrunner.worker.vus import new_vu

if TYPE_CHECKING:
    from conftest import Project

DEFAULT = "\nexport default function () {}"


def fails(project: Project, files: dict[str, str] | str, main: str = "main.js") -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        project.init(files, main)
    return caught.value


# -- ES modules --------------------------------------------------------------------------------------


def test_relative_parent_cyclic_and_re_exported(project: Project) -> None:
    assert project.init(
        {
            "main.js": "import { a } from './lib/a.js'; import b, * as all from './lib/b.js';"
            "console.log(a(), b, Object.keys(all).join());" + DEFAULT,
            "lib/a.js": "import { name } from './b.js'; export const a = () => `a of ${name}`;",
            "lib/b.js": "import { a } from '../lib/./a.js'; export const name = 'b'; export { a };"
            "export * from './c.js'; export default 'default';",
            "lib/c.js": "export const c = 1; export default 2;",
        }
    ) == ["a of b default a,c,default,name"]


def test_a_module_is_run_once(project: Project) -> None:
    assert project.init(
        {
            "main.js": "import './a.js'; import './b.js'; require('./a.js');" + DEFAULT,
            "a.js": "console.log('a'); export const x = 1;",
            "b.js": "import './../project/a.js'; console.log('b');",
        }
    ) == ["a", "b"]


def test_escapes_in_specifiers_are_read(project: Project) -> None:
    files = {"main.js": "import { x } from './a%20b.js'; console.log(x);" + DEFAULT}
    assert project.init({**files, "a b.js": "export const x = 'found';"}) == ["found"]


def test_file_urls(project: Project) -> None:
    link = project.url("x.js")
    files = {"main.js": f"import {{ x }} from '{link}'; console.log(x);" + DEFAULT}
    assert project.init({**files, "x.js": "export const x = 'found';"}) == ["found"]


@pytest.mark.parametrize(
    "form", ["import x from '{}';", "import * as x from '{}';", "export * as x from '{}';"]
)
@pytest.mark.parametrize(
    ("specifier", "text"),
    [
        ("lodash", "The moduleSpecifier \"lodash\" couldn't be recognised as something k6 supports."),
        ("", "local or remote path required"),
        ("http://x.test/a.js", "only supported schemes for imports are file and https, "
         "http://x.test/a.js has `http`"),
        ("./nope.js", "The moduleSpecifier \"./nope.js\" couldn't be found on local disk. "),
        ("./lib.js?v=1", "The moduleSpecifier \"./lib.js?v=1\" couldn't be found on local disk. "),
        ("./lib", "The moduleSpecifier \"./lib\" couldn't be found on local disk. "),
        ("./folder", "read /.*/folder: is a directory"),
        ("github.com/a/b.js", "github.com 'special' urls are no longer supported"),
        ("cdnjs.com/a/b.js", "cdnjs.com 'special' urls are no longer supported"),
        ("k6/nope", 'unknown modules ["k6/nope"] were tried to be loaded'),
        ("jsrunner:host", "The moduleSpecifier \"jsrunner:host\" couldn't be recognised"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported(project: Project, specifier: str, text: str, form: str) -> None:
    project.write({"folder/x.js": "", "lib.js": "export default 1;"})
    error = fails(project, form.format(specifier) + DEFAULT)
    prefix = f"could not initialize '{project.folder}/main.js': could not load JS test '"
    assert str(error).startswith(prefix + project.url("main.js") + "': ")
    assert re.search(re.escape(text).replace(r"/\.\*/", "/.*/"), str(error))
    assert error.exit_code == ExitCode.SCRIPT_EXCEPTION


def test_a_main_script_that_is_not_there(project: Project) -> None:
    with pytest.raises(ScriptError) as caught:
        project.init({}, "nope.js")
    assert str(caught.value).startswith(f'The moduleSpecifier "{project.folder}/nope.js" couldn\'t be')
    assert caught.value.exit_code == ExitCode.GENERIC


def test_a_name_that_a_module_does_not_export(project: Project) -> None:
    error = fails(
        project,
        {"main.js": "import { nope } from './lib.js';" + DEFAULT, "lib.js": "export const x = 1;"},
    )
    assert str(error) == (
        'SyntaxError: The requested module "./lib.js" does not provide an export named "nope"'
    )
    assert error.exit_code == ExitCode.SCRIPT_EXCEPTION


def test_a_syntax_error_says_where(project: Project) -> None:
    error = fails(
        project,
        {"main.js": "import './lib.js';" + DEFAULT, "lib.js": "export const x = 1;\nlet y = = 2;"},
    )
    assert f"{project.url('lib.js')}: Line 2:" in str(error)


def test_two_exports_of_one_name(project: Project) -> None:
    error = fails(project, "export const a = 1; const b = 2; export { b as a };" + DEFAULT)
    assert f"could not load JS test '{project.url('main.js')}': " in str(error)
    assert "a" in str(error)


def test_an_exception_in_a_module(project: Project) -> None:
    error = fails(
        project,
        {"main.js": "import './lib.js';" + DEFAULT, "lib.js": "\nthrow new Error('cannot');"},
    )
    assert str(error).startswith(f"Error: cannot\n\tat {project.url('lib.js')}:2:")


def test_json_is_no_module(project: Project) -> None:
    error = fails(
        project, {"main.js": "import x from './x.json';" + DEFAULT, "x.json": '{"a": 1, "b": 2}'}
    )
    assert f"{project.url('x.json')}: Line 1:" in str(error)
    error = fails(
        project,
        {"main.js": "import x from './x.json' with { type: 'json' };" + DEFAULT, "x.json": "{}"},
    )
    assert str(error).endswith(f"{project.url('main.js')}: Line 1:26 Unexpected token with")


def test_dynamic_imports_are_rejected(project: Project) -> None:
    assert (
        project.init(
            {
                "main.js": "for (const name of ['./lib.js', 'k6', 'nope']) {"
                "await import(name).catch((e) => console.log(typeof e, e)); }" + DEFAULT,
                "lib.js": "export const x = 1;",
            }
        )
        == ["string dynamic modules not enabled in the host program"] * 3
    )


def test_top_level_await(project: Project) -> None:
    assert project.init(
        {
            "main.js": "import { x } from './lib.js'; console.log(x, await 2);" + DEFAULT,
            "lib.js": "export const x = await new Promise((done) => setTimeout(done, 1, 1));",
        }
    ) == ["1 2"]


# -- import.meta -------------------------------------------------------------------------------------


def test_import_meta_resolves(project: Project) -> None:
    lib, page = project.url("lib.js"), "https://x.test/y.js"
    logged = project.init(
        f"""const meta = import.meta; // import.meta in a comment
        console.log(import.meta.resolve('./lib.js') === '{lib}', meta.resolve('{page}'), typeof import.meta);
        console.log(Object.keys(meta).join(), import . meta === meta, 'import.meta', `${{import.meta.url}}`);
        try {{ import.meta.resolve('lodash'); }} catch (e) {{ console.log(`${{e}}`); }}
        try {{ import.meta.resolve('k6/http'); }} catch (e) {{ console.log(`${{e}}`); }}
        try {{ import.meta.resolve(); }} catch (e) {{ console.log(`${{e}}`); }}
        export default function () {{ return import.meta.resolve('./x'); }}""".replace(
            "import . meta", "import.meta"
        )
    )
    assert logged == [
        "true https://x.test/y.js object",
        "resolve true import.meta undefined",
        'GoError: The moduleSpecifier "lodash" couldn\'t be recognised as something k6 supports.',
        'GoError: The moduleSpecifier "k6/http" couldn\'t be recognised as something k6 supports.',
        "GoError: require() can't be used with an empty specifier",
    ]


def test_import_meta_moves_no_code(project: Project) -> None:
    error = fails(project, "const a = import.meta; throw new Error('x');" + DEFAULT)
    assert f"{project.url('main.js')}:1:" in str(error)
    column = int(re.findall(r"main\.js:1:(\d+)", str(error))[0])
    assert column > len("const a = import.meta; ")


# -- CommonJS ----------------------------------------------------------------------------------------


def test_a_main_script_may_be_commonjs(project: Project) -> None:
    project.init("exports.default = function () {}; exports.options = { vus: 2 };")
    assert project.process is not None
    vu = new_vu(project.process, 1)
    assert vu.interpreter.call("describeScript") == {
        "exports": {"default": "function", "options": "object"},
        "options": '{"vus":2}',
    }


def test_imports_of_commonjs(project: Project) -> None:
    assert project.init(
        {
            "main.js": "import all, { a, nope, default as again } from './c.js';"
            "import * as space from './c.js'; import plain from './f.js'; import marked from './m.js';"
            "import { x as viaStar } from './star.js'; export { a } from './c.js';"
            "console.log(all.a, a, nope, again === all, plain(1));"
            "console.log(Object.keys(space).join(), space.a, space.default, marked);"
            "try { space.a = 1; } catch (e) { console.log(e.name); } console.log(viaStar);" + DEFAULT,
            "c.js": "exports.b = 2; exports.a = 1;",
            "f.js": "module.exports = (x) => x + 1;",
            "m.js": "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 'd';",
            "star.js": "export * from './s.js'; export const own = 1;",
            "s.js": "module.exports = { x: 'star' };",
        }
    ) == ["1 1 undefined true 2", "a,b 1 undefined d", "TypeError", "star"]


def test_require(project: Project) -> None:
    assert project.init(
        {
            "main.js": "const c = require('./lib/c.js'); const e = require('./e.js');"
            "console.log(c.x, c === require('./lib/c.js'), c.inner.y, e[Symbol.toStringTag], e.default, e.z);"
            "const k6 = require('k6'); const { Counter } = require('k6/metrics');"
            "console.log(typeof k6.check, typeof Counter, this, typeof module);"
            "exports.default = () => {};",
            "lib/c.js": "exports.x = 1; exports.inner = require('./inner.js');",
            "lib/inner.js": "exports.y = 2;",
            "e.js": "import c from './lib/c.js'; export default c.x; export const z = 3;",
        }
    ) == ["1 true 2 Module 1 3", "function function {} object"]


def test_cyclic_requires_see_what_is_there(project: Project) -> None:
    assert project.init(
        {
            "main.js": "const a = require('./a.js'); console.log(a.b.seen, a.done); exports.default = () => {};",
            "a.js": "exports.early = 1; exports.b = require('./b.js'); exports.done = true;",
            "b.js": "const a = require('./a.js'); exports.seen = JSON.stringify(a);",
        }
    ) == ['{"early":1} true']


def test_exceptions_of_required_modules_are_theirs(project: Project) -> None:
    assert project.init(
        {
            "main.js": "for (const i of [1, 2]) { try { require('./bad.js'); } catch (e) {"
            "console.log(e instanceof TypeError, e.message); } }"
            "for (const name of ['./nope.js', './syntax.js', '', './null.js', 'k6/nope']) {"
            "try { require(name); } catch (e) { console.log(`${e}`.slice(0, 60)); } }"
            "exports.default = () => {};",
            "bad.js": "console.log('once'); throw new TypeError('mine');",
            "syntax.js": "let = ;",
            "null.js": "module.exports = null;",
        }
    ) == [
        "once",
        "true mine",
        "true mine",
        'GoError: The moduleSpecifier "./nope.js" couldn\'t be found o',
        f"GoError: {project.url('syntax.js')}: Line 1"[:60],
        "GoError: require() can't be used with an empty specifier",
        "GoError: CommonJS's exports must not be null",
        'GoError: unknown modules ["k6/nope"] were tried to be loaded'[:60],
    ]


def test_a_failed_require_is_no_failed_script(project: Project) -> None:
    error = fails(project, "try { require('./nope.js'); } catch {} throw new Error('later');")
    assert str(error).startswith("Error: later\n")


def test_commonjs_code_is_strict_and_sees_nothing_of_ours(project: Project) -> None:
    assert project.init(
        "console.log((function () { return this; })(), typeof define, typeof body, arguments.length);"
        "try { undeclared = 1; } catch (e) { console.log(e.name); }"
        "exports.default = () => {}; return;"
    ) == ["undefined undefined undefined 2", "ReferenceError"]


def test_words_in_texts_make_no_es_module(project: Project) -> None:
    assert project.init(
        "const text = `\nimport x from 'y';\nexport default 1;`;\n// export const a = 1;\n"
        "console.log(typeof module, text.length); exports.default = async () => { await 1; };"
    ) == ["object 37"]


def test_module_and_exports_in_an_es_module(project: Project) -> None:
    assert project.init(
        "for (const get of [() => module, () => { exports.x = 1; }]) {"
        "try { get(); } catch (e) { console.log(`${e}`.slice(0, 51)); } }" + DEFAULT
    ) == [
        'GoError: you are trying to access identifier "modul',
        'GoError: you are trying to access identifier "expor',
    ]


# -- modules of k6 -----------------------------------------------------------------------------------


def test_names_that_modules_of_k6_lack(project: Project) -> None:
    assert project.init(
        "import { check, nope } from 'k6'; import { Counter, absent, default as all } from 'k6/metrics';"
        "import { missing } from 'k6/html';"
        "console.log(typeof check, nope, typeof Counter, absent, typeof all.Trend, missing);" + DEFAULT
    ) == ["function null function null function undefined"]


def test_all_unknown_modules_are_named_at_once(project: Project) -> None:
    error = fails(
        project,
        {
            "main.js": "import x from 'k6/x/sql'; import './lib.js'; console.log(1);" + DEFAULT,
            "lib.js": "import { y } from 'k6/nope'; import * as z from 'k6/also';",
        },
    )
    assert 'unknown modules ["k6/also", "k6/nope", "k6/x/sql"] were tried' in str(error)
    assert error.exit_code == ExitCode.SCRIPT_EXCEPTION
    assert project.logged() == []


@pytest.mark.parametrize("name", ["browser", "grpc", "redis", "timers", "tracing", "webcrypto"])
def test_modules_that_are_gone(project: Project, name: str) -> None:
    error = fails(project, f"import {{ x }} from 'k6/experimental/{name}';" + DEFAULT)
    assert str(error).startswith(f"GoError: k6/experimental/{name} has been ")
    assert error.exit_code == ExitCode.SCRIPT_EXCEPTION


def test_modules_that_jsrunner_has_not(project: Project) -> None:
    assert "drives no browsers" in str(fails(project, "import { browser } from 'k6/browser';"))


# -- later VUs ---------------------------------------------------------------------------------------


def test_later_vus_get_what_the_first_init_has_read(project: Project) -> None:
    files = {
        "main.js": "import { x } from './lib.js'; import c from './c.js'; console.log(x, c.y, open('./d.txt'));"
        "const z = require('./z.js'); console.log(z.z);" + DEFAULT,
        "lib.js": "export const x = 1;",
        "c.js": "exports.y = 2;",
        "z.js": "exports.z = 3;",
        "d.txt": "data",
    }
    assert project.init(files) == ["1 2 data", "3"]
    project.write({"lib.js": "export const x = 'new';", "d.txt": "new"})
    assert project.again() == ["1 2 data", "3"]
    assert project.again(2) == ["1 2 data", "3"]


def test_later_vus_may_ask_for_nothing_new(project: Project) -> None:
    project.init(
        {
            "main.js": "if (__VU > 0) for (const get of [() => require('./lib.js'), () => open('./d.txt')]) {"
            "try { get(); } catch (e) { console.log(`${e}`); } }" + DEFAULT,
            "lib.js": "exports.x = 1;",
            "d.txt": "",
        }
    )
    assert project.again() == [
        'GoError: the module "./lib.js" was not previously resolved during initialization (__VU==0)',
        "GoError: open() can't be used with files that weren't previously opened during initialization "
        f'(__VU==0), path: "{project.folder}/d.txt"',
    ]


# -- open() ------------------------------------------------------------------------------------------


def test_open_looks_where_the_required_module_lies(project: Project) -> None:
    assert project.init(
        {
            "main.js": "const lib = require('./lib/c.js'); console.log(lib.text, lib.later());"
            "exports.default = () => {};",
            "lib/c.js": "exports.text = open('./d.txt'); exports.later = () => open('./d.txt');",
            "lib/d.txt": "inner",
            "d.txt": "outer",
        }
    ) == ["inner outer"]
    [warning] = project.logged("warning")
    assert warning.startswith("open('./d.txt') looks in the folder of ")
