"""Cache: bytes by key within a budget of bytes, with loads that happen once."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Iterable
from ctypes import byref, c_int32, c_uint64, c_void_p, sizeof
from typing import Any, NamedTuple, Union

from . import _call, _inbox
from ._buffer import document, own
from ._call import Call
from ._document import Document, merge
from ._errors import ConflictError, NotFoundError, StaleError, check
from ._handle import Owner, opener
from ._library import (
    EMPTY,
    ENTRY_NEGATIVE,
    ENTRY_VERSIONED,
    LOAD,
    OK,
    EntryOptions,
    Text,
    library,
    text,
)

Bytes = Union[bytes, bytearray, memoryview]
Loader = Callable[[], Union[Bytes, None, Awaitable[Union[Bytes, None]]]]

ADMISSIONS = ("admitted", "refused", "too_large")

# The loads that this task or thread is in the middle of: one that asks for its own key would wait
# for itself for ever.
_loading: contextvars.ContextVar[tuple[tuple[int, str], ...]] = contextvars.ContextVar(
    "mediagen_loading", default=()
)


def _tags(tags: Iterable[str]) -> Text:
    return text("\n".join(tags))


def _value(value: Bytes) -> Text:
    data = bytes(value)
    return Text(data, len(data))


class Entry(NamedTuple):
    """How an entry is kept."""

    ttl_ms: int = 0  # then it is gone; 0: no expiry
    soft_ttl_ms: int = 0  # then it is stale, and one caller refreshes it; 0: as ttl_ms
    jitter: float = 0  # 0 to 1: both are shortened by a random share of up to this
    cost: float = 1  # of making it again
    versioned: bool = False  # the key names its content (versioned_key)
    tags: Iterable[str] = ()  # what `invalidate` drops it by

    def _options(self, negative: bool = False) -> EntryOptions:
        flags = (ENTRY_NEGATIVE if negative else 0) | (ENTRY_VERSIONED if self.versioned else 0)
        return EntryOptions(
            sizeof(EntryOptions), self.ttl_ms, self.soft_ttl_ms, self.jitter, self.cost, flags
        )


class _Lookup(NamedTuple):
    state: int
    token: int
    value: c_void_p
    call: Call | None = None


def versioned_key(key: str, version: str) -> str:
    """The key of one version of `key`'s content: what is asked for with the current version is
    never answered with an older one."""
    out = c_void_p()
    check(library().cache_versioned_key(text(key), text(version), byref(out)))
    return bytes(own(out)).decode()


class Cache:
    """Cache(bytes=50 << 20, entries=0): starts no thread, creates no file. Thread-safe.

    Values come back as read-only views of the cache's own bytes, without a copy; a view keeps its
    bytes alive after they were evicted. After a fork the child's cache is a new, empty one.
    """

    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._owner = Owner(opener("cache", merge(config, keywords)))

    def get(self, key: str) -> memoryview | None:
        """The fresh value, or None. Never blocks."""
        out = c_void_p()
        if check(library().cache_get(self._owner.live(), text(key), byref(out))) == EMPTY:
            return None
        return own(out)

    def put(self, key: str, value: Bytes | None, **entry: Any) -> str:
        """Copies `value` in: "admitted", "refused" (the policy preferred what is there) or
        "too_large".

        None says that there is nothing under this key (a negative entry). The keywords are those
        of Entry: ttl_ms, soft_ttl_ms, jitter, cost, versioned, tags.
        """
        how, admission, error = Entry(**entry), c_int32(), c_void_p()
        arguments = (
            text(key),
            _value(b"" if value is None else value),
            byref(how._options(value is None)),
            _tags(how.tags),
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

    def invalidate_prefix(self, prefix: str) -> None:
        """The same for every entry whose key begins with `prefix`."""
        check(library().cache_invalidate_prefix(self._owner.live(), text(prefix)))

    def clear(self) -> None:
        """Drops everything."""
        check(library().cache_clear(self._owner.live()))

    def stats(self) -> dict[str, Any]:
        """{"hits", "misses", "staleHits", "negativeHits", "hitRatio", "loads", "loadFailures",
        "loadMs", "refusals", "bytes", "entries", "budgetBytes", "maxEntries", "pinnedBytes",
        "reservedBytes", "evictions", "second"}.
        """
        out = c_void_p()
        check(library().cache_stats(self._owner.live(), byref(out)))
        return document(out)

    async def get_or_load(
        self, key: str, loader: Loader, *, load_timeout_ms: int = 30_000, **entry: Any
    ) -> memoryview:
        """The value; on a miss one caller of all runs `loader` (a function or a coroutine
        function) and the others wait. The other keywords are those of Entry.

        A loader that raises fails those who wait, too (UnavailableError). One that takes longer
        than load_timeout_ms loses its turn to the next in line. One that returns None says that
        there is nothing, which is kept for a while (NotFoundError). A stale value is answered at
        once; one caller refreshes it first, and gets it all the same when that fails.
        """
        self._check_reentry(key)
        found = await self._begin_and_wait(key, load_timeout_ms)
        if found.state != LOAD and found.token == 0:
            return self._answer(found)
        mark = _loading.set((*_loading.get(), (id(self), key)))
        try:
            loaded = loader()
            data = await loaded if inspect.isawaitable(loaded) else loaded
        except BaseException as error:
            return self._failed(found, error)
        finally:
            _loading.reset(mark)
        return self._fill(found, data, Entry(**entry))

    def get_or_load_sync(
        self,
        key: str,
        loader: Callable[[], Bytes | None],
        *,
        load_timeout_ms: int = 30_000,
        **entry: Any,
    ) -> memoryview:
        """get_or_load on a thread, with a blocking loader."""
        self._check_reentry(key)
        found = self._begin(key, load_timeout_ms, None, 0)
        if (call := found.call) is not None:
            try:
                _call.wait_for(call)
                found = self._waited(call)
            finally:
                call.free()
        if found.state != LOAD and found.token == 0:
            return self._answer(found)
        mark = _loading.set((*_loading.get(), (id(self), key)))
        try:
            data = loader()
        except BaseException as error:
            return self._failed(found, error)
        finally:
            _loading.reset(mark)
        return self._fill(found, data, Entry(**entry))

    async def _begin_and_wait(self, key: str, load_timeout_ms: int) -> _Lookup:
        inbox = _inbox.of_running_loop()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tag = inbox.listen(lambda _kind, _event: None if done.done() else done.set_result(None))
        call = None
        try:
            found = self._begin(key, load_timeout_ms, inbox.handle, tag)
            if (call := found.call) is not None:
                # A lookup has no thread of its own: who waits longer than a load may take looks
                # again.
                while not done.done():
                    await asyncio.wait([done], timeout=load_timeout_ms / 1000)
                    inbox.drain()
                found = self._waited(call)
            return found
        finally:
            inbox.forget(tag)
            if call is not None:
                call.free()

    def _check_reentry(self, key: str) -> None:
        if (id(self), key) in _loading.get():
            raise ConflictError("The load of this key asks for the key itself.")

    def _begin(self, key: str, load_timeout_ms: int, inbox: Any, tag: int) -> _Lookup:
        token, stale, value, pending, error = (
            c_uint64(),
            c_int32(),
            c_void_p(),
            c_void_p(),
            c_void_p(),
        )
        state = library().cache_get_or_begin(
            self._owner.live(),
            text(key),
            load_timeout_ms,
            byref(token),
            byref(stale),
            inbox,
            tag,
            byref(value),
            byref(pending),
            byref(error),
        )
        check(state, error)
        return _Lookup(state, token.value, value, Call(pending) if pending.value else None)

    def _waited(self, call: Call) -> _Lookup:
        value, error = c_void_p(), c_void_p()
        state = check(library().call_result(call, byref(value), byref(error)), error)
        if state == OK and not value.value:
            state = EMPTY
        return _Lookup(state, library().call_token(call), value)

    def _answer(self, found: _Lookup) -> memoryview:
        if found.state != EMPTY:
            return own(found.value)
        library().buffer_free(found.value)
        raise NotFoundError("There is nothing under this key.")

    def _fill(self, found: _Lookup, data: Bytes | None, how: Entry) -> memoryview:
        if found.value.value:
            library().buffer_free(found.value)  # the stale one
        negative, data, error = data is None, bytes(data or b""), c_void_p()
        state = library().cache_fill(
            self._owner.live(),
            found.token,
            Text(data, len(data)),
            byref(how._options(negative)),
            _tags(how.tags),
            byref(error),
        )
        try:
            check(state, error)
        except StaleError:
            # the load was too slow, or invalidated meanwhile: its caller has its value all the same
            pass
        if negative:
            raise NotFoundError("There is nothing under this key.")
        return memoryview(data)

    def _failed(self, found: _Lookup, reason: BaseException) -> memoryview:
        """Ends the load; the stale value where there is one, else raises `reason`."""
        message = f"The loader failed: {type(reason).__name__}: {reason}"
        library().cache_fail(self._owner.live(), found.token, text(message), None)
        if found.value.value and isinstance(reason, Exception):
            return self._answer(found)
        if found.value.value:
            library().buffer_free(found.value)
        raise reason

    def close(self) -> None:
        """Gives the cache up; views of its bytes stay good."""
        self._owner.close()
