"""`--log-output` as k6 reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.errors import UsageError
from jsrunner.ui.destination import LOKI_URL, LogFile, Loki, parse_destination
from jsrunner.ui.log import Logger

if TYPE_CHECKING:
    from pathlib import Path


def test_files(tmp_path: Path) -> None:
    assert parse_destination("file=x.log") == LogFile("x.log")
    assert parse_destination(f"file={tmp_path}/x.log,level=warning") == LogFile(f"{tmp_path}/x.log", 30)


def test_loki() -> None:
    assert parse_destination("loki") == Loki(LOKI_URL)
    found = parse_destination(
        "loki=http://h:1/push,limit=5,level=error,pushPeriod=2s,msgMaxSize=7,profile,"
        "allowedLabels=[a,b],label.job=k6,label.x=y,header.X-Scope=me"
    )
    assert found == Loki(
        "http://h:1/push",
        40,
        2.0,
        5,
        7,
        ("a", "b"),
        (("job", "k6"), ("x", "y")),
        (("X-Scope", "me"),),
        True,
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("zz", "unsupported log output 'zz'"),
        ("", "unsupported log output ''"),
        ("file", "error while parsing logfile configuration key `file` with no value"),
        ("file=", "error while parsing logfile configuration key `file=` with no value"),
        ("file=,level=info", "filepath must not be empty"),
        ("file=x.log,level", "error while parsing logfile configuration key `level` with no value"),
        ("filex=y", "logfile configuration should be in the form"),
        ("file=x,what=y", "unknown logfile config key what"),
        ("file=x,level=loud", "unknown log level loud"),
        ("file=/no/such/x", "provided directory '/no/such' does not exist"),
        ("lokix", "loki configuration should be in the form"),
        ("loki=x,limit=0", "loki limit needs to be a positive number, is 0"),
        ("loki=x,limit=a", "couldn't parse the loki limit"),
        ("loki=x,msgMaxSize=-1", "needs to be a positive number"),
        ("loki=x,pushPeriod=5", "couldn't parse the loki pushPeriod"),
        ("loki=x,pushPeriod=0s", "needs to be positive"),
        ("loki=x,what=y", "unknown loki config key what"),
    ],
)
def test_wrong_ones(text: str, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        parse_destination(text)


@given(
    st.sampled_from(["file", "loki", "loki=x,", "file=x,", ""]), st.text("=,[]ablevl.:0s", max_size=20)
)
def test_any_text_is_read_or_refused(head: str, rest: str) -> None:
    try:
        found = parse_destination(head + rest)
    except UsageError:
        return
    assert isinstance(found, (LogFile, Loki))


def test_level_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    logger = Logger(format="raw", output=f"file={path},level=error")
    logger.log("warning", "no")
    logger.log("error", "yes")
    logger.close()
    assert path.read_text() == "yes\n"


def test_level_does_not_turn_debug_on(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for verbose in (False, True):
        logger = Logger(format="raw", output=f"file={path},level=debug", verbose=verbose)
        logger.log("debug", f"verbose {verbose}")
        logger.close()
    assert path.read_text() == "verbose True\n"
