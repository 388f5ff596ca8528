"""Cache: bytes by key within a budget of bytes, with loads that happen once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from ctypes import byref, c_int32, c_uint64, c_void_p
from typing import Any, Union

from . import _call, _inbox
from ._buffer import document, own
from ._call import Call
from ._document import Document, merge
from ._errors import StaleError, check
from ._handle import Owner, opener
from ._library import EMPTY, LOAD, OK, Text, library, text

Bytes = Union[bytes, bytearray, memoryview]
Loader = Callable[[], Union[Bytes, Awaitable[Bytes]]]

ADMISSIONS = ("admitted", "refused", "too_large")


def _tags(tags: Iterable[str]) -> Text:
    return text("\n".join(tags))


def _value(value: Bytes) -> Text:
    data = bytes(value)
    return Text(data, len(data))


class Cache:
    """Cache(bytes=50 << 20): starts no thread, creates no file. Thread-safe.

    Values come back as read-only views of the cache's own bytes, without a copy; a view keeps its
    bytes alive after they were evicted. After a fork the child's cache is a new, empty one.
    """

    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._owner = Owner(opener("cache", merge(config, keywords)))

    def get(self, key: str) -> memoryview | None:
        """The value, or None. Never blocks."""
        out = c_void_p()
        if check(library().cache_get(self._owner.live(), text(key), byref(out))) == EMPTY:
            return None
        return own(out)

    def put(self, key: str, value: Bytes, *, ttl_ms: int = 0, tags: Iterable[str] = ()) -> str:
        """Copies `value` in: "admitted", "refused" (the policy preferred what is there) or
        "too_large".

        ttl_ms 0: no expiry. tags: what `invalidate` drops it by.
        """
        admission, error = c_int32(), c_void_p()
        arguments = (
            text(key),
            _value(value),
            ttl_ms,
            _tags(tags),
            byref(admission),
            byref(error),
        )
        check(library().cache_put(self._owner.live(), *arguments), error)
        return ADMISSIONS[admission.value]

    def remove(self, key: str) -> bool:
        """Whether something was there."""
        return check(library().cache_remove(self._owner.live(), text(key))) == OK

    def invalidate(self, tag: str) -> None:
        """Drops every entry with this tag, those being loaded at this moment included."""
        check(library().cache_invalidate(self._owner.live(), text(tag)))

    def stats(self) -> dict[str, Any]:
        """{"hits", "misses", "loads", "bytes", "entries", "budgetBytes", "pinnedBytes",
        "evictions"}.
        """
        out = c_void_p()
        check(library().cache_stats(self._owner.live(), byref(out)))
        return document(out)

    async def get_or_load(
        self,
        key: str,
        loader: Loader,
        *,
        ttl_ms: int = 0,
        tags: Iterable[str] = (),
        load_timeout_ms: int = 30_000,
    ) -> memoryview:
        """The value; on a miss one caller of all runs `loader` (a function or a coroutine
        function) and the others wait.

        A loader that raises fails those who wait, too (UnavailableError). One that takes longer
        than load_timeout_ms loses its turn to the next in line.
        """
        inbox = _inbox.of_running_loop()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tag = inbox.listen(lambda _kind, _event: None if done.done() else done.set_result(None))
        call = None
        try:
            state, token, value, call = self._begin(key, load_timeout_ms, inbox.handle, tag)
            if call is not None:
                # A lookup has no thread of its own: who waits longer than a load may take looks
                # again.
                while not done.done():
                    await asyncio.wait([done], timeout=load_timeout_ms / 1000)
                    inbox.drain()
                state, token, value = self._waited(call)
        finally:
            inbox.forget(tag)
            if call is not None:
                call.free()
        if state != LOAD:
            return own(value)
        try:
            loaded = loader()
            data = await loaded if inspect.isawaitable(loaded) else loaded
        except BaseException as error:
            self._fail(token, error)
            raise
        return self._fill(token, data, ttl_ms, tags)

    def get_or_load_sync(
        self,
        key: str,
        loader: Callable[[], Bytes],
        *,
        ttl_ms: int = 0,
        tags: Iterable[str] = (),
        load_timeout_ms: int = 30_000,
    ) -> memoryview:
        """get_or_load on a thread, with a blocking loader."""
        state, token, value, call = self._begin(key, load_timeout_ms, None, 0)
        if call is not None:
            try:
                _call.wait_for(call)
                state, token, value = self._waited(call)
            finally:
                call.free()
        if state != LOAD:
            return own(value)
        try:
            data = loader()
        except BaseException as error:
            self._fail(token, error)
            raise
        return self._fill(token, data, ttl_ms, tags)

    def _begin(
        self, key: str, load_timeout_ms: int, inbox: Any, tag: int
    ) -> tuple[int, int, c_void_p, Call | None]:
        token, value, pending, error = c_uint64(), c_void_p(), c_void_p(), c_void_p()
        state = library().cache_get_or_begin(
            self._owner.live(),
            text(key),
            load_timeout_ms,
            byref(token),
            inbox,
            tag,
            byref(value),
            byref(pending),
            byref(error),
        )
        check(state, error)
        return state, token.value, value, Call(pending) if pending.value else None

    def _waited(self, call: Call) -> tuple[int, int, c_void_p]:
        value, error = c_void_p(), c_void_p()
        state = check(library().call_result(call, byref(value), byref(error)), error)
        return state, library().call_token(call), value

    def _fill(self, token: int, data: Bytes, ttl_ms: int, tags: Iterable[str]) -> memoryview:
        data, error = bytes(data), c_void_p()
        state = library().cache_fill(
            self._owner.live(),
            token,
            Text(data, len(data)),
            ttl_ms,
            _tags(tags),
            byref(error),
        )
        try:
            check(state, error)
        except StaleError:
            # the load was too slow, or invalidated meanwhile: its caller has its value all the same
            pass
        return memoryview(data)

    def _fail(self, token: int, reason: BaseException) -> None:
        message = f"The loader failed: {type(reason).__name__}: {reason}"
        library().cache_fail(self._owner.live(), token, text(message), None)

    def close(self) -> None:
        """Gives the cache up; views of its bytes stay good."""
        self._owner.close()
