"""Series in a real Prometheus."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import cramjam
import pytest
from waiting import DEADLINE

from jsrunner.errors import UsageError
from jsrunner.outputs.prometheus import configure

if TYPE_CHECKING:
    from collections.abc import Callable


def query(url: str, text: str) -> dict[str, Any]:
    """The values of a query by their series' names; by their tag `group` too, if they have one."""
    words = urllib.parse.urlencode({"query": text})
    with urllib.request.urlopen(f"{url}/api/v1/query?{words}", timeout=DEADLINE) as response:
        found = json.load(response)["data"]["result"]
    return {
        one["metric"].get("__name__", "") + one["metric"].get("group", ""): (
            float(one["value"][1]) if "value" in one else one["histogram"][1]
        )
        for one in found
    }


@pytest.mark.slow
def test_metrics_have_the_names_and_units_of_k6(run_to: Callable[..., Any], prometheus: str) -> None:
    done = run_to(
        "experimental-prometheus-rw", K6_PROMETHEUS_RW_SERVER_URL=f"{prometheus}/api/v1/write",
        K6_PROMETHEUS_RW_TREND_STATS="p(99),p(99.9),avg,max", K6_PROMETHEUS_RW_PUSH_INTERVAL="1s",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found = query(prometheus, '{team="a, b=c",empty=""}')
    expected = {
        "k6_my_count_total": 80, "k6_my_count_total::teardown": 20, "k6_my_gauge": 7,
        "k6_my_rate_rate": 0, "k6_my_time_p99": 0.25, "k6_my_time_p999": 0.25, "k6_my_time_avg": 0.25,
        "k6_my_plain_max": 3, "k6_checks_rate": 1, "k6_iterations_total": 40,
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert 0 < found["k6_iteration_duration_max"] < 10


def test_series_have_static_labels(run_to: Callable[..., Any], prometheus: str) -> None:
    """As k6 2.3's documentation of the output says: tags win, empty ones and __name__ are ignored."""
    done = run_to(
        f"experimental-prometheus-rw={prometheus}/api/v1/write",
        K6_PROMETHEUS_RW_LABELS="environment=production, server = srv=1 ,team=x,empty=,=no,__name__=z",
        K6_PROMETHEUS_RW_STALE_MARKERS="false",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    labels = '{environment="production",server="srv=1",team="a, b=c",empty=""}'
    assert query(prometheus, f"k6_iterations_total{labels}") == {"k6_iterations_total": 40}
    assert query(prometheus, f"count by (__name__) ({{__name__=~'k6_.*'}} unless {labels})") == {}


def test_trends_may_be_native_histograms(run_to: Callable[..., Any], prometheus: str) -> None:
    script = """
      import { Trend } from 'k6/metrics';
      const time = new Trend('time', true), any = new Trend('any');
      export default function () {
        [250, 251, 1000].forEach((value) => time.add(value));
        [-8, -8, 0, 1, 9, 1e300].forEach((value) => any.add(value));
      }"""
    done = run_to(
        f"experimental-prometheus-rw={prometheus}/api/v1/write", script=script,
        K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM="true",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    time = query(prometheus, "k6_time_seconds")["k6_time_seconds"]
    assert (time["count"], float(time["sum"])) == ("3", 1.501)
    buckets = [(float(low), float(high), count) for _, low, high, count in time["buckets"]]
    assert [(low < value <= high, count) for value, (low, high, count) in
            zip((0.25, 0.251, 1), buckets, strict=True)] == [(True, "1")] * 3  # fmt: skip
    counts = [(float(one[1]), one[3]) for one in query(prometheus, "k6_any")["k6_any"]["buckets"]]
    assert [count for _, count in sorted(counts)] == ["2", "1", "1", "1", "1"]


def test_series_end_where_that_is_wanted(run_to: Callable[..., Any], prometheus: str) -> None:
    done = run_to(
        f"experimental-prometheus-rw={prometheus}/api/v1/write", K6_PROMETHEUS_RW_STALE_MARKERS="true"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert query(prometheus, "k6_my_count_total") == {}
    assert query(prometheus, "last_over_time(k6_iterations_total[1m])") == {"k6_iterations_total": 40}


def test_requests_carry_headers_and_who_sends_them(run_to: Callable[..., Any]) -> None:
    seen = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append((headers, bytes(cramjam.snappy.decompress_raw(body))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        done = run_to(
            f"experimental-prometheus-rw=http://127.0.0.1:{server.server_port}/write",
            K6_PROMETHEUS_RW_USERNAME="me", K6_PROMETHEUS_RW_PASSWORD="secret",
            K6_PROMETHEUS_RW_HTTP_HEADERS="X-Scope:one,X-Other:two",
            **{"K6_PROMETHEUS_RW_HEADERS_X-THIRD": "three:3"},
        )  # fmt: skip
        server.shutdown()
        thread.join()
    assert (done.returncode, done.stderr) == (0, "")
    headers, body = seen[-1]
    assert headers["authorization"] == "Basic bWU6c2VjcmV0"
    assert (headers["x-scope"], headers["x-other"], headers["x-third"]) == ("one", "two", "three:3")
    assert (headers["content-encoding"], headers["content-type"]) == (
        "snappy",
        "application/x-protobuf",
    )
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert b"k6_my_count_total" in body


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"TREND_STATS": "p(101)"}, "has 'p(101)', which is no statistic of a trend"),
        ({"TREND_STATS": "mean"}, "has 'mean', which is no statistic of a trend"),
        ({"HTTP_HEADERS": "a:b:c"}, "has 'a:b:c', which is not <header key>:<value>"),
        ({"LABELS": "a=b,c"}, "has 'c', which is not <label>=<value>"),
        ({"TLS_MINIMUM_VERSION": "1.1"}, "'1.1' is neither 1.2 nor 1.3"),
        (
            {"CLIENT_CERTIFICATE": "no", "CLIENT_CERTIFICATE_KEY": "no"},
            "failed to load the TLS certificate",
        ),
        ({"SIGV4_REGION": "eu"}, "asks for AWS SigV4"),
        ({"SERVER_URL": "host:1"}, "'host:1' is not a URL"),
    ],
)
def test_wrong_settings_are_named(variables: dict[str, str], error: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure("", {f"K6_PROMETHEUS_RW_{name}": value for name, value in variables.items()})
    assert error in str(caught.value)
