"""k6/experimental/csv."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READ = """
import { open } from 'k6/experimental/fs';
import csv from 'k6/experimental/csv';
const file = await open('data.csv');
"""

CELL = st.text(alphabet='ab ü,";\n', max_size=5)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=6),
    delimiter=st.sampled_from([",", ";", "\t"]),
    first=st.integers(0, 5),
    count=st.one_of(st.none(), st.integers(1, 5)),
)
def test_parse_and_parser_read_what_was_written(
    run: Callable[..., list[str]],
    tmp_path: Path,
    rows: list[list[str]],
    delimiter: str,
    first: int,
    count: int | None,
) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
    (tmp_path / "data.csv").write_text(written.getvalue(), newline="")
    first = min(first, len(rows))
    options = {"delimiter": delimiter, "fromLine": first}
    if count is not None:
        options["toLine"] = first + count
    parsed, one_by_one = run(
        READ
        + f"""
        const options = {json.dumps(options)};
        console.log(JSON.stringify(await csv.parse(file, options)));
        const parser = new csv.Parser(await open('data.csv'), options);
        const records = [];
        for (;;) {{
          const {{ done, value }} = await parser.next();
          if (done) break;
          records.push(value);
        }}
        console.log(JSON.stringify(records));
        """
    )
    wanted = rows[first:] if count is None else rows[first : first + count + 1]
    assert json.loads(parsed) == wanted
    assert json.loads(one_by_one) == wanted


def test_objects(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("id,name\r\n1,Ann\r\n\r\n2,Bob\r\n")
    assert run(
        READ
        + """
        const people = await csv.parse(file, { asObjects: true, toLine: 1 });
        console.log(people.length, JSON.stringify(people[0]), Object.isFrozen(people[0]), Array.isArray(people));
        const parser = new csv.Parser(await open('data.csv'), { asObjects: true });
        for (let i = 0; i < 3; i += 1) console.log(JSON.stringify(await parser.next()));
        """
    ) == [
        '1 {"id":"1","name":"Ann"} true true',
        '{"done":false,"value":{"id":"1","name":"Ann"}}',
        '{"done":false,"value":{"id":"2","name":"Bob"}}',
        '{"done":true,"value":[]}',
    ]


def test_the_position_of_the_file_counts_and_moves(
    run: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    assert run(
        READ
        + """
        await file.seek(4, 0);
        console.log(JSON.stringify(await csv.parse(file)), await file.read(new Uint8Array(1)));
        """
    ) == ['[["1","2"]] null']


def test_skip_first_line_and_bad_bytes(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(b"a\n\xff\n3\n")
    assert run(
        READ
        + """
        console.log(JSON.stringify(await csv.parse(file, { skipFirstLine: true })));
        const again = await open('data.csv');
        console.log(JSON.stringify(await csv.parse(again, { skipFirstLine: true, fromLine: 2 })));
        """
    ) == ['[["\ufffd"],["3"]]', '[["3"]]']


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("{ delimiter: '' }", "delimiter must be a single character"),
        ("{ delimiter: 'ü' }", "delimiter must be a single character"),
        ("{ fromLine: 3, toLine: 3 }", "fromLine must be less than or equal to toLine"),
    ],
)
def test_options_that_cannot_be_interpreted(
    run: Callable[..., list[str]], tmp_path: Path, options: str, reason: str
) -> None:
    (tmp_path / "data.csv").write_text("a\n")
    assert run(
        READ
        + f"""
        for (const attempt of [() => csv.parse(file, {options}), () => csv.Parser(file, {options})]) {{
          try {{ attempt(); }} catch (e) {{ console.log(String(e)); }}
        }}
        """
    ) == [
        "GoError: failed to interpret the provided Parser options; reason: " + reason,
        "GoError: encountered an error while interpreting Parser options; reason: " + reason,
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("{ fromLine: -1 }", "the 'fromLine' option must be greater than or equal to 0; got -1"),
        (
            "{ toLine: -1e30 }",
            "the 'toLine' option must be greater than or equal to 0; got -9223372036854775808",
        ),
        (
            "{ asObjects: true, skipFirstLine: 1 }",
            "the 'header' option cannot be enabled when 'skipFirstLine' is true",
        ),
        (
            "{ asObjects: true, fromLine: '1' }",
            "the 'header' option cannot be enabled when 'fromLine' is set to a value greater than 0",
        ),
        ("{ fromLine: 9 }", "failed to skip lines until line 9; reason: EOF"),
        (
            "{ delimiter: '\"', asObjects: true }",
            "failed to read the first line; reason: csv: invalid field or comment delimiter",
        ),
        (
            "{ delimiter: '\\n', skipFirstLine: true }",
            "failed to skip the first line; reason: csv: invalid field or comment delimiter",
        ),
    ],
)
def test_options_that_make_no_parser(
    run: Callable[..., list[str]], tmp_path: Path, options: str, reason: str
) -> None:
    (tmp_path / "data.csv").write_text("a\n")
    said = f"GoError: failed to create a new parser; reason: {reason}"
    assert run(
        READ
        + f"""
        for (const attempt of [() => csv.parse(file, {options}), () => csv.Parser(file, {options})]) {{
          try {{ attempt(); }} catch (e) {{ console.log(String(e)); }}
        }}
        """
    ) == [said, said]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1\n", "record on line 2: wrong number of fields"),
        ('a,b\n\nx,y"\n', 'parse error on line 3, column 4: bare " in non-quoted-field'),
        ('a,b\n1,"2"3\n', 'parse error on line 2, column 5: extraneous or missing " in quoted-field'),
        (
            'a,b\n1,"2\n\n3',
            'record on line 2; parse error on line 4, column 2: extraneous or missing " in quoted-field',
        ),
        (
            'a\n"1\n2"x',
            'record on line 2; parse error on line 3, column 2: extraneous or missing " in quoted-field',
        ),
    ],
)
def test_records_that_are_none(
    run: Callable[..., list[str]], tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "data.csv").write_text(text, newline="")
    assert run(
        READ
        + """
        await csv.parse(file).catch((e) => console.log(String(e)));
        const parser = new csv.Parser(await open('data.csv'));
        await parser.next();
        await parser.next().catch((e) => console.log(String(e)));
        """
    ) == [f"GoError: failed to read record; reason: {reason}", reason]


def test_what_is_no_file(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n")
    assert run(
        READ
        + """
        for (const attempt of [
          () => csv.parse('data.csv'), () => csv.parse({ path: 'data.csv' }),
          () => csv.Parser(1.5), () => new csv.Parser(),
        ]) {
          try { attempt(); } catch (e) { console.log(String(e)); }
        }
        """
    ) == [
        "GoError: first argument expected to be a fs.File instance, got sobek.asciiString instead",
        "GoError: failed to create a new parser; reason: the reader cannot be nil",
        "GoError: first argument expected to be a fs.File instance, got sobek.valueFloat instead",
        "GoError: csv Parser constructor takes at least one non-nil source argument",
    ]


def test_a_parser_is_made_in_the_init_code_only(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\nb\n")
    stage = Stage(
        tmp_path,
        READ
        + """
        export async function setup() {
          try { new csv.Parser(file); } catch (e) { console.log(String(e)); }
          console.log((await csv.parse(file)).length);
        }
        export default function () {}
        """,
    ).run()
    assert stage.logged() == ["GoError: csv Parser constructor must be called in the init context", "2"]
