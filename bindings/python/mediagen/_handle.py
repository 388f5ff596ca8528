"""Handles of the library: owned, freed once, and opened again in a forked child."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from ctypes import byref, c_void_p
from typing import Any

from ._errors import ClosedError, check
from ._library import ABI, Text, library

_generation = 0  # how many forks lie between this process and the first
_lock = threading.RLock()  # one opening at a time; a store's opening opens its engine


def _forked() -> None:
    global _generation, _lock
    _generation += 1
    _lock = threading.RLock()  # the parent's may be held by a thread that is not here


os.register_at_fork(after_in_child=_forked)


def generation() -> int:
    return _generation


class Handle:
    """One handle of the library; a foreign call takes it as its argument and so keeps it alive.

    Freed when the last reference goes. In a forked child freeing a parent's handle is safe and
    does nothing.
    """

    __slots__ = ("_as_parameter_", "generation", "__weakref__")

    def __init__(self, pointer: c_void_p, free: Callable[[c_void_p], None]) -> None:
        self._as_parameter_ = pointer
        self.generation = _generation
        weakref.finalize(self, free, pointer)


class Owner:
    """What opens a handle, and opens it again when it is first used in a forked child.

    Thread-safe.
    """

    def __init__(self, opener: Callable[[], Handle]) -> None:
        self._opener = opener
        self._closed = False
        self._handle: Handle | None = opener()

    def live(self) -> Handle:
        """The handle of this process.

        Raises ClosedError after close; in a child, what opening raises.
        """
        handle = self._handle
        if handle is not None and handle.generation == _generation:
            return handle
        with _lock:
            if self._closed:
                raise ClosedError(
                    "It is closed.",
                    hint="Open it again to go on; nothing accepted is lost.",
                )
            handle = self._handle
            if handle is None or handle.generation != _generation:
                handle = self._handle = self._opener()
            return handle

    def opened(self) -> bool:
        """Whether there is a handle of this process: a child that used nothing has nothing to
        close.
        """
        return self._handle is not None and self._handle.generation == _generation

    def forbid(self) -> None:
        """From now on no child opens it again; the handle stays, and answers as the library
        says.
        """
        self._closed = True
        if not self.opened():
            self._handle = None

    def close(self) -> None:
        """Gives the handle up: it is freed as soon as no call uses it."""
        self._closed = True
        self._handle = None


def opener(kind: str, config: bytes) -> Callable[[], Handle]:
    """Opens a `kind` ("engine", "store", "queue", "cache") by its configuration."""

    def open_it() -> Handle:
        lib = library()
        function: Any = lib.open if kind == "engine" else getattr(lib, kind + "_open")
        out, error = c_void_p(), c_void_p()
        check(function(ABI, Text(config, len(config)), byref(out), byref(error)), error)
        return Handle(out, getattr(lib, kind + "_free"))

    return open_it


def part(kind: str, engine: Owner) -> Callable[[], Handle]:
    """Opens the `kind` ("store", "queue") of an engine."""

    def open_it() -> Handle:
        lib = library()
        out, error = c_void_p(), c_void_p()
        check(
            getattr(lib, "engine_" + kind)(engine.live(), byref(out), byref(error)),
            error,
        )
        return Handle(out, getattr(lib, kind + "_free"))

    return open_it
