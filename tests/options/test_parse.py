"""Options of the script, config files and the environment."""

from __future__ import annotations

import pytest

from jsrunner.errors import ConfigError, ExitCode
from jsrunner.options.kinds import Stage
from jsrunner.options.model import Options, rows
from jsrunner.options.parse import options_from_env, options_from_json


def test_options_and_unknown_ones() -> None:
    options, unknown = options_from_json(
        {"vus": "5", "duration": "10s", "Throw": True, "colour": 1, "rps": None, "nope": 2}
    )
    assert options == Options(vus=5, duration=10.0, throw=True)
    assert unknown == ["colour", "nope"]


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    options, unknown = options_from_json({"tags": {"a\ud800": "\udfffb"}, "\ud800": [1, ["\ud800"]]})
    assert options.tags == {"a\ufffd": "\ufffdb"}
    assert unknown == ["\ufffd"]


def test_null_and_nothing_say_nothing() -> None:
    assert options_from_json(None) == (Options(), [])
    assert options_from_json({}) == (Options(), [])
    assert options_from_json({"vus": ""}) == (Options(), [])


@pytest.mark.parametrize("data", [[], "five", 5, True])
def test_what_is_no_object(data: object) -> None:
    with pytest.raises(ConfigError, match=r"into Go value of type lib\.Options$") as caught:
        options_from_json(data)
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG


def test_a_wrong_value_is_told_with_its_option() -> None:
    with pytest.raises(ConfigError) as caught:
        options_from_json({"iterations": "five"})
    assert str(caught.value) == 'strconv.ParseInt: parsing "five": invalid syntax'
    assert caught.value.hint == 'the option iterations is "five"'
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG


def test_the_place_of_a_wrong_type_in_a_script() -> None:
    with pytest.raises(ConfigError) as caught:
        options_from_json({"tags": {"a": 5}}, of_script=True)
    assert str(caught.value) == (
        'parsing options from script got error while parsing "\\"tags\\": {\\"a\\": 5}": '
        "json: cannot unmarshal number into Go struct field Options.tags of type string"
    )
    with pytest.raises(ConfigError, match=r"^parsing options from script got error while parsing"):
        options_from_json([], of_script=True)


def test_variables() -> None:
    assert options_from_env(
        {
            "K6_VUS": "5",
            "K6_DURATION": "1500",
            "K6_STAGES": "10s:5,1m:0",
            "K6_TAGS": "a:b",
            "K6_SYSTEM_TAGS": "url, method",
            "K6_THROW": "",
            "K6_BATCH": "null",
            "K6_NO_SETUP": "null",
            "K6_TLS_CIPHER_SUITES": "49199,52393",
            "K6_THRESHOLDS": "http_reqs:count>1",
            "K6_HOSTS": "ignored",
            "VUS": "9",
        }
    ) == Options(
        vus=5,
        duration=1.5,
        stages=(Stage(10.0, 5), Stage(60.0, 0)),
        tags={"a": "b"},
        system_tags=("url", "method"),
        tls_cipher_suites=(
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        ),
        thresholds={"http_reqs": []},
    )


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("K6_THROW", "1", "to Throw: converting '1' to type null.Bool. details: invalid input:1"),
        (
            "K6_VUS",
            "many",
            "to VUs: converting 'many' to type null.Int. details: strconv.ParseInt: parsing "
            '"many": invalid syntax',
        ),
        (
            "K6_INSECURE_SKIP_TLS_VERIFY",
            "yes",
            "to InsecureSkipTLSVerify: converting 'yes' to type null.Bool. details: invalid input:yes",
        ),
        (
            "K6_SETUP_TIMEOUT",
            "soon",
            "to SetupTimeout: converting 'soon' to type types.NullDuration. details: time: invalid "
            'duration "soon"',
        ),
        ("K6_TAGS", "a=b", "to RunTags: converting 'a=b' to type map[string]string. details: invalid "
         'map item: "a=b"'),
        ("K6_RPS", "x", "to RPS: converting 'x' to type null.Int. details: strconv.ParseInt: parsing "
         '"x": invalid syntax'),
        ("K6_LOCAL_IPS", "here", "to LocalIPs: converting 'here' to type types.NullIPPool. details: "
         "here is not a valid IP, IP range or CIDR"),
        ("K6_DNS", "ttl", "to DNS: converting 'ttl' to type types.DNSConfig. details: no value for "
         "key ttl"),
        ("K6_THRESHOLDS", "{}", "to Thresholds: converting '{}' to type map[string]metrics.Thresholds. "
         'details: invalid map item: "{}"'),
        ("K6_TLS_CIPHER_SUITES", "TLS_AES_128_GCM_SHA256", "to TLSCipherSuites: converting "
         "'TLS_AES_128_GCM_SHA256' to type *lib.TLSCipherSuites. details: strconv.ParseUint: parsing "
         '"TLS_AES_128_GCM_SHA256": invalid syntax'),
        ("K6_TLS_CIPHER_SUITES", "49199,7", "to TLSCipherSuites: converting '49199,7' to type "
         "*lib.TLSCipherSuites. details: unknown cipher suite id '7'"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(variable: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options_from_env({variable: text})
    assert str(caught.value) == f"envconfig.Process: assigning {variable} {reason}"
    assert caught.value.exit_code == ExitCode.INVALID_CONFIG


def test_every_option_has_a_name_in_json_or_cannot_be_given_there() -> None:
    for name, row in rows():
        if row.json:
            assert options_from_json({row.json: None}) == (Options(), []), name
