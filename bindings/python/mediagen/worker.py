"""Workers: functions that are given the jobs of a queue, one call a job.

A function says by how it ends what becomes of its job: what it returns (JSON, or None) is the
result of a job that is done; Retry, Defer, Discard and Cancel are raised; asyncio.CancelledError is
a Cancel; any other exception is a Retry whose reason is its type and message (the traceback goes to
the logger "mediagen.worker"). A result that JSON cannot say, or that is too large, discards the
job: another run would do the work again and return the same. A discarded job is kept, with its
reason.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ._call import finish, wait

if TYPE_CHECKING:
    from ._crew import Crew
    from ._verbs import QueueVerbs
    from .records import Job

F = TypeVar("F", bound=Callable[..., Any])

_REASON = 1000  # characters of a reason that are kept with the job


def bounded(text: str) -> str:
    """`text` as a reason: short, and such that every one can be stored."""
    return text[:_REASON].encode("utf-8", "replace").decode()


class Ending(Exception):
    """How a worker's function ends its job, other than by returning."""

    def outcome(self) -> dict[str, Any]:
        raise NotImplementedError


class Retry(Ending):
    """Run it again later, after after_ms at least; burns a try.

    Without tries left the job is dead: kept, listable, and retried by hand.
    """

    def __init__(self, *, after_ms: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.after_ms, self.reason = after_ms, reason

    def outcome(self) -> dict[str, Any]:
        return {"outcome": "retry", "after_ms": self.after_ms, "reason": bounded(self.reason)}


class Defer(Ending):
    """Not now: run it after after_ms. Burns no try."""

    def __init__(self, *, after_ms: int = 0, reason: str = "") -> None:
        super().__init__(reason)
        self.after_ms, self.reason = after_ms, reason

    def outcome(self) -> dict[str, Any]:
        return {"outcome": "defer", "after_ms": self.after_ms, "reason": bounded(self.reason)}


class Discard(Ending):
    """Never again: the job is dead, and says why.

    reason: a sentence, or JSON text of an error document ({"code", "message"}), which is kept as it
    is.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def outcome(self) -> dict[str, Any]:
        kept = self.reason if self.reason.startswith("{") else bounded(self.reason)
        return {"outcome": "discard", "reason": kept}


class Cancel(Ending):
    """It was canceled, and this function agrees."""

    def outcome(self) -> dict[str, Any]:
        return {"outcome": "cancel"}


class _ContextBase:
    def __init__(self, job: Job, verbs: QueueVerbs) -> None:
        self.job = job
        self._verbs = verbs
        self._canceled = threading.Event()

    @property
    def canceled(self) -> bool:
        """Whether the job was asked to cancel, was lost to another worker (its timeout_ms passed
        without a sign of life), or is being handed back because this one stops.
        """
        return self._canceled.is_set()

    def tell(self) -> None:
        self._canceled.set()


class Context(_ContextBase):
    """A job in the hands of an asynchronous function: its second argument.

    A task whose job is canceled is canceled, so most functions need not ask.
    """

    def __init__(self, job: Job, verbs: QueueVerbs) -> None:
        super().__init__(job, verbs)
        self._told = asyncio.Event()

    def tell(self) -> None:
        super().tell()
        self._told.set()

    async def wait_canceled(self) -> None:
        """Returns once `canceled` is true."""
        await self._told.wait()

    async def progress(
        self,
        fraction: float | None = None,
        *,
        current: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Tells how far the job is; a heartbeat, too. StaleFenceError: it is somebody else's."""
        await finish(self._verbs.progress(self.job, _progress(fraction, current, total, message)))

    async def heartbeat(self) -> None:
        """ "I am still at it", needed only when a job outlasts its timeout_ms."""
        await finish(self._verbs.heartbeat(self.job))

    async def checkpoint(self, value: Any) -> None:
        """Keeps any JSON value for the next try, which finds it as `job.checkpoint`; a heartbeat, too."""
        await finish(self._verbs.checkpoint(self.job, value))

    async def log(self, message: str, level: str = "info") -> None:
        """Adds a line to the job's log, of which the last 1,000 are kept; a heartbeat, too."""
        await finish(self._verbs.log(self.job, message, level))


class SyncContext(_ContextBase):
    """A job in the hands of a function on a thread: its second argument. The methods block."""

    def wait_canceled(self, timeout_ms: int | None = None) -> bool:
        """Waits until `canceled` is true, at most timeout_ms; whether it is."""
        return self._canceled.wait(None if timeout_ms is None else timeout_ms / 1000)

    def progress(
        self,
        fraction: float | None = None,
        *,
        current: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> None:
        """Tells how far the job is; a heartbeat, too. StaleFenceError: it is somebody else's."""
        wait(self._verbs.progress(self.job, _progress(fraction, current, total, message)))

    def heartbeat(self) -> None:
        """ "I am still at it", needed only when a job outlasts its timeout_ms."""
        wait(self._verbs.heartbeat(self.job))

    def checkpoint(self, value: Any) -> None:
        """Keeps any JSON value for the next try, which finds it as `job.checkpoint`; a heartbeat, too."""
        wait(self._verbs.checkpoint(self.job, value))

    def log(self, message: str, level: str = "info") -> None:
        """Adds a line to the job's log, of which the last 1,000 are kept; a heartbeat, too."""
        wait(self._verbs.log(self.job, message, level))


def _progress(
    fraction: float | None, current: int | None, total: int | None, message: str | None
) -> Mapping[str, Any]:
    return {"fraction": fraction, "current": current, "total": total, "message": message}


class _Works:
    _crew: Crew

    def worker(self, *queues: str, concurrency: int = 1) -> Callable[[F], F]:
        """A decorator: gives the jobs of these queues to the function, `concurrency` at once.

        The function takes the job (`payload`, `id`, "tries" …) and, if it has a second parameter,
        a Context (SyncContext for a plain function). An asynchronous function runs as a task; a plain
        one in a thread of its own. This module's docstring says what its end means.

        At most `concurrency` jobs are claimed and not finished; a queue has a limit of its own over
        all processes ("queues" of the configuration, 3 by default). A plain function that hangs
        loses its job after its timeout_ms, but keeps its place here: threads cannot be stopped.

        Workers begin with `async with` (`with`), or `run_workers()`, and end with `close()`.
        """
        from ._post import Worker

        def register(function: F) -> F:
            self._crew.add(Worker(queues, function, concurrency))
            return function

        return register


class Works(_Works):
    """What has workers on an event loop."""

    async def run_workers(self, *, grace_ms: int = 5000) -> None:
        """Starts the workers, and returns when they are stopped.

        Canceled, it stops them as `close` does: claims nothing more, lets what runs go on for
        grace_ms, and hands the rest back. Raises what the library says of a queue that cannot be
        claimed from.
        """
        await self._crew.run(grace_ms)


class SyncWorks(_Works):
    """What has workers on a thread of their own."""

    def run_workers(self, *, grace_ms: int = 5000) -> None:
        """Starts the workers, and returns when they are stopped: by `close` from another thread, or
        by an exception such as KeyboardInterrupt, which gives them grace_ms.
        """
        self._crew.run_blocking(grace_ms)
