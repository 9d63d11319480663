"""Errors and the exit codes that k6 gives them (k6-surface XC-01 to XC-14)."""

from __future__ import annotations

import pytest

from jsrunner.errors import (
    ConfigError,
    ExitCode,
    JsrunnerError,
    ScriptError,
    UsageError,
    WorkerError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JsrunnerError, 255),
        (UsageError, 255),
        (ConfigError, 104),
        (ScriptError, 107),
        (WorkerError, 255),
    ],
)
def test_each_kind_has_its_exit_code(error: type[JsrunnerError], code: int) -> None:
    one = error("what is wrong")
    assert isinstance(one, JsrunnerError)
    assert one.exit_code == code
    assert str(one) == "what is wrong"
    assert one.hint is None


def test_an_error_may_have_another_exit_code_and_a_hint() -> None:
    one = ConfigError("no", exit_code=ExitCode.GENERIC, hint="the option vus is 5")
    assert one.exit_code == ExitCode.GENERIC
    assert one.hint == "the option vus is 5"
    assert ConfigError("no").exit_code == ExitCode.INVALID_CONFIG


def test_the_codes_are_k6s() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "SUCCESS": 0,
        "THRESHOLDS_FAILED": 99,
        "SETUP_TIMEOUT": 100,
        "TEARDOWN_TIMEOUT": 101,
        "GENERIC_TIMEOUT": 102,
        "STOPPED_OVER_REST": 103,
        "INVALID_CONFIG": 104,
        "EXTERNAL_ABORT": 105,
        "CANNOT_START_REST": 106,
        "SCRIPT_EXCEPTION": 107,
        "SCRIPT_ABORTED": 108,
        "INTERNAL_ERROR": 109,
        "MARKED_AS_FAILED": 110,
        "GENERIC": 255,
    }
