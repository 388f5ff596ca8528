"""Event streams of an engine: asynchronous and blocking iterators over event documents."""

from __future__ import annotations

import asyncio
import collections
import json
import select
from ctypes import byref, c_int32, c_uint64, c_void_p
from typing import Any

from . import _inbox
from ._buffer import take
from ._call import Call, Operation
from ._errors import CanceledError, ClosedError, check
from ._handle import Handle
from ._library import KIND_DONE, KIND_EMPTY, KIND_EVENT, library

# {"id", "topic", "type", "object", "user", "data", "at"}; "type": "reset" says that events are
# missing here: read the state again and go on.
Event = dict[str, Any]

_BACKLOG = 1000  # events that a slow reader may leave unread: what the library itself allows one


def _reset(newest: bytes) -> Event:
    """What stands for the events that were dropped because nobody read them."""
    event = json.loads(newest)
    return {
        **event,
        "type": "reset",
        "object": None,
        "user": None,
        "data": {"reason": "slow"},
    }


class Events:
    """`async for event in engine.events()`.

    It subscribes when it is made; for one loop and one reader.

    It ends when it is closed, or when the engine is. Dropping it closes it.
    """

    def __init__(self, operation: Operation[None]) -> None:
        self._inbox = _inbox.of_running_loop()
        self._unread: collections.deque[bytes | Event] = collections.deque()
        self._ended = False
        self._news = asyncio.Event()
        self._operation = operation
        unread, news, backlog = self._unread, self._news, _BACKLOG
        done = self._done = asyncio.Event()

        def listen(
            kind: int, document: bytes | None
        ) -> None:  # must not refer to self: dropping self closes it
            if kind == KIND_EVENT and document is not None:
                if len(unread) >= backlog:
                    unread.clear()
                    unread.append(_reset(document))
                else:
                    unread.append(document)
            elif kind == KIND_DONE:
                done.set()
            news.set()

        self._tag = self._inbox.listen(listen)
        try:
            _, self._call = operation.begin(self._inbox.handle, self._tag)
        except BaseException:
            self._inbox.forget(self._tag)
            raise

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._unread:
                event = self._unread.popleft()
                return json.loads(event) if isinstance(event, bytes) else event
            if self._ended:
                raise StopAsyncIteration
            if self._done.is_set():
                self._end()
                continue
            self._news.clear()
            await self._news.wait()

    def _end(self) -> None:
        try:
            self._operation.result(self._call)
        except (ClosedError, CanceledError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Ends the subscription. A reader that waits sees the end."""
        self._ended = True
        self._inbox.forget(self._tag)
        self._call.free()
        self._news.set()

    async def aclose(self) -> None:
        self.close()

    async def __aenter__(self) -> Events:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_call"):
            self._inbox.forget(self._tag)
            self._call.free()


class SyncEvents:
    """`for event in engine.events()` on a thread. It subscribes when it is made; for one reader.

    It ends when it is closed, or when the engine is.
    """

    def __init__(self, operation: Operation[None]) -> None:
        lib = library()
        out, error = c_void_p(), c_void_p()
        check(lib.inbox_new(byref(out), byref(error)), error)
        self._inbox = Handle(out, lib.inbox_free)
        self._operation = operation
        self._call: Call | None
        _, self._call = operation.begin(self._inbox, 1)
        self._poll = select.poll()
        self._poll.register(lib.inbox_fd(self._inbox), select.POLLIN)

    def __iter__(self) -> SyncEvents:
        return self

    def __next__(self) -> Event:
        tag, kind, event = c_uint64(), c_int32(), c_void_p()
        while self._call is not None:
            check(library().inbox_next(self._inbox, byref(tag), byref(kind), byref(event)))
            if kind.value == KIND_EVENT:
                return json.loads(take(event))
            if kind.value == KIND_DONE:
                self._end(self._call)
            elif kind.value == KIND_EMPTY:
                self._poll.poll(100)  # ms: closing from another thread is seen by then
        raise StopIteration

    def _end(self, call: Call) -> None:
        try:
            self._operation.result(call)
        except (ClosedError, CanceledError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.free()

    def __enter__(self) -> SyncEvents:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
