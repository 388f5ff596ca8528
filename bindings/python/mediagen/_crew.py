"""A crew: the workers of one engine or queue, and when they begin and end.

Everything happens on the crew's loop but what says otherwise.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable

from . import _handle
from ._errors import InvalidError
from ._post import Post, Worker, log
from ._verbs import QueueVerbs


class Crew:
    """The workers of one engine or queue.

    Not running in a forked child until it is started there.
    """

    def __init__(self, verbs: Callable[[], QueueVerbs]) -> None:
        self._open = verbs
        self._verbs: QueueVerbs | None = None
        self._workers: list[Worker] = []
        self._forget()

    def _forget(self) -> None:
        self._generation = _handle.generation()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._posts: list[Post] = []
        self._ended: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._wanted = False  # entered before there was a worker

    @property
    def running(self) -> bool:
        return self._loop is not None and self._generation == _handle.generation()

    def add(self, worker: Worker) -> None:
        """Any thread. It begins with the others, or at once when they are at work."""
        self._workers.append(worker)
        loop = self._loop
        if self.running and loop is not None:
            loop.call_soon_threadsafe(self._begin, worker)
        elif self._wanted and self._generation == _handle.generation():
            self.start_blocking()

    def _begin(self, worker: Worker) -> None:
        if self._loop is None or any(post.worker is worker for post in self._posts):
            return
        if self._verbs is None:
            self._verbs = self._open()
        post = Post(worker, self._verbs)
        self._posts.append(post)
        post.claiming.add_done_callback(lambda task: self._claimed_out(post, task))

    def _claimed_out(self, post: Post, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.error("the worker of %s stopped", post.worker.queues, exc_info=error)
            self._failure = error
        if self._ended is not None and all(post.claiming.done() for post in self._posts):
            self._ended.set()

    def start(self) -> None:
        """On the loop that is to run it. Nothing when it runs."""
        if self.running:
            return
        if self._generation != _handle.generation():
            self._forget()
        self._posts, self._failure = [], None
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        for worker in list(self._workers):
            self._begin(worker)

    async def run(self, grace_ms: int) -> None:
        self._need_workers()
        self.start()
        ended = self._ended
        assert ended is not None
        try:
            await ended.wait()
        finally:
            failure = self._failure
            await self._stop(grace_ms)
        if failure is not None:
            raise failure

    def _need_workers(self) -> None:
        if not self._workers:
            raise InvalidError("There is no worker.", hint="Register one with @….worker(queue).")

    async def _stop(self, grace_ms: int) -> None:
        posts, self._posts, ended = self._posts, [], self._ended
        await asyncio.gather(*(post.stop(grace_ms / 1000) for post in posts))
        self._loop = None
        if ended is not None:
            ended.set()

    async def close(self, grace_ms: int) -> None:
        """Any loop."""
        loop = self._loop
        if not self.running or loop is None:
            return
        if loop is asyncio.get_running_loop():
            await self._stop(grace_ms)
        else:
            await asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(self._stop(grace_ms), loop)
            )

    def start_blocking(self) -> None:
        """Runs it on a thread of its own as soon as there is a worker.

        Returns when it is at work.
        """
        if self.running:
            return
        self._forget()
        if not self._workers:
            self._wanted = True
            return
        started = threading.Event()

        async def main() -> None:
            self.start()
            ended = self._ended
            started.set()
            if ended is not None:
                await ended.wait()
                await self._stop(0)

        def body() -> None:
            try:
                asyncio.run(main())
            except BaseException as error:
                self._failure = error
            finally:
                started.set()

        self._thread = thread = threading.Thread(target=body, name="mediagen-workers", daemon=True)
        thread.start()
        started.wait()

    def run_blocking(self, grace_ms: int) -> None:
        self._need_workers()
        self.start_blocking()
        thread = self._thread
        try:
            if thread is not None:
                thread.join()
        finally:
            self.close_blocking(grace_ms)
        if self._failure is not None:
            raise self._failure

    def close_blocking(self, grace_ms: int) -> None:
        """Any thread. On that of its own loop, where nothing can be waited for, it is cut off."""
        self._wanted = False
        loop, thread = self._loop, self._thread
        if not self.running or loop is None or loop.is_closed():
            return
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is loop:
            return self.cut()
        try:
            asyncio.run_coroutine_threadsafe(self._stop(grace_ms), loop).result()
        except (concurrent.futures.CancelledError, RuntimeError):
            pass  # somebody else has just stopped it
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def cut(self) -> None:
        """Any thread. Claims nothing more, and waits for nothing."""
        loop = self._loop
        if not self.running or loop is None or loop.is_closed():
            return
        self._loop = None
        for post in self._posts:
            loop.call_soon_threadsafe(post.claiming.cancel)
