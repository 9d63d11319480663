"""Tags and metadata along asynchronous code, in whole runs.

Written from k6 2.3's documentation (feature flags; group(); tags and groups): the feature
`async-metric-context` is not in the k6 by which the compatibility cases are recorded.
"""

from __future__ import annotations

import collections
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from http_sites import Site
    from running import Process

PROLOGUE = (Path(__file__).parent / "metric_context.js").read_text()

#: What a sample carries: a name, the group, the tag `owner`, the metadata `trace`.
Sample = tuple[str, str, str, str]


class Samples:
    """Runs a script and reads its samples."""

    def __init__(self, folder: Path, run: Callable[..., Process]) -> None:
        self._path = folder / "out.json"
        self._run = run
        self.done: Any = None

    def of(self, script: str, *flags: str, env: dict[str, str] | None = None) -> list[Sample]:
        """Run a script with the feature, and return what its counter has counted, in order."""
        self.run(script, "--features", "async-metric-context", *flags, env=env)
        return self.read("counter", "at")

    def run(self, script: str, *flags: str, env: dict[str, str] | None = None) -> None:
        """Run a script."""
        self.done = self._run(PROLOGUE + script, "-o", f"json={self._path}", *flags, env=env or {})

    def points(self, metric: str) -> list[dict[str, Any]]:
        """Return the samples of a metric as the output has them."""
        records = [json.loads(line) for line in self._path.read_text().splitlines()]
        return [one["data"] for one in records if one["type"] == "Point" and one["metric"] == metric]

    def read(self, metric: str, name: str = "group") -> list[Sample]:
        """Return the samples of a metric, by one of its tags."""
        samples = []
        for point in self.points(metric):
            tags, metadata = point["tags"], point.get("metadata") or {}
            samples.append(
                (tags.get(name, ""), tags.get("group", ""), tags.get("owner", ""),
                 metadata.get("trace", ""))
            )  # fmt: skip
        return samples


@pytest.fixture
def samples(tmp_path: Path, run: Callable[..., Process]) -> Samples:
    return Samples(tmp_path, run)


def test_an_asynchronous_group_lasts_until_its_promise_is_settled(samples: Samples) -> None:
    assert samples.of(
        "export default async function () { set('root');"
        "  const result = await group('checkout', async () => {"
        "    note('started'); set('inside'); await delay(20); note('finished'); return 'value'; });"
        "  note('after'); console.log(result); }"
    ) == [
        ("started", "::checkout", "root", "root"),
        ("finished", "::checkout", "inside", "inside"),
        ("after", "", "root", "root"),
    ]
    assert "value" in samples.done.messages()
    # The duration has the tags of the group's begin.
    assert samples.read("group_duration") == [("::checkout", "::checkout", "root", "root")]
    assert samples.points("group_duration")[0]["value"] >= 20


def test_nested_and_concurrent_groups(samples: Samples) -> None:
    found = samples.of(
        """
        export default async function () { set('root');
          await Promise.all(['a', 'b', 'c', 'd'].map((name, i) => group(name, async () => {
            set(name); await delay(10 - 3 * i); note('outer');
            await group('inner', async () => { await null; note('inner'); set('deep'); await null; note('deep'); });
            note('end'); })));
          note('all'); }
        """
    )
    assert found[-1] == ("all", "", "root", "root")
    assert sorted(found[:-1]) == sorted(
        one
        for name in "abcd"
        for one in [
            ("outer", f"::{name}", name, name),
            ("inner", f"::{name}::inner", name, name),
            ("deep", f"::{name}::inner", "deep", "deep"),
            ("end", f"::{name}", name, name),
        ]
    )
    durations = collections.Counter(samples.read("group_duration"))
    assert durations == collections.Counter(
        one
        for name in "abcd"
        for one in [
            (f"::{name}", f"::{name}", "root", "root"),
            (f"::{name}::inner", f"::{name}::inner", name, name),
        ]
    )


def test_promises_of_plain_functions_and_other_thenables(samples: Samples) -> None:
    assert samples.of(
        """
        export default async function () {
          await group('promise', () => delay(1).then(() => note('then')));
          const one = await group('thenable', () => ({ then(resolve) { note('called'); resolve(1); return 2; } }));
          note(`result ${one}`);
          try { group('throws', () => ({ then() { throw new Error('of then'); } })); } catch (e) { note(e.message); }
          try { group('getter', () => ({ get then() { throw new Error('of get'); } })); } catch (e) { note(e.message); }
          note(typeof group('value', () => ({ then: 1 })).then); }
        """
    ) == [
        ("then", "::promise", "", ""),
        ("called", "::thenable", "", ""),
        ("result 2", "", "", ""),
        ("of then", "", "", ""),
        ("of get", "", "", ""),
        ("number", "", "", ""),
    ]
    assert [name for name, *_ in samples.read("group_duration")] == [
        "::promise", "::thenable", "::throws", "::getter", "::value",
    ]  # fmt: skip


def test_rejections_pass_through_a_group(samples: Samples) -> None:
    assert samples.of(
        """
        export default async function () { set('root'); const reason = { own: 1 };
          try { await group('fails', async () => { set('x'); await delay(1); throw reason; }); }
          catch (error) { note(String(error === reason)); }
          await group('handled', async () => { await Promise.reject(1).catch(() => note('caught')); });
          group('lost', async () => { await null; throw new Error('nobody hears of it'); });
          await delay(1000); note('never'); }
        """
    ) == [("true", "", "root", "root"), ("caught", "::handled", "root", "root")]
    assert [name for name, *_ in samples.read("group_duration")] == ["::fails", "::handled", "::lost"]
    assert samples.done.said("Uncaught (in promise) Error: nobody hears of it")
    assert samples.read("iterations") == [("", "", "root", "root")]


def test_a_synchronous_group(samples: Samples) -> None:
    """Tags that it sets are visible only inside, as in asynchronous groups."""
    assert samples.of(
        "export default function () { set('root');"
        "  note(group('g', () => { set('inside'); note('in'); return 'result'; })); "
        "  try { group('t', () => { set('inside'); throw new Error('thrown'); }); } catch (e) { note(e.message); }"
        "  group('u', () => { const own = { group: '' }; counter.add(1, { at: 'own', ...own }); note('again'); }); }"
    ) == [
        ("in", "::g", "inside", "inside"),
        ("result", "", "root", "root"),
        ("thrown", "", "root", "root"),
        ("own", "", "root", "root"),
        ("again", "::u", "root", "root"),
    ]
    assert samples.read("group_duration") == [
        (f"::{name}", f"::{name}", "root", "root") for name in "gtu"
    ]


def test_promise_callbacks_and_timers(samples: Samples) -> None:
    found = samples.of(
        """
        export default function () {
          let release; const gate = new Promise((resolve) => { release = resolve; }); let ticks = 0;
          group('g', () => { set('g'); gate.then(() => { note('then'); set('own'); return delay(1); })
            .then(() => note('second')).finally(() => note('finally'));
            setTimeout((name) => { note(name); set('own'); }, 2, 'timeout');
            later(() => note('k6/timers'), 3);
            const id = setInterval(() => { note('tick'); set('tick'); if (++ticks === 3) clearInterval(id);
              Promise.resolve().then(() => note('job')); }, 1); });
          set('root'); setTimeout(() => note('outside'), 30); release(); }
        """
    )
    counts = collections.Counter(found)
    assert counts == {
        ("then", "::g", "g", "g"): 1,
        ("second", "::g", "g", "g"): 1,
        ("finally", "::g", "g", "g"): 1,
        ("timeout", "::g", "g", "g"): 1,
        ("k6/timers", "::g", "g", "g"): 1,
        ("tick", "::g", "g", "g"): 3,
        ("job", "::g", "tick", "tick"): 3,
        ("outside", "", "root", "root"): 1,
    }


def test_listeners_of_sockets(samples: Samples, echo: str) -> None:
    assert samples.of(
        """
        export default function () { set('registered'); const socket = new WebSocket(__ENV.URL);
          group('socket', () => {
            const open = () => { note('open'); set('own'); socket.ping(); };
            socket.onopen = open; note(String(socket.onopen() === open));
            socket.addEventListener('message', async () => { note('message'); set('own'); await delay(1); note('awaited');
              socket.close(); });
            socket.onpong = () => { note('pong'); socket.send('x'); }; });
          set('active'); socket.onclose = () => note('close');
          socket.onmessage = () => note('property'); socket.onmessage = null; }
        """,
        "--env",
        f"URL={echo}",
    ) == [
        ("true", "::socket", "registered", "registered"),
        ("open", "::socket", "registered", "registered"),
        ("pong", "::socket", "registered", "registered"),
        ("message", "::socket", "registered", "registered"),
        ("awaited", "::socket", "own", "own"),
        ("close", "", "active", "active"),
    ]
    assert samples.read("ws_sessions") == [("", "", "registered", "registered")]


def test_sockets_of_k6_ws_are_as_ever(samples: Samples, echo: str) -> None:
    assert samples.of(
        "export default async function () { await group('ws', async () => { await null;"
        "  ws.connect(__ENV.URL, (socket) => { socket.on('open', () => { note('open'); set('own'); socket.send('x'); });"
        "    socket.on('message', () => { note('message'); socket.close(); }); }); note('after'); }); note('end'); }",
        "--env",
        f"URL={echo}",
    ) == [
        ("open", "::ws", "", ""),
        ("message", "::ws", "own", "own"),
        ("after", "::ws", "own", "own"),
        ("end", "", "", ""),
    ]
    assert samples.read("ws_sessions") == [("::ws", "::ws", "", "")]


def test_asynchronous_requests(samples: Samples, site: Site) -> None:
    found = samples.of(
        "export default async function () { set('root');"
        "  const get = (name) => group(name, async () => { set(name);"
        "    const answer = await http.asyncRequest('GET', __ENV.URL); check(answer, { [name]: (r) => r.status === 200 });"
        "    http.get(__ENV.URL); note(name); });"
        "  await Promise.all([get('a'), get('b')]); note('after'); }",
        "--env",
        f"URL={site.http}/get",
    )
    assert sorted(found[:2]) == [("a", "::a", "a", "a"), ("b", "::b", "b", "b")]
    assert found[2:] == [("after", "", "root", "root")]
    assert sorted(samples.read("checks", "check")) == [("a", "::a", "a", "a"), ("b", "::b", "b", "b")]
    assert collections.Counter(samples.read("http_reqs")) == {
        ("::a", "::a", "a", "a"): 2,
        ("::b", "::b", "b", "b"): 2,
    }


def test_each_iteration_of_each_vu_has_its_own(samples: Samples) -> None:
    """Tags that continuations set end with them; tags that the iteration sets itself stay."""
    found = samples.of(
        """
        export const options = { vus: 2, iterations: 20, systemTags: ['group', 'iter', 'vu'] };
        export default async function () { const { tags, metadata } = exec.vu.metrics;
          const name = `${exec.vu.idInTest}-${__ITER}`;
          note(`${tags.owner} ${tags.stays === undefined || tags.stays === String(exec.vu.idInTest)}`);
          tags.stays = exec.vu.idInTest;
          await group('g', async () => { set(name); await delay(1); note(String(tags.owner === name
            && metadata.trace === name && metadata.iter === String(__ITER))); });
          await null; set('lost'); }
        """
    )
    assert collections.Counter(found) == collections.Counter(
        [("undefined true", "", "", "")] * 20
        + [("true", "::g", trace, trace) for _, _, _, trace in found if trace]
    )
    assert len({trace for *_, trace in found}) == 21
    iterations = [one["metadata"]["iter"] for one in samples.points("counter")]
    assert set(iterations) >= {"0", "1"}


def test_setup_and_teardown_keep_their_groups(samples: Samples) -> None:
    assert samples.of(
        "const queue = (name) => { Promise.resolve().then(() => note(name)); group('warm', () => {}); };"
        "export function setup() { queue('setup'); }"
        "export default function () {}"
        "export async function teardown() { queue('teardown'); await null; note('awaited'); }"
    ) == [
        ("setup", "::setup", "", ""),
        ("teardown", "::teardown", "", ""),
        ("awaited", "::teardown", "", ""),
    ]


@pytest.mark.slow
def test_interrupted_groups(samples: Samples) -> None:
    assert (
        samples.of(
            "const scenario = (startTime) => ({ executor: 'constant-vus', vus: 2, duration: '1s', startTime,"
            "  gracefulStop: '0s' });"
            "export const options = { scenarios: { first: scenario('0s'), second: scenario('1s') } };"
            "export default async function () { note('begin'); await group('g', async () => { set('inside'); await delay(1);"
            "  for (;;) { await delay(1e6); } }); }"
        )
        == [("begin", "", "", "")] * 4
    )
    assert samples.read("group_duration") == []
    assert samples.done.code == 0


@pytest.mark.parametrize(
    ("when", "durations"),
    [
        ("", ["::outer::inner", "::outer"]),
        ("await null;", ["::outer::inner"]),
    ],
    ids=["within the calls", "after an await"],
)
def test_aborted_groups(samples: Samples, when: str, durations: list[str]) -> None:
    """A group whose function runs when the test is aborted is measured, as without the feature."""
    samples.of(
        f"export default async function () {{ await group('outer', async () => {{ {when} set('inside');"
        "  group('inner', () => { exec.test.abort('enough'); }); }); }"
    )
    assert samples.done.code == 108
    assert [name for name, *_ in samples.read("group_duration")] == durations


def test_without_the_feature_nothing_changes(samples: Samples) -> None:
    samples.run(
        "export default function () { set('root'); "
        "  try { group('async', async () => {}); } catch (error) { console.log(error.message); }"
        "  group('g', () => { set('inside'); Promise.resolve().then(() => note('then'));"
        "    setTimeout(() => note('timeout'), 1); }); note('after'); set('later'); }"
    )
    assert samples.done.messages("info") == [
        "group() does not support async functions as arguments, please see "
        "https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info"
    ]
    assert samples.read("counter", "at") == [
        ("after", "", "inside", "inside"),
        ("then", "", "later", "later"),
        ("timeout", "", "later", "later"),
    ]
    assert samples.read("group_duration") == [("::g", "::g", "inside", "inside")]


def test_the_feature_by_its_variable(samples: Samples) -> None:
    samples.run(
        "export default async function () { await group('g', async () => { await null; note('in'); }); }",
        env={"K6_FEATURES": "async-metric-context"},
    )
    (sample,) = samples.points("counter")
    assert sample["tags"]["group"] == "::g"
    assert sample["tags"]["k6_feature_async_metric_context"] == "true"


def test_without_the_tag_group(samples: Samples) -> None:
    assert samples.of(
        "export const options = { systemTags: ['scenario'] };"
        "export default async function () { await group('g', async () => { set('g'); await null; note('in'); }); note('out'); }"
    ) == [("in", "", "g", "g"), ("out", "", "", "")]
    assert len(samples.points("group_duration")) == 1


def test_without_outputs(run: Callable[..., Process]) -> None:
    """Metadata, which only outputs have, is kept for the script to read."""
    done = run(
        PROLOGUE + "export default async function () { set('root');"
        "  await group('g', async () => { set('g'); await delay(1); console.log(exec.vu.metrics.metadata.trace); });"
        "  console.log(exec.vu.metrics.metadata.trace, exec.vu.metrics.tags.owner); sleep(0); }",
        "--features",
        "async-metric-context",
    )
    assert done.messages("info")[1:] == ["g", "root root"]
