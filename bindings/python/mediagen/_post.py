"""A post: one worker at work on an event loop.

The library claims, renews and finishes; here is only who runs what, and how many at once.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

from ._call import finish
from ._errors import (
    ClosedError,
    ForbiddenError,
    ForkedError,
    InvalidError,
    MediagenError,
    StaleFenceError,
    TooLargeError,
)
from ._verbs import QueueVerbs
from .records import Job
from .worker import Context, Ending, SyncContext, bounded

log = logging.getLogger("mediagen.worker")

_CLAIM = 100  # the most that one claim takes
_LOOK_S = 1.0  # how often a job in hand is looked at: whether it was canceled, or taken away
_PAUSE_S = 0.1, 5.0  # after a failure that may pass: the first pause, and the longest
_LEAVE_S = 1.0  # for a canceled task to end before its job is left to the library

Outcome = dict[str, Any]


class Worker:
    """A function and the queues that it works."""

    def __init__(self, queues: tuple[str, ...], function: Callable[..., Any], concurrency: int):
        if not queues:
            raise InvalidError("A worker names at least one queue.")
        if concurrency < 1:
            raise InvalidError(f"concurrency is {concurrency}; a worker takes at least one job.")
        self.queues, self.function, self.concurrency = queues, function, concurrency
        called = getattr(function, "__call__", function)  # of an object that can be called
        self.asynchronous = any(map(inspect.iscoroutinefunction, (function, called)))
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = inspect.signature(function).parameters.values()
        self.takes_context = sum(p.kind in positional for p in parameters) >= 2

    async def call(self, job: Job, context: Context | SyncContext) -> Any:
        arguments = (job, context) if self.takes_context else (job,)
        if self.asynchronous:
            return await self.function(*arguments)
        return await _in_thread(self.function, arguments, job)

    def unexpected(self, job: Job, error: BaseException) -> Outcome:
        """What an exception that is no Ending makes of the job."""
        return {"outcome": "retry", "reason": reason_of(error)}

    def abandoned(self, job: Job) -> Outcome | None:
        """What becomes of a job that is not finished when its worker stops."""
        return {"outcome": "defer", "after_ms": 0, "reason": "its worker stopped"}

    async def result(self, job: Job, value: Any) -> Any:
        """The result document out of what the function returned."""
        return value


def _say(what: str, job: Job, *more: object) -> None:
    log.warning(what, job.id, job["queue"], *more)


def reason_of(error: BaseException) -> str:
    return bounded(f"{type(error).__name__}: {error}")


class _Hand:
    """One claimed job and the call that works on it."""

    def __init__(self, job: Job, context: Context | SyncContext) -> None:
        self.job, self.context = job, context
        self.work: asyncio.Future[Any] | None = None
        self.lost = self.left = False

    def stop(self) -> None:
        """A task is canceled; a thread can only be told."""
        self.context.tell()
        if self.work is not None and (self.left or isinstance(self.context, Context)):
            self.work.cancel()


class Post:
    """One worker at work."""

    def __init__(self, worker: Worker, verbs: QueueVerbs) -> None:
        self.worker, self.verbs = worker, verbs
        self.hands: dict[asyncio.Task[None], _Hand] = {}
        self._freed = asyncio.Event()
        self.claiming = asyncio.create_task(self._claim())

    async def _claim(self) -> None:
        pause = _PAUSE_S[0]
        while True:
            while len(self.hands) >= self.worker.concurrency:
                self._freed.clear()
                await self._freed.wait()
            free = self.worker.concurrency - len(self.hands)
            try:
                jobs = await finish(self.verbs.claim(self.worker.queues, min(free, _CLAIM)))
            except (ClosedError, ForkedError):
                return
            except (InvalidError, ForbiddenError):
                raise
            except MediagenError as error:
                log.warning("nothing was claimed from %s: %s", self.worker.queues, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_S[1])
                continue
            pause = _PAUSE_S[0]
            for job in jobs:
                self._take(job)

    def _take(self, job: Job) -> None:
        kind = Context if self.worker.asynchronous else SyncContext
        hand = _Hand(job, kind(job, self.verbs))
        task = asyncio.create_task(self._work(hand))
        self.hands[task] = hand
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.hands.pop(task, None)
        self._freed.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a job was not finished; it goes back in time", exc_info=task.exception())

    async def _work(self, hand: _Hand) -> None:
        call = self.worker.call(hand.job, hand.context)
        hand.work = work = asyncio.ensure_future(call)
        looking = asyncio.create_task(self._look(hand))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:  # the loop ends
            work.cancel()
            raise
        finally:
            looking.cancel()
        outcome = await self._outcome(hand, work)
        if outcome is not None:
            await self._finish(hand.job, outcome)

    async def _look(self, hand: _Hand) -> None:
        """Tells the function when its job was canceled or taken away, wherever that happened."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                now = await finish(self.verbs.get(hand.job.id))
            except (ClosedError, ForkedError):
                return
            except MediagenError as error:
                log.debug("job %s could not be looked at: %s", hand.job.id, error)
                continue
            hand.lost = now.state != "running" or now.fence != hand.job.fence
            if hand.lost or now.get("cancelRequested"):
                return hand.stop()

    async def _outcome(self, hand: _Hand, work: asyncio.Future[Any]) -> Outcome | None:
        job = hand.job
        if work.cancelled():
            if hand.lost:
                _say("job %s of %s was lost: its time was over", job)
                return None
            return self.worker.abandoned(job) if hand.left else {"outcome": "cancel"}
        error = work.exception()
        try:
            if error is None:
                return {"outcome": "done", "result": await self.worker.result(job, work.result())}
        except Exception as failed:
            error = failed
        assert error is not None
        if isinstance(error, Ending):
            return error.outcome()
        if isinstance(error, StaleFenceError) and error.object == job.id:
            _say("job %s of %s was lost: %s", job, error)
            return None
        log.error("job %s of %s failed", job.id, job["queue"], exc_info=error)
        return self.worker.unexpected(job, error)

    async def _finish(self, job: Job, outcome: Outcome) -> None:
        pause = _PAUSE_S[0]
        while True:
            try:
                return await finish(self.verbs.finish(job, outcome))
            except StaleFenceError as error:
                return _say("job %s of %s was finished too late: %s", job, error)
            except (ClosedError, ForkedError):
                return _say("job %s of %s ended after its worker: it goes back", job)
            except (InvalidError, TooLargeError) as error:
                if outcome["outcome"] == "discard":
                    raise
                log.error("the result of job %s of %s was refused: %s", job.id, job["queue"], error)
                reason = bounded(f"The worker's result was refused: {error}")
                outcome = {"outcome": "discard", "reason": reason}
            except MediagenError as error:
                log.warning("job %s is not finished yet: %s", job.id, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_S[1])

    async def stop(self, grace_s: float) -> None:
        self.claiming.cancel()
        await asyncio.wait({self.claiming})
        if self.hands:
            await asyncio.wait(set(self.hands), timeout=grace_s)
        for hand in self.hands.values():
            hand.left = True
            hand.stop()
        if self.hands:
            await asyncio.wait(set(self.hands), timeout=_LEAVE_S)


def _in_thread(
    function: Callable[..., Any], arguments: tuple[Any, ...], job: Job
) -> asyncio.Future[Any]:
    """Calls it on a thread of its own, which keeps no process alive."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()

    def tell(value: Any, error: BaseException | None) -> None:
        if ended.done():
            _say("job %s of %s ended after its worker had stopped", job)
        elif isinstance(error, asyncio.CancelledError):
            ended.cancel()
        elif error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(value)

    def run() -> None:
        value, error = None, None
        try:
            value = function(*arguments)
        except asyncio.CancelledError as raised:
            error = raised
        except BaseException as raised:
            error = raised
            if isinstance(raised, StopIteration) or not isinstance(raised, Exception):
                error = RuntimeError(reason_of(raised))  # SystemExit ends no thread but this
                error.__cause__ = raised
        try:
            loop.call_soon_threadsafe(tell, value, error)
        except RuntimeError:
            _say("job %s of %s ended after its worker's loop", job)

    threading.Thread(target=run, name=f"mediagen-{job['queue']}", daemon=True).start()
    return ended
