"""Queue: durable jobs that the host works itself, alone or in the data directory of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._call import finish, wait
from ._document import Document, encode, fields, merge
from ._errors import TimedOutError
from ._handle import Owner, opener
from ._verbs import Claimed, QueueVerbs
from .records import Job


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


def _job(queue: str, kind: str, payload: Any, keywords: Mapping[str, Any]) -> bytes:
    return encode({"queue": queue, "kind": kind, "payload": payload, **fields(keywords)})


class _QueueBase:
    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._set(Owner(opener("queue", merge(config, keywords))))

    def _set(self, owner: Owner) -> None:
        self._owner, self._verbs = owner, QueueVerbs(owner)

    def close(self) -> None:
        """Gives the queue up; what it still held goes back to others."""
        self._owner.close()


class Queue(_QueueBase):
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

        fields: user, priority, run_at, timeout_ms, unique_key, keys.
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

    async def __aenter__(self) -> Queue:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class SyncQueue(_QueueBase):
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

    def __enter__(self) -> SyncQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
