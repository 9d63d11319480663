"""k6/experimental/csv."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    count=st.one_of(st.none(), st.integers(0, 5)),
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


def test_objects(run: Callable[..., list[str]], native: None, tmp_path: Path) -> None:
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
    ("options", "text"),
    [
        ("{ delimiter: '' }", "delimiter must be a single character"),
        ("{ delimiter: '\"' }", "delimiter cannot be a quote"),
        ("{ fromLine: -1 }", "fromLine must be a number, and not below 0"),
        ("{ toLine: 'x' }", "toLine must be a number, and not below 0"),
        ("{ fromLine: 4, toLine: 3 }", "fromLine must be less than or equal to toLine"),
        ("5", "the options must be an object"),
    ],
)
def test_options_refused(
    run: Callable[..., list[str]], tmp_path: Path, options: str, text: str
) -> None:
    (tmp_path / "data.csv").write_text("a\n")
    parse, parser = run(
        READ
        + f"""
        await csv.parse(file, {options}).catch((e) => console.log(e.name, e.message));
        try {{
          new csv.Parser(file, {options});
        }} catch (e) {{
          console.log(e.name, e.message);
        }}
        """
    )
    assert parse == parser
    assert text in parse


def test_no_file(run: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n")
    assert run(
        READ
        + """
        await csv.parse().catch((e) => console.log(e.message));
        await csv.parse({ path: 'data.csv' }).catch((e) => console.log(e.message));
        """
    ) == [
        "csv parse function takes at least one non-nil source argument",
        "csv parse function: the source argument is no file of k6/experimental/fs",
    ]
