"""Log records of a run with `-v`."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import trustme
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from running import Process

    Run = Callable[..., Process]

SCRIPT = """
import { x } from './lib.js';
open('./data.txt');
export const options = {
  tlsAuth: [{ cert: `CERT`, key: `SECRET` }],
  scenarios: {
    early: { executor: 'per-vu-iterations', vus: 2, iterations: 3 },
    late: { executor: 'shared-iterations', vus: 1, iterations: 1, startTime: '2s' },
    never: { executor: 'shared-iterations', vus: 1, iterations: 1, startTime: '1h' },
  },
};
export function setup() {}
export default function () {}
export function teardown() {}
"""


def test_verbose(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lib.js").write_text("export const x = 1;")
    (tmp_path / "data.txt").write_text("12345")
    issued = trustme.CA().issue_cert("client")
    key = issued.private_key_pem.bytes().decode()
    script = SCRIPT.replace("CERT", issued.cert_chain_pems[0].bytes().decode()).replace("SECRET", key)
    config = tmp_path / "config.json"
    config.write_text('{"batch": 7}')
    done = run(
        script, "-v", "--scenario=early,late", "--config", str(config), "--out", "json=out.json",
        "--workers=2", "--tag=a=b", env={"K6_USER_AGENT": "agent"},
    )  # fmt: skip
    assert done.code == 0, done.stderr
    messages = done.messages("debug")
    text = "\n".join(messages)
    assert messages[0].startswith("jsrunner ")
    assert f"Read the configuration file {config}" in messages
    for name, size in (("script.js", len(script)), ("lib.js", 19), ("data.txt", 5)):
        assert messages.count(f"Read {tmp_path / name}: {size} bytes") == 1
    layers = dict(re.findall(r"Options of the layer (\w+): (.*)", text))
    assert json.loads(layers["config"]) == {"batch": 7}
    assert list(json.loads(layers["script"])) == ["scenarios", "tlsAuth"]
    assert json.loads(layers["env"]) == {"userAgent": "agent"}
    assert json.loads(layers["cli"]) == {"tags": {"a": "b"}}
    (in_effect,) = re.findall("Options in effect: (.*)", text)
    assert list(json.loads(in_effect)["scenarios"]) == ["early", "late"]
    assert "PRIVATE KEY" not in text
    assert "Making 3 VUs in 2 worker processes" in messages
    assert sum(map(int, re.findall(r"Worker \d has made (\d) VUs", text))) == 3
    order = [
        messages.index(one)
        for one in ("Output started: json (out.json)", "Running setup()", "Running teardown()",
                    "Output stopped: json (out.json)")
    ]  # fmt: skip
    assert order == sorted(order)
    scenarios = [(one["scenario"], one["msg"].partition(":")[0]) for one in done.records()
                 if "scenario" in one]  # fmt: skip
    assert scenarios == [
        ("early", "Scenario started"), ("early", "Scenario ended"),
        ("late", "Scenario started"), ("late", "Scenario ended"),
    ]  # fmt: skip
    assert "Scenario ended: 6 complete and 0 interrupted iterations" in messages


def test_a_scenario_that_is_interrupted(start: Callable[..., Process]) -> None:
    run = start(
        "import { sleep } from 'k6';\n"
        "export const options = { vus: 2, duration: '1h' };\n"
        "export default function () { console.log('begun'); sleep(3600); }",
        "-v",
    )
    until(lambda: run.messages().count("begun") == 2)
    run.signal(signal.SIGINT)
    assert run.end().code == 105
    assert run.said("Scenario started: constant-vus")
    assert run.said("Scenario ended: 0 complete and 2 interrupted iterations")


def test_nothing_of_it_without_the_flag(run: Run) -> None:
    assert not run("export default function () {}").records()
