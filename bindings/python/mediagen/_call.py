"""Operations: one begin function of the library, awaited by a loop or waited for by a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from ctypes import byref, c_void_p
from typing import Any, Generic, TypeVar

from . import _inbox
from ._buffer import document
from ._errors import TimedOutError, check
from ._library import PENDING, TIMEOUT, Text, library

T = TypeVar("T")

_SLICE_MS = 100  # of a wait: between two slices Python looks for signals, so Ctrl-C works


class Call:
    """One begun call; freed once, at the latest when it is dropped."""

    __slots__ = ("_as_parameter_", "_free")

    def __init__(self, pointer: c_void_p) -> None:
        self._as_parameter_ = pointer
        self._free = library().call_free

    def free(self) -> None:
        """Ends it when it is under way; nothing with its tag arrives from now on."""
        pointer, self._as_parameter_ = self._as_parameter_, c_void_p()
        if pointer.value:
            self._free(pointer)

    __del__ = free


class Operation(Generic[T]):
    """A begin function with its arguments, and how its result document is read."""

    __slots__ = ("function", "arguments", "decode")

    def __init__(self, function: str, *arguments: Any, decode: Callable[[Any], T]) -> None:
        self.function: Any = getattr(library(), function)
        self.arguments = [Text(a, len(a)) if isinstance(a, bytes) else a for a in arguments]
        self.decode = decode

    def begin(self, inbox: Any, tag: int) -> tuple[int, Call]:
        """The state (OK or PENDING) and the call. Raises when nothing was begun."""
        out, error = c_void_p(), c_void_p()
        state = self.function(*self.arguments, inbox, tag, byref(out), byref(error))
        return check(state, error), Call(out)

    def result(self, call: Call) -> T:
        """What the ended call gives. Raises its error."""
        out, error = c_void_p(), c_void_p()
        check(library().call_result(call, byref(out), byref(error)), error)
        return self.decode(document(out))


def nothing(_: Any) -> None:
    """The reading of a result that there is none of."""


async def finish(operation: Operation[T]) -> T:
    """Begins it and awaits its end without blocking the loop.

    Canceling the task gives up waiting; what was begun goes on, and jobs that a claim had got go
    back.
    """
    inbox = _inbox.of_running_loop()
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    tag = inbox.listen(lambda _kind, _event: None if done.done() else done.set_result(None))
    call = None
    try:
        state, call = operation.begin(inbox.handle, tag)
        if state == PENDING:
            await done
        return operation.result(call)
    finally:
        inbox.forget(tag)
        if call is not None:
            call.free()


def wait(operation: Operation[T], timeout_ms: int | None = None) -> T:
    """Begins it and waits for its end on this thread, without the interpreter's lock.

    Raises TimedOutError after timeout_ms (None: never); what was begun goes on.
    """
    _, call = operation.begin(None, 0)
    try:
        wait_for(call, timeout_ms)
        return operation.result(call)
    finally:
        call.free()


def wait_for(call: Call, timeout_ms: int | None = None) -> None:
    """Waits until the call has ended, in slices. Its own error is left to its result."""
    lib = library()
    end = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
    while True:
        left = _SLICE_MS if end is None else max(0, round((end - time.monotonic()) * 1000))
        if lib.call_wait(call, min(left, _SLICE_MS), None) != TIMEOUT:
            return
        if end is not None and time.monotonic() >= end:
            raise TimedOutError(
                f"Nothing came within {timeout_ms} ms.",
                hint="It goes on; ask for it again.",
            )
