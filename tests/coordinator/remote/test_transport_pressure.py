"""A coordinator that is slower than its workers on a real Dask cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.running import ROOT
from tests.waiting import DEADLINE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dask_cluster import Cluster

TALKER = """
import exec from 'k6/execution';
const text = 'x'.repeat(30000);
export default function () { console.log(`${exec.scenario.iterationInTest} ${text}`); }
"""

#: Plays the coordinator with a worker that logs 60 MB: first it takes nothing, then all.
LISTENER = """
import pickle, selectors, sys, time
from jsrunner.coordinator.local import LocalTransport
from jsrunner.coordinator.planning import worker_plan
from jsrunner.coordinator.remote.transport import RemoteTransport
from jsrunner.coordinator.settings import RunSettings
from jsrunner.executors.shared_iterations import SharedIterations
from jsrunner.messages import board, protocol
from jsrunner.messages.plan import Test
from jsrunner.messages.stream import MessageReader, encode
from jsrunner.options.model import Options
from jsrunner.options.segment import Striping
from jsrunner.script.script import ScriptBundle
from jsrunner.secrets.sources import SecretSources

WHOLE = Striping(None, None)
script, settings = ScriptBundle(sys.argv[1]), (dict(), SecretSources(dict()), frozenset())
transport = RemoteTransport(
    script, *settings, loader=LocalTransport(script, *settings),
    address=sys.argv[2], is_insecure=False, workers=1,
)

def messages(connection, last):
    reader = MessageReader()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while selector.select():
            data = connection.receive()
            assert data, connection.death()
            for message in reader.feed(data):
                yield message
                if isinstance(message, last):
                    return

list(messages(transport.start(1), protocol.Loaded))
config = SharedIterations(name="default", vus=1, iterations=2000)
test = Test(
    options=Options(), scenarios={"default": config}, plans={"default": config.plan(WHOLE)},
    striping=WHOLE, exports={"default": "function"}, max_vus=1,
)
assert transport.most() == 1
[[worker]] = transport.keep(1, 1)
plan = worker_plan(test, RunSettings(), machines=(1,), formatters=())
worker.send(encode(protocol.Prepare(1, pickle.dumps(plan))))
list(messages(worker, protocol.Ready))
counts = transport.board.view(0, 0)
worker.send(encode(protocol.Start(time.monotonic() + worker.clock_lead, None)))
most = 0
for _ in range(120):
    time.sleep(0.1)
    most = max(most, worker.waiting)
begun = counts.total(board.STARTED)
logs = [m for m in messages(worker, protocol.Finished) if isinstance(m, protocol.Log)]
numbers = [int(log.text.split()[0]) for log in logs]
worker.send(encode(protocol.Exit()))
transport.end(3)
print("outcome", most <= 4 << 20, 0 < begun < 2000, numbers == list(range(2000)))
"""


def test_workers_wait_for_a_slow_coordinator(cluster: Cluster, tmp_path: Path) -> None:
    """It buffers little however long it takes nothing, the worker waits, and nothing is lost."""
    cluster.add()
    cluster.await_workers(1)
    script = tmp_path / "script.js"
    script.write_text(TALKER)
    done = subprocess.run(
        [sys.executable, "-c", LISTENER, str(script), cluster.address],
        capture_output=True, text=True, timeout=DEADLINE, cwd=ROOT,
    )  # fmt: skip
    assert "outcome True True True" in done.stdout, done.stderr
