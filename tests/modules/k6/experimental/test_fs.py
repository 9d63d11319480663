"""k6/experimental/fs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_open_stat_read(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(range(10)))
    assert run("""
        import { open, SeekMode } from 'k6/experimental/fs';
        const file = await open('./data.bin');
        console.log(file.path.split('/').pop(), JSON.stringify(await file.stat()));
        const all = new Uint8Array(8);
        const view = all.subarray(2, 6);
        console.log(await file.read(view), all.join());
        console.log(await file.seek(-2, SeekMode.End), await file.read(view), all.join(), await file.read(view));
    """) == ['data.bin {"name":"data.bin","size":10}', "4 0,0,0,1,2,3,0,0", "7 3 0,0,7,8,9,3,0,0 null"]


def test_each_open_has_a_position_of_its_own(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"abc")
    assert run("""
        import { open } from 'k6/experimental/fs';
        const [one, two] = [await open('data.bin'), await open('data.bin')];
        const byte = new Uint8Array(1);
        await one.read(byte);
        await two.read(byte);
        console.log(byte[0]);
    """) == ["97"]


def test_errors(run: Callable[..., list[str]], tmp_path: Path) -> None:
    assert run("""
        import { open } from 'k6/experimental/fs';
        for (const path of ['none.txt', '.', '', null]) {
          await open(path).catch((e) => console.log(e.name, '|', e.message));
        }
        for (const path of ['a\\0b', 'x'.repeat(256)]) await open(path).catch((e) => console.log(String(e)));
    """) == [
        f'NotFoundError | no such file or directory "{tmp_path}/none.txt"',
        f'InvalidResourceError | cannot open "{tmp_path}": opening a directory is not supported',
        "TypeError | open() failed; reason: path cannot be empty",
        "TypeError | open() failed; reason: path cannot be null or undefined",
        f'open() failed, unable to verify if "{tmp_path}/a\\x00b" exists; '
        f"reason: stat {tmp_path}/a\0b: invalid argument",
        f'open() failed, unable to verify if "{tmp_path}/{"x" * 256}" exists; '
        f"reason: stat {tmp_path}/{'x' * 256}: file name too long",
    ]


def test_an_empty_file_is_at_its_end(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert run("""
        import { open, SeekMode } from 'k6/experimental/fs';
        const file = await open('empty');
        console.log(await file.read(new Uint8Array(3)), await file.seek(0, SeekMode.Current));
        await file.seek(0, SeekMode.End).catch((e) => console.log(e.message));
    """) == ["null 0", "seeking before start of file"]


def test_arguments(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"abc")
    assert run("""
        import { open, SeekMode } from 'k6/experimental/fs';
        const file = await open('data.bin');
        const { read, seek } = file;
        const attempts = [
          () => read(), () => read(new Uint16Array(1)), () => seek(null, 0), () => seek(0), () => seek('1', 0),
          () => seek(0, 0.5), () => seek(0, 3), () => seek(-1, SeekMode.Start), () => seek(1, SeekMode.End),
          () => seek(-1, SeekMode.Current), () => seek(4, 0),
        ];
        for (const attempt of attempts) await attempt().catch((e) => console.log(e.name, e.message));
        console.log(Object.keys(file), await read(new Uint8Array(0)));
    """) == [
        "TypeError read() failed; reason: into argument cannot be null or undefined",
        "TypeError read() failed; reason: into argument must be a Uint8Array",
        "TypeError seek() failed; reason: the offset argument cannot be null or undefined",
        "TypeError seek() failed; reason: the whence argument cannot be null or undefined",
        "TypeError seek() failed; reason: the offset argument must be a number",
        "TypeError seek() failed; reason: the whence argument must be a number",
        "TypeError seek() failed; reason: the whence argument must be a SeekMode",
        "TypeError offset cannot be negative when using SeekModeStart",
        "TypeError offset cannot be positive when using SeekModeEnd",
        "TypeError seeking before start of file",
        "TypeError seeking beyond end of file",
        '[ "path", "stat", "read", "seek" ] 0',
    ]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(0, 12)),
            st.tuples(st.integers(-25, 25), st.integers(0, 2)),
        ),
        max_size=8,
    )
)
def test_behaves_as_a_file(
    run: Callable[..., list[str]], tmp_path: Path, steps: list[tuple[str | int, int]]
) -> None:
    content = bytes(range(20))
    path = tmp_path / "data.bin"
    path.write_bytes(content)
    calls, expected, position = [], [], 0
    for what, number in steps:
        if what == "read":
            read = content[position : position + number]
            expected.append("null" if position == 20 else f"{len(read)}:{','.join(map(str, read))}")
            position += len(read)
            calls.append(f"read({number})")
            continue
        assert isinstance(what, int)
        wrong_sign = (number == 0 and what < 0) or (number == 2 and what > 0)
        wanted = (0, position, 19)[number] + what
        if wrong_sign or not 0 <= wanted <= 20:
            expected.append("TypeError")
        else:
            position = wanted
            expected.append(str(position))
        calls.append(f"file.seek({what}, {number})")
    script = f"""
        import {{ open }} from 'k6/experimental/fs';
        const file = await open('data.bin');
        const read = async (size) => {{
          const into = new Uint8Array(size);
          const n = await file.read(into);
          return n === null ? 'null' : `${{n}}:${{into.slice(0, n).join()}}`;
        }};
        for (const call of [{", ".join(f"() => {call}" for call in calls)}]) {{
          console.log(await call().catch((e) => e.name));
        }}
    """
    assert run(script) == expected
