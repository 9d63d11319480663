"""__ENV, __VU, __ITER, open and require."""

from __future__ import annotations

from typing import TYPE_CHECKING

from in_process import Stage

if TYPE_CHECKING:
    from pathlib import Path


def test_variables(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        """
        export function setup() {
          console.log(__ENV.A, __ENV.B, 'A' in __ENV, Object.keys(__ENV));
          __ENV.B = 5;
          delete __ENV.A;
          console.log(typeof __ENV.B, __ENV.A, __VU, typeof __ITER, '__ITER' in globalThis);
        }
        export default function () {}
        """,
        environment={"A": "x"},
    ).run()
    assert stage.failure is None
    assert stage.logged() == ['x undefined true [ "A" ]', "string undefined 0 undefined false"]
    assert stage.process.environment == {"A": "x"}


def test_open(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"gr\xc3\xbc\xff")
    stage = Stage(
        tmp_path,
        """
        const text = open('./data.bin');
        const bytes = new Uint8Array(open('data.bin', 'b'));
        const errors = ['', '.', 'gone.txt'].map((name) => {
          try { return open(name); } catch (error) { return String(error); }
        });
        export function setup() {
          console.log(text, bytes.join());
          errors.forEach((text) => console.log(text));
          try { open('data.bin'); } catch (error) { console.log(error.message); }
        }
        export default function () {}
        """,
    ).run()
    assert stage.logged() == [
        "grü\ufffd 103,114,195,188,255",
        "GoError: open() can't be used with an empty filename",
        f'GoError: open() can\'t be used with directories, path: "{tmp_path}"',
        f"GoError: stat {tmp_path}/gone.txt: no such file or directory",
        'the "open" function is only available in the init stage (i.e. the global scope), see '
        "https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information",
    ]
