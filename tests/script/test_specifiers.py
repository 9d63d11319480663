"""Resolution of specifiers."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsrunner.errors import ScriptError
from jsrunner.script.specifiers import file_url, is_builtin, resolve, url_path

MAIN = "file:///home/u/tests/main.js"
PAGE = "https://x.test/a/b.js?v=1"


@pytest.mark.parametrize(
    ("base", "specifier", "url"),
    [
        (MAIN, "./a.js", "file:///home/u/tests/a.js"),
        (MAIN, "../a.js", "file:///home/u/a.js"),
        (MAIN, "/a.js", "file:///a.js"),
        (MAIN, ".hidden/a.js", "file:///home/u/tests/.hidden/a.js"),
        (MAIN, "./a.js?v=1", "file:///home/u/tests/a.js?v=1"),
        (MAIN, "file:///b/../a.js", "file:///b/../a.js"),
        (MAIN, PAGE, PAGE),
        (PAGE, "./c.js", "https://x.test/a/c.js"),
        (PAGE, "../../c.js", "https://x.test/c.js"),
        (PAGE, "/c.js", "https://x.test/c.js"),
        (PAGE, "https://y.test/z.js", "https://y.test/z.js"),
        (MAIN, "k6/ws", "k6/ws"),
        (PAGE, "k6", "k6"),
    ],
)
def test_what_is_meant(base: str, specifier: str, url: str) -> None:
    assert resolve(base, specifier) == url


@pytest.mark.parametrize(
    ("base", "specifier", "text"),
    [
        (
            PAGE,
            "file:///a.js",
            "origin (https://x.test/a/) not allowed to load local file: file:///a.js",
        ),
        (
            MAIN,
            "ftp://x/y",
            "only supported schemes for imports are file and https, ftp://x/y has `ftp`",
        ),
        (MAIN, "./%zz", 'parse "./%zz": invalid URL escape "%zz"'),
        (MAIN, "https://[", "parse \"https://[\": missing ']' in host"),
        (MAIN, "k6x", 'The moduleSpecifier "k6x" couldn\'t be recognised as something k6 supports.'),
    ],
)
def test_what_means_nothing(base: str, specifier: str, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        resolve(base, specifier)
    assert str(caught.value) == text


def test_builtins() -> None:
    assert [is_builtin(one) for one in ("k6", "k6/x/y", "k6x", "./k6")] == [True, True, False, False]


@pytest.mark.parametrize("path", ["/a/b c.js", "/ä/%41.js", "/what?.js", "/#.js", "/\udce9.js"])
def test_paths_and_urls(path: str) -> None:
    assert url_path(file_url(Path(path))) == Path(path)


def test_a_query_is_a_part_of_a_file_name() -> None:
    assert url_path("file:///a/b.js?v=1") == Path("/a/b.js?v=1")
    assert url_path("https://x.test/a%20b.js?v=1") == Path("/a b.js")
