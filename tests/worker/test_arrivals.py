"""Executors over several workers: no start and no iteration is lost, however few VUs there are."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

    Run = Callable[..., Process]

#: Every executor with 1 to 5 VUs, arrival rates with all pairs of preAllocatedVUs and maxVUs.
SCRIPT = (Path(__file__).parent / "arrivals.js").read_text()


def _counts(samples: Path) -> dict[str, Counter[str]]:
    """Per metric the sum of its samples by scenario."""
    counts: dict[str, Counter[str]] = {"iterations": Counter(), "dropped_iterations": Counter()}
    for line in samples.read_text().splitlines():
        entry = json.loads(line)
        if entry["type"] == "Point" and entry["metric"] in counts:
            data = entry["data"]
            counts[entry["metric"]][data["tags"]["scenario"]] += int(data["value"])
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3, 4])
@pytest.mark.parametrize("function", ["default", "nap"])
def test_few_vus_over_workers(run: Run, tmp_path: Path, workers: int, function: str) -> None:
    done = run(
        SCRIPT.replace("EXEC", f"'{function}'"),
        "--workers",
        str(workers),
        "--out",
        "json=samples.json",
    )
    assert (done.code, done.messages("error")) == (0, [])
    counts = _counts(tmp_path / "samples.json")
    completed, dropped = counts["iterations"], counts["dropped_iterations"]
    for most in range(1, 6):
        assert completed[f"shared_{most}"] == 13
        assert completed[f"each_{most}"] == 3 * most
        assert completed[f"constant_{most}"] == completed[f"ramping_{most}"] == most
        for first in range(most + 1):
            name = f"{first}_{most}"
            assert completed[f"rate_{name}"] + dropped[f"rate_{name}"] == 7
            assert completed[f"ramp_{name}"] + dropped[f"ramp_{name}"] == 6
            if function == "nap":  # longer than the scenario: each VU has one iteration
                assert first <= completed[f"rate_{name}"] <= most
                assert first <= completed[f"ramp_{name}"] <= most
            else:
                assert completed[f"rate_{name}"] >= 1
                assert completed[f"ramp_{name}"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "lasts"), [("constant", True), ("ramping", False)])
def test_slow_rate_and_its_end(run: Run, executor: str, lasts: bool) -> None:
    """A constant rate lasts as long as its duration, a ramping one until its last start, as in k6."""
    rate = {
        "constant": "rate: 1, duration: '2s'",
        "ramping": "startRate: 10, stages: [{ duration: '1s', target: 0 }, { duration: '20s', target: 0 }]",
    }[executor]
    done = run(
        f"""
        export const options = {{ scenarios: {{ s: {{
          executor: '{executor}-arrival-rate', timeUnit: '10s', {rate}, preAllocatedVUs: 1, maxVUs: 4,
        }} }} }};
        export default function () {{ console.log('ran'); }}
        export function setup() {{ return Date.now(); }}
        export function teardown(begin) {{ console.log(Date.now() - begin >= 2000); }}
        """,
        "--workers",
        "4",
    )
    assert done.code == 0
    assert done.messages("info") == [*["ran"] * lasts, str(lasts).lower()]


@pytest.mark.slow
def test_rates_that_no_machine_keeps(run: Run, tmp_path: Path) -> None:
    """Iterations that have not started at the end are dropped at once, whatever their number."""
    done = run(
        """
        export const options = { scenarios: {
          steady: { executor: 'constant-arrival-rate', rate: 1e9, duration: '1s', preAllocatedVUs: 1 },
          ramp: { executor: 'ramping-arrival-rate', preAllocatedVUs: 1, stages: [
            { duration: '0s', target: 1e9 }, { duration: '1s', target: 0 }, { duration: '0s', target: 9 },
          ] },
        } };
        export default function () {}
        """,
        "--out",
        "json=samples.json",
    )
    assert (done.code, done.messages("error")) == (0, [])
    counts = _counts(tmp_path / "samples.json")
    assert counts["iterations"]["steady"] + counts["dropped_iterations"]["steady"] == 10**9 + 1
    assert counts["iterations"]["ramp"] + counts["dropped_iterations"]["ramp"] == 5 * 10**8
