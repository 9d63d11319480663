"""Executions: steered from a program, with real runs."""

from __future__ import annotations

import asyncio
import threading

import pytest
from running import session_processes
from waiting import DEADLINE, until

import jsrunner

#: Lasts an hour, unless it is stopped; says what it does.
LONG = jsrunner.Script.from_text("""
import { sleep } from 'k6';
export const options = { vus: 2, duration: '1h', thresholds: { iterations: ['count>0'] } };
export const setup = () => console.log('setup');
export default () => sleep(0.05);
export const teardown = () => console.log('teardown');
""")
#: Does not let itself be stopped.
STUBBORN = jsrunner.Script.from_text("""
import { sleep } from 'k6';
export const options = { duration: '1h' };
export default () => sleep(0.05);
export const teardown = () => sleep(50);
""")


class Log:
    """The texts of a run's log."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, record: jsrunner.LogRecord) -> None:
        self.texts.append(record.text)


@pytest.fixture
def log() -> Log:
    return Log()


def running(execution: jsrunner.Execution) -> jsrunner.Execution:
    until(lambda: execution.status == "running", "the scenarios")
    return execution


def nothing_is_left(execution: jsrunner.Execution) -> bool:
    return not session_processes(execution.process_id)


def test_a_run_that_is_stopped_has_a_result(log: Log) -> None:
    with jsrunner.start(LONG, on_log=log) as execution:
        running(execution).stop()
        result = execution.wait(DEADLINE)
        assert nothing_is_left(execution)
    assert result.exit_code == jsrunner.ExitCode.EXTERNAL_ABORT
    assert result.reason == "test run was stopped by the program that started it"
    assert log.texts == ["setup", result.reason, "teardown"]
    assert execution.status == "ended"
    assert execution.wait() is result


def test_leaving_with_stops_the_run(log: Log) -> None:
    with jsrunner.start(LONG, on_log=log) as execution:
        running(execution)
    assert nothing_is_left(execution)
    assert log.texts[-1] == "teardown"


def test_an_exception_stops_the_run(log: Log) -> None:
    execution = jsrunner.start(LONG, on_log=log)

    def fail() -> None:
        with execution:
            running(execution)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert nothing_is_left(execution)
    assert log.texts[-1] == "teardown"


def test_a_run_that_does_not_end_in_time_is_killed() -> None:
    with jsrunner.start(STUBBORN, stop_timeout=0.2) as execution:
        running(execution)
    until(lambda: nothing_is_left(execution), "the end of the killed processes")
    with pytest.raises(jsrunner.WorkerError, match="the run was killed: there is no result"):
        execution.wait()


def test_a_run_that_is_stopped_before_it_has_begun(log: Log) -> None:
    with jsrunner.start(LONG, on_log=log) as execution:
        execution.stop()
        with pytest.raises(jsrunner.JsrunnerError) as caught:
            execution.wait(DEADLINE)
    assert str(caught.value) == "test run was stopped by the program that started it"
    assert caught.value.exit_code == jsrunner.ExitCode.EXTERNAL_ABORT
    assert log.texts == [str(caught.value)]


def test_waiting_has_a_limit() -> None:
    with jsrunner.start(LONG, on_log=print) as execution:
        with pytest.raises(TimeoutError, match=r"the run has not ended within 0\.01 seconds"):
            execution.wait(0.01)
        running(execution)


def test_an_execution_that_nobody_has_any_more_is_stopped(log: Log) -> None:
    executions = [running(jsrunner.start(LONG, on_log=log))]
    process = executions[0].process_id
    with pytest.warns(ResourceWarning, match=f"the run in process {process} is stopped"):
        executions.clear()
    until(lambda: not session_processes(process), "the end of the run")
    assert log.texts[-1] == "teardown"


def test_the_callback_of_the_log_cannot_wait_for_its_run() -> None:
    executions: list[jsrunner.Execution] = []

    def wait(record: jsrunner.LogRecord) -> None:
        until(lambda: executions)
        executions[0].wait()

    with jsrunner.start(LONG, on_log=wait) as execution:
        executions.append(execution)
        with pytest.raises(RuntimeError, match="on_log cannot wait for the run that calls it"):
            execution.wait(DEADLINE)
        executions.clear()


def test_snapshots_show_a_run_as_it_goes_on() -> None:
    script = jsrunner.Script.from_text("""
        import { sleep } from 'k6';
        export const options = { vus: 2, duration: '2s', thresholds: { iterations: ['count>1'] } };
        export default () => sleep(0.1);
    """)
    with jsrunner.start(script) as execution:
        snapshots = list(execution.snapshots())
        result = execution.wait()
    assert snapshots[-1].phase == "ended"
    assert snapshots[-1].metrics["iterations"]["count"] == result.metrics["iterations"]["count"]
    assert snapshots[-1].scenarios["default"].status == "done"
    (middle, *_) = [one for one in snapshots if one.phase == "running" and one.iterations > 2]
    assert 0 < middle.scenarios["default"].done <= 1
    assert middle.scenarios["default"].status == "running"
    assert middle.vus_max == 2
    (threshold,) = snapshots[-1].thresholds
    assert (threshold.metric, threshold.source, threshold.passed) == ("iterations", "count>1", True)
    assert threshold.value == result.metrics["iterations"]["count"]


def test_metrics_while_the_run_goes_on() -> None:
    with jsrunner.start(LONG, on_log=print) as execution:
        until(lambda: execution.metrics.get("iterations", {}).get("count", 0) > 1, "iterations")
        assert {"count", "rate"} == set(execution.metrics["iterations"])
        assert execution.metrics["iteration_duration"]["avg"] >= 50


def test_snapshots_alone_keep_the_run_going() -> None:
    script = jsrunner.Script.from_text("export default () => {}")
    *_, last = jsrunner.start(script).snapshots()
    assert last.iterations == 1


def test_snapshots_of_a_run_that_cannot_begin() -> None:
    execution = jsrunner.start(jsrunner.Script.from_text("nonsense("))
    assert list(execution.snapshots()) == []
    with pytest.raises(jsrunner.ScriptError):
        execution.wait()


def test_a_paused_run_is_resumed(log: Log) -> None:
    script = jsrunner.Script.from_text("export default () => console.log('goes on')")
    with jsrunner.start(script, paused=True, on_log=log) as execution:
        until(lambda: execution.status == "paused", "the pause")
        assert log.texts == []
        execution.resume()
        assert execution.wait(DEADLINE).passed
    assert log.texts == ["goes on"]
    with pytest.raises(jsrunner.JsrunnerError, match="the run has ended"):
        execution.resume()


def test_a_run_is_paused_before_it_has_begun(log: Log) -> None:
    with jsrunner.start(LONG, on_log=log) as execution:
        execution.pause()
        until(lambda: execution.status == "paused", "the pause")
        execution.pause()
        execution.resume()
        running(execution)
        with pytest.raises(jsrunner.JsrunnerError, match=r"cannot be paused any more, .* running"):
            execution.pause()


def test_a_paused_run_is_stopped() -> None:
    with jsrunner.start(LONG, paused=True, on_log=print) as execution:
        until(lambda: execution.status == "paused", "the pause")
        execution.stop()
        assert execution.wait(DEADLINE).exit_code == jsrunner.ExitCode.EXTERNAL_ABORT


def test_another_thread_stops_the_run() -> None:
    with jsrunner.start(LONG, on_log=print) as execution:
        thread = threading.Thread(target=lambda: running(execution).stop())
        thread.start()
        assert execution.wait(DEADLINE).exit_code == jsrunner.ExitCode.EXTERNAL_ABORT
        thread.join()


# -- asyncio ---------------------------------------------------------------------------------------


async def is_running(execution: jsrunner.Execution) -> None:
    async for snapshot in execution.snapshots():
        if snapshot.phase == "running":
            return


def test_async_for_and_await(log: Log) -> None:
    async def main() -> tuple[list[str], jsrunner.Result]:
        script = jsrunner.Script.from_text("export default () => console.log('hello')")
        async with jsrunner.start(script, on_log=log) as execution:
            phases = [snapshot.phase async for snapshot in execution.snapshots()]
            return phases, await execution

    phases, result = asyncio.run(main())
    assert phases[-1] == "ended"
    assert result.passed
    assert log.texts == ["hello"]


def test_cancelling_a_run_stops_it(log: Log) -> None:
    script = jsrunner.Script.from_text(
        "import { sleep } from 'k6';\n"
        "export default () => { console.log('begun'); sleep(3600); };\n"
        "export const teardown = () => console.log('teardown');"
    )

    async def main() -> None:
        task = asyncio.create_task(jsrunner.run_async(script, on_log=log))
        while "begun" not in log.texts:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log.texts[-1] == "teardown"


def test_cancelling_an_awaited_execution_stops_it(log: Log) -> None:
    async def main() -> jsrunner.Execution:
        execution = jsrunner.start(LONG, on_log=log)
        await is_running(execution)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(execution, 0.01)
        return execution

    execution = asyncio.run(main())
    assert nothing_is_left(execution)
    assert log.texts[-1] == "teardown"


def test_leaving_async_with_stops_the_run(log: Log) -> None:
    async def main() -> jsrunner.Execution:
        async with jsrunner.start(LONG, on_log=log) as execution:
            await is_running(execution)
        return execution

    assert nothing_is_left(asyncio.run(main()))
    assert log.texts[-1] == "teardown"


def test_cancelling_twice_kills_the_run() -> None:
    async def main() -> jsrunner.Execution:
        execution = jsrunner.start(STUBBORN)
        await is_running(execution)

        async def wait() -> jsrunner.Result:
            return await execution

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        while execution.status != "teardown":
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return execution

    execution = asyncio.run(main())
    until(lambda: nothing_is_left(execution), "the end of the killed processes")


def test_an_event_loop_goes_on_while_a_run_is_awaited() -> None:
    async def main() -> int:
        ticks = 0
        async with jsrunner.start(LONG, on_log=print) as execution:
            await is_running(execution)
            waiter = asyncio.ensure_future(execution)
            while ticks < 10:
                await asyncio.sleep(0.001)
                ticks += 1
            execution.stop()
            assert (await waiter).exit_code == jsrunner.ExitCode.EXTERNAL_ABORT
        return ticks

    assert asyncio.run(main()) == 10
