"""Results of the library as Python sees them: read-only views that own their buffer, or
documents.
"""

from __future__ import annotations

import ctypes
import json
import weakref
from ctypes import c_char, c_void_p
from typing import Any

from ._library import library


def own(buffer: c_void_p) -> memoryview:
    """A read-only view of the buffer's bytes, without a copy; the buffer is freed when the last
    view goes.

    The array that carries the view is rounded up to a power of two, so that a process makes at
    most 64 array types; the slice never leaves the buffer.
    """
    if not buffer.value:
        return memoryview(b"")
    lib = library()
    view = lib.buffer_view(buffer)
    if not view.size:
        lib.buffer_free(buffer)
        return memoryview(b"")
    carrier = (c_char * (1 << (view.size - 1).bit_length())).from_address(view.data)
    weakref.finalize(carrier, lib.buffer_free, c_void_p(buffer.value)).atexit = False
    return memoryview(carrier).cast("B")[: view.size].toreadonly()


def take(buffer: c_void_p) -> bytes:
    """A copy of the buffer's bytes; frees the buffer."""
    lib = library()
    try:
        view = lib.buffer_view(buffer)
        return ctypes.string_at(view.data, view.size) if view.size else b""
    finally:
        lib.buffer_free(buffer)


def document(buffer: c_void_p) -> Any:
    """The JSON document in the buffer, None for no buffer; frees it."""
    return json.loads(take(buffer)) if buffer.value else None
