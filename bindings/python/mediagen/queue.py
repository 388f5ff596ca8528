"""Queue: durable jobs that the host works itself, alone or in the data directory of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._call import finish, wait
from ._crew import Crew
from ._document import Document, camel, encode, fields, merge
from ._errors import TimedOutError
from ._handle import Owner, opener
from ._verbs import Claimed, QueueVerbs
from .records import Job, Page, Record
from .worker import SyncWorks, Works

GRACE_MS = 5000  # for workers to end what they are at


def _outcome(
    outcome: str, result: Any, after_ms: int | None, reason: str | None
) -> Mapping[str, Any]:
    return {
        "outcome": outcome,
        "result": result,
        "after_ms": after_ms,
        "reason": reason,
    }


def _progress(
    fraction: float | None, current: int | None, total: int | None, message: str | None
) -> Mapping[str, Any]:
    return {
        "fraction": fraction,
        "current": current,
        "total": total,
        "message": message,
    }


def _settings(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Unlike fields(), None is kept: it takes a change back."""
    return {camel(name): value for name, value in settings.items()}


def _page(limit: int | None, cursor: str | None, **fields: Any) -> Mapping[str, Any]:
    return {"limit": limit, "cursor": cursor, **fields}


def _job(queue: str, kind: str, payload: Any, keywords: Mapping[str, Any]) -> bytes:
    return encode({"queue": queue, "kind": kind, "payload": payload, **fields(keywords)})


class _QueueBase:
    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._set(Owner(opener("queue", merge(config, keywords))))

    def _set(self, owner: Owner) -> None:
        self._owner, self._verbs = owner, QueueVerbs(owner)
        # An engine's queue registers workers with the engine's crew, whose times are the engine's.
        self._crew = self._own = Crew(lambda: self._verbs)

    def close(self) -> None:
        """Gives the queue up; what it still held goes back to others."""
        self._own.cut()
        self._owner.close()


class Queue(_QueueBase, Works):
    """For asyncio. Queue(data_dir=…) opens one alone; `engine.queue` is an engine's. Thread-safe.

    One Queue is one worker. A claimed job is the claimer's until it is finished or its timeout_ms
    has passed without a heartbeat; whoever finishes late gets StaleFenceError and nothing happens.
    """

    @classmethod
    def _of(cls, owner: Owner) -> Queue:
        queue = cls.__new__(cls)
        queue._set(owner)
        return queue

    async def enqueue(self, queue: str, kind: str, payload: Any = None, **fields: Any) -> str:
        """Enqueues one job and returns its id.

        fields: user, priority, run_at, delay_ms, timeout_ms, max_tries, cost, keys, unique_key,
        unique, children, on_child_failure, after_children, items, chunk, parent.
        """
        return (await finish(self._verbs.enqueue(_job(queue, kind, payload, fields))))[0]

    async def enqueue_many(self, jobs: Iterable[Mapping[str, Any]]) -> list[str]:
        """Enqueues up to 1,000 job documents in one transaction and returns their ids."""
        return await finish(self._verbs.enqueue(encode(list(jobs))))

    async def claim(self, names: str | Iterable[str], max: int = 1) -> list[Job]:
        """Waits for work in the queues of these names, then claims up to `max` (1–100) jobs.

        Canceled, it claims nothing: what it had got goes back.
        """
        return await finish(self._verbs.claim(names, max))

    async def heartbeat(self, job: Claimed) -> None:
        """ "I am still at it", needed only when a job outlasts its timeout_ms."""
        await finish(self._verbs.heartbeat(job))

    async def progress(
        self,
        job: Claimed,
        fraction: float | None = None,
        *,
        current: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Tells how far a job is; a heartbeat, too."""
        await finish(self._verbs.progress(job, _progress(fraction, current, total, message)))

    async def checkpoint(self, job: Claimed, value: Any) -> None:
        """Keeps any JSON value for the next try of this job, which finds it as "checkpoint"; a
        heartbeat, too.
        """
        await finish(self._verbs.checkpoint(job, value))

    async def log(self, job: Claimed, message: str, level: str = "info") -> None:
        """Adds a line to the job's log, of which the last 1,000 are kept; a heartbeat, too."""
        await finish(self._verbs.log(job, message, level))

    async def finish(
        self,
        job: Claimed,
        outcome: str = "done",
        *,
        result: Any = None,
        after_ms: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Ends a claim: "done" (result), "retry" or "defer" (after_ms), "discard" (reason) or
        "cancel".
        """
        await finish(self._verbs.finish(job, _outcome(outcome, result, after_ms, reason)))

    async def get(self, id: str) -> Job:
        """The job document."""
        return await finish(self._verbs.get(id))

    async def cancel(self, id: str) -> Job:
        """A waiting job is canceled at once; a running one is asked to."""
        return await finish(self._verbs.cancel(id))

    async def result(self, id: str) -> Any:
        """The whole result of a job, however large."""
        return await finish(self._verbs.result(id))

    async def retry(self, id: str) -> Job:
        """A dead job starts anew; a dead parent takes its failed children with it."""
        return await finish(self._verbs.retry(id))

    async def retry_all(self, queue: str, kind: str | None = None) -> int:
        """Retries all dead jobs of a queue (of one kind) and returns how many they were."""
        return await finish(self._verbs.retry_all(queue, kind))

    async def jobs(
        self,
        queue: str | None = None,
        state: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Job]:
        """One page of jobs, oldest first; `state` "dead" is the dead letter."""
        query = _page(limit, cursor, queue=queue, state=state)
        return await finish(self._verbs.list("jobs", query, Job))

    async def children(
        self, id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Job]:
        """One page of a job's children."""
        return await finish(self._verbs.list("children", _page(limit, cursor, job=id), Job))

    async def logs(
        self, id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Record]:
        """One page of a job's log lines: "sequence", "at", "level", "message"."""
        return await finish(self._verbs.list("logs", _page(limit, cursor, job=id), Record))

    async def queues(self) -> list[Record]:
        """Every queue: "name", "settings", and "counts" by state."""
        return list((await finish(self._verbs.list("queues", {}, Record)))["data"])

    async def configure(self, queue: str, **settings: Any) -> Record:
        """Changes a queue's settings at run time, durably and for every process: concurrency,
        per_key, rate, timeout_ms, retry, keep, events, paused. None takes a change back.
        """
        return await finish(self._verbs.configure(queue, _settings(settings)))

    async def pause(self, queue: str) -> None:
        """Stops claims from a queue; what runs goes on."""
        await self.configure(queue, paused=True)

    async def resume(self, queue: str) -> None:
        """Lets claims from a queue go on."""
        await self.configure(queue, paused=False)

    async def __aenter__(self) -> Queue:
        self._own.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._own.close(GRACE_MS)
        self.close()


class SyncQueue(_QueueBase, SyncWorks):
    """The blocking Queue."""

    @classmethod
    def _of(cls, owner: Owner) -> SyncQueue:
        queue = cls.__new__(cls)
        queue._set(owner)
        return queue

    def enqueue(self, queue: str, kind: str, payload: Any = None, **fields: Any) -> str:
        """Enqueues one job and returns its id."""
        return wait(self._verbs.enqueue(_job(queue, kind, payload, fields)))[0]

    def enqueue_many(self, jobs: Iterable[Mapping[str, Any]]) -> list[str]:
        """Enqueues up to 1,000 job documents in one transaction and returns their ids."""
        return wait(self._verbs.enqueue(encode(list(jobs))))

    def claim(
        self, names: str | Iterable[str], max: int = 1, *, timeout_ms: int | None = None
    ) -> list[Job]:
        """Waits for work, then claims up to `max` jobs; none after timeout_ms."""
        try:
            return wait(self._verbs.claim(names, max), timeout_ms)
        except TimedOutError:
            return []

    def heartbeat(self, job: Claimed) -> None:
        """ "I am still at it", needed only when a job outlasts its timeout_ms."""
        wait(self._verbs.heartbeat(job))

    def progress(
        self,
        job: Claimed,
        fraction: float | None = None,
        *,
        current: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Tells how far a job is; a heartbeat, too."""
        wait(self._verbs.progress(job, _progress(fraction, current, total, message)))

    def checkpoint(self, job: Claimed, value: Any) -> None:
        """Keeps any JSON value for the next try of this job, which finds it as "checkpoint"; a
        heartbeat, too.
        """
        wait(self._verbs.checkpoint(job, value))

    def log(self, job: Claimed, message: str, level: str = "info") -> None:
        """Adds a line to the job's log, of which the last 1,000 are kept; a heartbeat, too."""
        wait(self._verbs.log(job, message, level))

    def finish(
        self,
        job: Claimed,
        outcome: str = "done",
        *,
        result: Any = None,
        after_ms: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Ends a claim: "done" (result), "retry" or "defer" (after_ms), "discard" (reason) or
        "cancel".
        """
        wait(self._verbs.finish(job, _outcome(outcome, result, after_ms, reason)))

    def get(self, id: str) -> Job:
        """The job document."""
        return wait(self._verbs.get(id))

    def cancel(self, id: str) -> Job:
        """A waiting job is canceled at once; a running one is asked to."""
        return wait(self._verbs.cancel(id))

    def result(self, id: str) -> Any:
        """The whole result of a job, however large."""
        return wait(self._verbs.result(id))

    def retry(self, id: str) -> Job:
        """A dead job starts anew; a dead parent takes its failed children with it."""
        return wait(self._verbs.retry(id))

    def retry_all(self, queue: str, kind: str | None = None) -> int:
        """Retries all dead jobs of a queue (of one kind) and returns how many they were."""
        return wait(self._verbs.retry_all(queue, kind))

    def jobs(
        self,
        queue: str | None = None,
        state: str | None = None,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Job]:
        """One page of jobs, oldest first; `state` "dead" is the dead letter."""
        query = _page(limit, cursor, queue=queue, state=state)
        return wait(self._verbs.list("jobs", query, Job))

    def children(
        self, id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Job]:
        """One page of a job's children."""
        return wait(self._verbs.list("children", _page(limit, cursor, job=id), Job))

    def logs(
        self, id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Record]:
        """One page of a job's log lines: "sequence", "at", "level", "message"."""
        return wait(self._verbs.list("logs", _page(limit, cursor, job=id), Record))

    def queues(self) -> list[Record]:
        """Every queue: "name", "settings", and "counts" by state."""
        return list(wait(self._verbs.list("queues", {}, Record))["data"])

    def configure(self, queue: str, **settings: Any) -> Record:
        """Changes a queue's settings at run time, durably and for every process: concurrency,
        per_key, rate, timeout_ms, retry, keep, events, paused. None takes a change back.
        """
        return wait(self._verbs.configure(queue, _settings(settings)))

    def pause(self, queue: str) -> None:
        """Stops claims from a queue; what runs goes on."""
        self.configure(queue, paused=True)

    def resume(self, queue: str) -> None:
        """Lets claims from a queue go on."""
        self.configure(queue, paused=False)

    def close(self, grace_ms: int = GRACE_MS) -> None:
        """Lets its workers end within grace_ms and gives the queue up; what it still held goes back
        to others.
        """
        self._own.close_blocking(grace_ms)
        super().close()

    def __enter__(self) -> SyncQueue:
        self._own.start_blocking()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
