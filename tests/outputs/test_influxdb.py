"""Points in a real InfluxDB 1."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from waiting import DEADLINE, until

from jsrunner.errors import UsageError
from jsrunner.metrics.registry import Metric
from jsrunner.outputs.influxdb import InfluxFormatter, configure

if TYPE_CHECKING:
    from collections.abc import Callable


def query(url: str, database: str, text: str) -> Any:
    """Return the rows of the first series of a query's result."""
    words = urllib.parse.urlencode({"db": database, "q": text})
    with urllib.request.urlopen(f"{url}/query?{words}", timeout=DEADLINE) as response:
        result = json.load(response)["results"][0]
    return result["series"][0].get("values", []) if "series" in result else []


def post(url: str, body: bytes) -> None:
    with urllib.request.urlopen(url, data=body, timeout=DEADLINE) as response:
        assert response.status < 300


@pytest.mark.slow
def test_every_sample_is_a_point(run_to: Callable[..., Any], influxd: str) -> None:
    done = run_to(f"influxdb={influxd}/mine", "json=samples.json")
    assert (done.returncode, done.stderr) == (0, "")
    # Those of teardown have a group, and the database was not there before.
    assert query(
        influxd, "mine", "select count(value), sum(value) from my_count where \"group\" = ''"
    ) == [["1970-01-01T00:00:00Z", 40, 80]]
    assert query(influxd, "mine", "select sum(value) from my_count")[0][1] == 100
    assert query(influxd, "mine", "show tag values from my_time with key = team") == [
        ["team", "a, b=c"]
    ]
    names = {row[0] for row in query(influxd, "mine", "show measurements")}
    assert names >= {"my_gauge", "my_rate", "my_time", "my_plain", "checks", "iterations"}


def test_tags_may_be_fields_and_times_coarse(run_to: Callable[..., Any], influxd: str) -> None:
    done = run_to(
        "influxdb",
        flags=["--system-tags=vu,scenario", "--tag=size=12", "--tag=ok=true", "--tag=team=a b"],
        K6_INFLUXDB_ADDR=influxd, K6_INFLUXDB_DB="other", K6_INFLUXDB_PRECISION="ms",
        K6_INFLUXDB_TAGS_AS_FIELDS="vu:int,size:float,ok:bool,team",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert query(influxd, "other", "show field keys from my_time") == [
        ["ok", "boolean"], ["size", "float"], ["team", "string"], ["value", "float"], ["vu", "integer"],
    ]  # fmt: skip
    assert query(influxd, "other", "show tag keys from my_time") == [["scenario"]]
    assert query(influxd, "other", "select team, size, ok, value from my_time limit 1")[0][1:] == [
        "a b", 12, True, 250,
    ]  # fmt: skip


ODD = ["a b", "a,b", "a=b", "\\", "a\\", "a\\ b", 'a"b', "ä", "\\,", "a\\\\"]


@pytest.mark.parametrize(("number", "value"), list(enumerate(ODD)))
def test_a_tag_with_any_value_spoils_no_other(influxd: str, number: int, value: str) -> None:
    formatter = InfluxFormatter({"url": "string"}, 10**9)
    tags = {"odd": value, "next": "x", "url": value}
    line = formatter.format(Metric("some", "counter"), tags, None).line(1.0, 1)
    post(f"{influxd}/query?q=create+database+d{number}", b"")
    # InfluxDB answers before a write finds the database.
    until(lambda: [f"d{number}"] in query(influxd, "", "show databases"))
    post(f"{influxd}/write?db=d{number}", line)
    (row,) = query(influxd, f"d{number}", "select odd, next, url, value from some")
    assert [row[1].rstrip(" "), *row[2:]] == [value, "x", value, 1]


def test_samples_of_one_moment_stay_apart() -> None:
    writer = InfluxFormatter({}, 10**9).format(Metric("some", "counter"), {}, None)
    times = [1700000000.000001] * 50 + [1700000000.000002, 1700000000.000002, 1700000000.5]
    moments = [int(writer.line(one, 1).split()[2]) for one in times]
    assert len(set(moments)) == len(times)
    assert moments[0] // 1000 == 1700000000000001
    assert moments[-1] // 1000 == 1700000000500000
    assert int(writer.line(1700000000.25, 1).split()[2]) // 1000 == 1700000000250000


def test_what_the_protocol_cannot_say_is_left_out() -> None:
    writer = InfluxFormatter({}, 10**9).format(Metric("some", "trend"), {}, None)
    assert writer.line(1.0, float("inf")) == writer.line(1.0, float("nan")) == b""


@pytest.mark.parametrize(
    ("argument", "variables", "error"),
    [
        ("http://h/db?what=1", {}, "unknown query parameter: what"),
        ("ftp://h/db", {}, "addr: 'ftp://h' is not the URL of an InfluxDB"),
        ("", {"K6_INFLUXDB_CONCURRENT_WRITES": "0"}, "CONCURRENT_WRITES: '0' is not a positive number"),
        (
            "",
            {"K6_INFLUXDB_PUSH_INTERVAL": "soon"},
            "K6_INFLUXDB_PUSH_INTERVAL: 'soon' is not a duration",
        ),
        ("", {"K6_INFLUXDB_INSECURE": "maybe"}, "INSECURE: 'maybe' is neither true nor false"),
        ("http://h?precision=d", {}, "precision: 'd' is none of ns,"),
        ("http://h?tagsAsFields=a:b", {}, "gives 'a' an invalid type, 'b'"),
        ("http://h?tagsAsFields=a&tagsAsFields=a:int", {}, "has 'a' more than once"),
    ],
)
def test_wrong_settings_are_named(argument: str, variables: dict[str, str], error: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure(argument, variables)
    assert error in str(caught.value)


def test_the_url_says_what_is_shown_without_the_password() -> None:
    config = configure("https://me:secret@host:1/db?insecure=true&pushInterval=2s", {})
    assert config.description == "InfluxDBv1 (https://host:1)"


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("http://localhost:8086", "http://localhost:8086"),
        ("http://localhost:8086/db", "http://localhost:8086"),
        ("http://my.site.io/influxdbA/k6db", "http://my.site.io/influxdbA"),
        ("http://my.site.io/a/b/c/db?precision=ms", "http://my.site.io/a/b/c"),
        ("http://my.site.io/prefix/", "http://my.site.io/prefix"),
        ("db", "http://localhost:8086"),
        ("/db", "http://localhost:8086"),
    ],
)
def test_what_stands_before_the_database_belongs_to_the_address(argument: str, address: str) -> None:
    """k6 2.3: a proxy may route by it."""
    assert configure(argument, {}).description == f"InfluxDBv1 ({address})"


def test_requests_go_below_the_prefix(run_to: Callable[..., Any]) -> None:
    seen = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        done = run_to(f"influxdb=http://127.0.0.1:{server.server_port}/proxy/influx/mine")
        server.shutdown()
        thread.join()
    assert (done.returncode, done.stderr) == (0, "")
    assert seen[0].startswith("/proxy/influx/query?")
    assert {path.partition("&")[0] for path in seen[1:]} == {"/proxy/influx/write?db=mine"}
