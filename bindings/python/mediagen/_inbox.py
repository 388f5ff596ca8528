"""One inbox an asyncio loop: what the library reports reaches the loop by one descriptor.

An inbox belongs to its loop: everything below runs on the loop's thread, and other threads have
loops and inboxes of their own. It refers to no loop, so a loop that is dropped takes its inbox
along.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import weakref
from collections.abc import Callable
from ctypes import byref, c_int32, c_uint64, c_void_p

from . import _handle
from ._buffer import take
from ._errors import check
from ._library import KIND_EMPTY, library

Listener = Callable[[int, "bytes | None"], None]  # kind, event document

# notices in one go: other callbacks of the loop get their turn; the pipe stays readable
_BATCH = 256

_tags = itertools.count(1)
_inboxes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Inbox] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _forked() -> None:
    global _inboxes, _lock
    _inboxes = weakref.WeakKeyDictionary()
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)


class Inbox:
    """The notices of many calls, by tag."""

    def __init__(self) -> None:
        lib = library()
        out, error = c_void_p(), c_void_p()
        check(lib.inbox_new(byref(out), byref(error)), error)
        self.handle = _handle.Handle(out, lib.inbox_free)
        self.fd = os.dup(lib.inbox_fd(self.handle))
        weakref.finalize(self, os.close, self.fd)
        self._listeners: dict[int, Listener] = {}

    def listen(self, listener: Listener) -> int:
        """A new tag, whose notices go to `listener` until it is forgotten."""
        tag = next(_tags)
        self._listeners[tag] = listener
        return tag

    def forget(self, tag: int) -> None:
        self._listeners.pop(tag, None)

    def drain(self) -> None:
        """Hands out what is there. Never blocks."""
        following, handle = library().inbox_next, self.handle
        tag, kind, event = c_uint64(), c_int32(), c_void_p()
        for _ in range(_BATCH):
            if (
                following(handle, byref(tag), byref(kind), byref(event)) < 0
                or kind.value == KIND_EMPTY
            ):
                return
            document = take(event) if event.value else None
            listener = self._listeners.get(tag.value)
            if listener is not None:
                listener(kind.value, document)


def of_running_loop() -> Inbox:
    """The inbox of the loop that runs this code. Raises RuntimeError where none runs."""
    loop = asyncio.get_running_loop()
    inbox = _inboxes.get(loop)
    if inbox is not None:
        return inbox
    with _lock:
        for old in [known for known in _inboxes if known.is_closed()]:
            del _inboxes[old]
        inbox = _inboxes[loop] = Inbox()
    loop.add_reader(inbox.fd, inbox.drain)
    return inbox
