"""The command line: POSIX flags in GNU style, as k6 reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.errors import ExitCode, UsageError
from jsrunner.options.flags import Flag, FlagSet, flags_of, options_from_flags
from jsrunner.options.kinds import Stage
from jsrunner.options.model import Options

FLAGS = FlagSet(
    [
        *flags_of(),
        Flag("quiet", "no output", "q", bare="true", parse=lambda text: text == "true"),
        Flag("env", "a variable", "e", "NAME=value", repeats=True),
    ]
)


def options(*words: str) -> Options:
    return options_from_flags(FLAGS.parse(words)[0])


@pytest.mark.parametrize(
    "words", [["--vus", "5"], ["--vus=5"], ["-u", "5"], ["-u5"], ["-u=5"], ["-qu5"], ["-qu", "5"]]
)
def test_ways_to_give_a_value(words: list[str]) -> None:
    assert options(*words) == Options(vus=5)


def test_flags_may_stand_anywhere_until_two_dashes() -> None:
    values, arguments = FLAGS.parse(["a.js", "-q", "--vus", "5", "-", "--", "--vus", "-q"])
    assert values == {"quiet": True, "vus": 5}
    assert arguments == ["a.js", "-", "--vus", "-q"]


def test_switches_take_a_value_only_behind_an_equals_sign() -> None:
    values, arguments = FLAGS.parse(["--quiet", "false", "--throw=false", "-w=true", "--paused=0"])
    assert values == {"quiet": True, "throw": True, "paused": False}
    assert arguments == ["false"]


def test_the_last_one_wins_and_lists_add_up() -> None:
    assert options("--vus", "1", "--vus", "2") == Options(vus=2)
    assert FLAGS.parse(["-e", "A=1", "-eB=2"])[0] == {"env": ["A=1", "B=2"]}
    assert options("--tag", "a=1", "--tag", "b=2", "--tag", "a=3") == Options(tags={"a": "3", "b": "2"})
    stages = (Stage(1.0, 5), Stage(2.0), Stage(3.0, 0))
    assert options("-s", "1s:5,2s", "-s", "3s:0") == Options(stages=stages)
    assert options("--system-tags", "url", "--system-tags=vu,iter").system_tags == ("url", "vu", "iter")
    assert options("--summary-trend-stats", "avg", "--summary-trend-stats", "p(99)") == Options(
        summary_trend_stats=("avg", "p(99)")
    )
    assert options("--blacklist-ip", "10.0.0.0/8").blacklist_ips == ("10.0.0.0/8",)
    assert options("--block-hostnames", "*.com,a").block_hostnames == ("*.com", "a")


def test_values_without_one() -> None:
    assert options("--http-debug") == Options(http_debug="headers")
    assert options("--http-debug=full") == Options(http_debug="full")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["--nope=1"], "unknown flag: --nope"),
        (["-Z"], "unknown shorthand flag: 'Z' in -Z"),
        (["-qZ"], "unknown shorthand flag: 'Z' in -qZ"),
        (["--vus"], "flag needs an argument: --vus"),
        (["-u"], "flag needs an argument: 'u' in -u"),
        (
            ["-u", "abc"],
            'invalid argument "abc" for "-u, --vus" flag: strconv.ParseInt: parsing "abc": '
            "invalid syntax",
        ),
        (
            ["--rps=x"],
            'invalid argument "x" for "--rps" flag: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            ["--throw=maybe"],
            'invalid argument "maybe" for "-w, --throw" flag: strconv.ParseBool: parsing "maybe": '
            "invalid syntax",
        ),
        (
            ["-d", "10"],
            'invalid argument "10" for "-d, --duration" flag: time: missing unit in duration "10"',
        ),
    ],
)
def test_what_cannot_be_read(words: list[str], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        FLAGS.parse(words)
    assert str(caught.value) == reason
    assert caught.value.exit_code == ExitCode.GENERIC


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--tag", "a"], "error parsing tag 'a': invalid tag, empty value"),
        (["--summary-time-unit", "zz"], "invalid summary time unit 'zz', use 's', 'ms' or 'us'"),
        (["--summary-trend-stats", "foo"], "invalid trend stat 'foo', unknown format"),
        (["--dns", "speed=9"], "unknown DNS configuration field: speed"),
        (["--stage", "1s:1", "--stage", "5"], 'error for stage 1: time: missing unit in duration "5"'),
        (["--blacklist-ip", "x"], "error parsing blacklist-ip 'x': invalid CIDR address: x"),
        (["--block-hostnames", "a b"], "invalid hostname pattern 'a b'"),
        (["--local-ips", "x"], "x is not a valid IP, IP range or CIDR"),
        (["--execution-segment", "2:1"], "segment start(2.00) must be less than its end(1.00)"),
    ],
)
def test_what_is_checked_after_all_flags_have_been_read(words: list[str], reason: str) -> None:
    values, _ = FLAGS.parse(words)
    with pytest.raises(UsageError) as caught:
        options_from_flags(values)
    assert str(caught.value) == reason


@given(st.lists(st.text(alphabet="-=uqdvswe5 ab", max_size=6), max_size=6))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        values, arguments = FLAGS.parse(words)
        options_from_flags(values)
    except UsageError as error:
        assert str(error)  # noqa: PT017 - nothing else may be raised
        return
    assert set(arguments) <= set(words)


def test_help_names_every_flag_once_and_aligned() -> None:
    lines = FLAGS.help().splitlines()
    assert len(lines) == len(FLAGS.flags)
    assert lines[0].startswith("  -p, --paused ")
    assert any(line.startswith("      --rps int ") for line in lines)
    width = len(lines[0]) - len(FLAGS.flags[0].help)
    assert all(line[width - 3 : width] == "   " for line in lines)
