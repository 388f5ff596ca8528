"""Workers: what becomes of a job by how its function ends, and by how its worker ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from support import ROOMY

import mediagen

HERE = Path(__file__).resolve().parent


async def rest(queue, id, states=("done", "dead", "canceled", "scheduled")):
    """The job, once its finish has been committed: the worker's function returns just before."""
    while (job := await queue.get(id)).state not in states:
        await asyncio.sleep(0)
    return job


def raising(error):
    def function(job):
        raise error

    return function


def returning(value):
    return lambda job: value


ENDS = [
    (returning({"sent": 1}), "done", {"sent": 1}, None),
    (returning(None), "done", None, None),
    (returning(0), "done", 0, None),
    (raising(mediagen.Retry(after_ms=60_000, reason="smtp 421")), "scheduled", None, "smtp 421"),
    (raising(mediagen.Defer(after_ms=60_000)), "scheduled", None, None),
    (raising(mediagen.Discard("no such address")), "dead", None, "no such address"),
    (raising(mediagen.Discard('{"code":"safety","message":"no"}')), "dead", None, "no"),
    (raising(mediagen.Cancel()), "canceled", None, None),
    (raising(asyncio.CancelledError()), "canceled", None, None),
    (raising(ValueError("x" * 9999 + "\ud800")), "scheduled", None, "ValueError: xxx"),
    (raising(SystemExit(3)), "scheduled", None, "SystemExit: 3"),
    (raising(StopIteration(7)), "scheduled", None, "StopIteration: 7"),
    (returning({1, 2}), "dead", None, "refused: The document cannot be written as JSON"),
    (returning("\ud800"), "dead", None, "refused"),
    (returning("x" * (1 << 20)), "dead", None, "refused"),
]


@pytest.mark.parametrize("function, state, result, reason", ENDS)
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_how_a_function_ends_is_what_becomes_of_its_job(
    data_dir, function, state, result, reason, asynchronous
):
    if asynchronous and "SystemExit" in (reason or ""):
        return  # it ends the loop that the task is on, as it ends every loop

    async def awaited(job):
        return function(job)

    settings = {"queues": {"email": {"retry": {"tries": 5, "baseMs": 60_000, "capMs": 60_000}}}}
    queue = mediagen.Queue(settings, data_dir=data_dir, durability="relaxed")
    # A coroutine cannot raise StopIteration at all.
    as_task = asynchronous and "StopIteration" not in (reason or "")
    queue.worker("email")(awaited if as_task else function)
    async with queue:
        id = await queue.enqueue("email", "send")
        job = await rest(queue, id)
        assert (job.state, job["result"]) == (state, result)
        assert job["error"] is None if reason is None else reason in job["error"]["message"]
        assert len(json.dumps(job)) < 10_000
        burnt = state == "scheduled" and reason is not None
        assert job["tries"] == (1 if burnt else 0)


async def test_a_function_is_given_the_job_and_a_context_if_it_takes_one(engine):
    seen = {}

    @engine.worker("both")
    async def both(job, context):
        await context.progress(0.5, message="half")
        await context.heartbeat()
        seen["both"] = (job.payload, context.job is job, context.canceled)

    class Callable:
        def __call__(self, job, context):
            context.progress(current=1, total=2)
            context.heartbeat()
            on_loop = threading.current_thread() is threading.main_thread()
            seen["thread"] = (on_loop, context.canceled)

    engine.worker("thread")(Callable())
    async with engine:
        first = await engine.queue.enqueue("both", "x", {"n": 1})
        second = await engine.queue.enqueue("thread", "x")
        assert (await rest(engine.queue, first))["progress"]["message"] == "half"
        assert (await rest(engine.queue, second))["progress"]["total"] == 2
    assert seen == {"both": ({"n": 1}, True, False), "thread": (False, False)}


async def test_a_next_try_finds_the_checkpoint_and_the_log_has_the_lines_of_both(engine):
    @engine.worker("long")
    async def long(job, context):
        await context.log(f"from {job.checkpoint}")
        if job.checkpoint is None:
            await context.checkpoint({"page": 3})
            raise mediagen.Defer()
        return job.checkpoint

    @engine.worker("thread")
    def thread(job, context):
        context.log("begun", "warning")
        if job.checkpoint is None:
            context.checkpoint([1])
            raise mediagen.Defer()
        return job.checkpoint

    async with engine:
        first = await engine.queue.enqueue("long", "x")
        second = await engine.queue.enqueue("thread", "x")
        assert (await rest(engine.queue, first))["result"] == {"page": 3}
        assert (await rest(engine.queue, second))["result"] == [1]
        lines = (await engine.queue.logs(first))["data"]
        assert {line["message"] for line in lines} == {"from None", "from {'page': 3}"}
        levels = [line["level"] for line in (await engine.queue.logs(second))["data"]]
        assert levels == ["warning", "warning"]


async def test_no_more_than_its_concurrency_run_at_once_and_free_places_are_filled(data_dir):
    settings = {**ROOMY, "queues": {"email": {"concurrency": 100}}}
    now, most, gate = set(), [0], asyncio.Event()
    full = asyncio.Event()

    async with mediagen.Engine(settings, data_dir=data_dir) as engine:

        @engine.worker("email", "sms", concurrency=4)  # begins at once: the engine is entered
        async def work(job):
            now.add(job.id)
            most[0] = max(most[0], len(now))
            if len(now) == 4:
                full.set()
            await gate.wait()
            now.discard(job.id)

        queue = engine.queue
        jobs = [{"queue": ("email", "sms")[n % 2], "kind": "x"} for n in range(30)]
        ids = await queue.enqueue_many(jobs)
        await asyncio.wait_for(full.wait(), 30)
        gate.set()
        assert {(await rest(queue, id)).state for id in ids} == {"done"}
    assert most == [4]


async def test_workers_enqueue_further_jobs_for_each_other(engine):
    last = asyncio.get_running_loop().create_future()

    @engine.worker("first")
    async def first(job):
        await engine.queue.enqueue("second", "x", {"n": job.payload["n"] + 1})

    @engine.worker("second")
    def second(job):
        engine.sync.queue.enqueue("third", "x", {"n": job.payload["n"] + 1})

    @engine.worker("third")
    async def third(job):
        last.set_result(job.payload["n"])

    async with engine:
        await engine.queue.enqueue("first", "x", {"n": 1})
        assert await asyncio.wait_for(last, 30) == 3


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_running_job_that_is_canceled_tells_its_function(engine, asynchronous):
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    @engine.worker("email")
    async def task(job):
        begun.set()
        await asyncio.Event().wait()

    @engine.worker("sms")
    def thread(job, context):
        loop.call_soon_threadsafe(begun.set)
        assert context.wait_canceled() and context.canceled
        raise mediagen.Cancel

    async with engine:
        id = await engine.queue.enqueue("email" if asynchronous else "sms", "x")
        await asyncio.wait_for(begun.wait(), 30)
        await engine.queue.cancel(id)
        assert (await rest(engine.queue, id)).state == "canceled"


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_function_that_hangs_loses_its_job_and_its_late_end_changes_nothing(
    engine, caplog, asynchronous
):
    calls, over = [], asyncio.Event()
    loop = asyncio.get_running_loop()
    release = threading.Event()

    def body(job):
        calls.append(job.fence)
        return len(calls) == 1

    @engine.worker("email", concurrency=2)
    async def task(job):
        if body(job):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                over.set()
                return {"late": True}  # it does not give up
        return {"late": False}

    @engine.worker("sms", concurrency=2)
    def thread(job, context):
        if body(job):
            context.wait_canceled()
            loop.call_soon_threadsafe(over.set)
            release.wait()
            return {"late": True}
        return {"late": False}

    async with engine:
        id = await engine.queue.enqueue("email" if asynchronous else "sms", "x", timeout_ms=2000)
        await asyncio.wait_for(over.wait(), 30)
        release.set()
        job = await rest(engine.queue, id)
        assert (job.state, job["result"]) == ("done", {"late": False})
        assert len(calls) >= 2 and calls == sorted(set(calls))  # a fence a claim
        # The crew still works.
        again = await engine.queue.enqueue("email", "x")
        assert (await rest(engine.queue, again)).state == "done"
    assert "finished too late" in caplog.text


async def test_close_lets_work_end_and_hands_back_what_does_not(data_dir):
    begun = [asyncio.Event(), asyncio.Event(), asyncio.Event()]
    loop = asyncio.get_running_loop()
    engine = mediagen.Engine(ROOMY, data_dir=data_dir)
    leave = threading.Event()

    @engine.worker("quick")
    async def quick(job, context):
        begun[0].set()
        while not engine._owner._closed and engine._crew._posts:  # until the close has begun
            await asyncio.sleep(0)
        return "in time"

    @engine.worker("slow")
    async def slow(job):
        begun[1].set()
        await asyncio.Event().wait()

    @engine.worker("thread")
    def thread(job, context):
        loop.call_soon_threadsafe(begun[2].set)
        context.wait_canceled()
        leave.wait()

    async with mediagen.Queue(data_dir=data_dir, durability="relaxed") as other:
        await engine.__aenter__()
        ids = [await engine.queue.enqueue(name, "x") for name in ("quick", "slow", "thread")]
        for event in begun:
            await asyncio.wait_for(event.wait(), 30)
        await engine.close(grace_ms=200)
        leave.set()
        assert (await other.get(ids[0]))["result"] == "in time"
        for id in ids[1:]:
            job = await other.get(id)
            assert (job.state, job["tries"]) == ("ready", 0)


async def test_run_workers_ends_when_it_is_canceled_and_needs_a_worker(engine):
    with pytest.raises(mediagen.InvalidError, match="no worker"):
        await engine.run_workers()
    done = asyncio.Event()

    @engine.worker("email")
    async def work(job):
        done.set()

    running = asyncio.create_task(engine.run_workers())
    await engine.queue.enqueue("email", "x")
    await asyncio.wait_for(done.wait(), 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # Started a second time, they work again.
    done.clear()
    running = asyncio.create_task(engine.run_workers())
    await engine.queue.enqueue("email", "x")
    await asyncio.wait_for(done.wait(), 30)
    await engine.close()
    await asyncio.wait_for(running, 30)


async def test_queues_that_cannot_be_claimed_from_are_refused_by_name(engine):
    engine.worker("generate")(returning(None))
    with pytest.raises(mediagen.ForbiddenError, match="generate"):
        await engine.run_workers()
    with pytest.raises(mediagen.InvalidError, match="at least one queue"):
        engine.worker()(returning(None))
    with pytest.raises(mediagen.InvalidError, match="concurrency"):
        engine.worker("email", concurrency=0)(returning(None))


def test_a_blocking_engine_has_workers_on_threads(blocking):
    done = threading.Event()
    kinds = set()

    @blocking.worker("email")
    def plain(job, context):
        kinds.add(type(context).__name__)
        blocking.queue.enqueue("sms", "x")

    @blocking.worker("sms")
    async def task(job, context):
        kinds.add(type(context).__name__)
        await context.progress(0.5)
        done.set()

    with blocking:
        blocking.queue.enqueue("email", "x")
        assert done.wait(30)
    assert kinds == {"SyncContext", "Context"}


def test_run_workers_of_a_blocking_queue_ends_with_its_close(data_dir):
    queue = mediagen.SyncQueue(data_dir=data_dir, durability="relaxed")
    done = threading.Event()
    queue.worker("email")(lambda job: done.set())
    running = threading.Thread(target=queue.run_workers)
    running.start()
    queue.enqueue("email", "x")
    assert done.wait(30)
    queue.close()
    running.join(30)
    assert not running.is_alive()


PROCESS = """
    import os, sys, time, mediagen
    queue = mediagen.SyncQueue(data_dir=sys.argv[1], durability="relaxed")

    @queue.worker("email")
    def work(job):
        print(job.id, job["tries"], flush=True)
        if sys.argv[2] == "hang":
            sys.stdin.read()  # for ever
        return {"by": os.getpid()}

    queue.run_workers()
"""


def process(data_dir, how):
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROCESS), data_dir, how],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_job_of_a_killed_process_goes_to_another(data_dir):
    with mediagen.SyncQueue(data_dir=data_dir, durability="relaxed") as queue:
        id = queue.enqueue("email", "x")
        with process(data_dir, "hang") as first:
            assert first.stdout.readline().split() == [id, "0"]
            first.send_signal(signal.SIGKILL)
        with process(data_dir, "work") as second:
            assert second.stdout.readline().split() == [id, "1"]
            second.send_signal(signal.SIGINT)  # Ctrl-C ends run_workers, not before the job is done
            second.stdin.close()
            assert second.wait(30) != 0
        job = queue.get(id)
        assert (job.state, job["result"]) == ("done", {"by": second.pid})


def test_a_job_that_somebody_claims_and_forgets_comes_back_when_its_time_is_over(data_dir):
    with mediagen.SyncQueue(data_dir=data_dir, durability="relaxed") as queue:
        done = threading.Event()
        id = queue.enqueue("email", "x", timeout_ms=2000)
        [forgotten] = queue.claim("email")
        queue.worker("email")(lambda job: done.set())
        queue._own.start_blocking()
        assert forgotten.id == id and done.wait(30)


def test_a_forked_child_starts_workers_of_its_own(blocking):
    parent = threading.Event()
    reader, writer = os.pipe()

    @blocking.worker("email", concurrency=2)
    def work(job):
        parent.set() if job.payload["for"] == os.getpid() else os.write(writer, b"child")

    with blocking:
        blocking.queue.enqueue("email", "x", {"for": os.getpid()})
        assert parent.wait(30)
        child = os.fork()
        if child == 0:
            try:
                assert not blocking._crew.running
                blocking._crew.start_blocking()
                assert blocking._crew.running
                blocking.close(grace_ms=0)
                os.write(writer, b"child")
            finally:
                os._exit(0)
        assert os.read(reader, 5) == b"child"
        os.waitpid(child, 0)
        parent.clear()
        blocking.queue.enqueue("email", "x", {"for": os.getpid()})
        assert parent.wait(30)
    os.close(reader)
    os.close(writer)
