"""Finds libmediagen and declares its functions to ctypes, once a process.

Nothing is loaded before it is needed: importing mediagen works without the library.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    POINTER,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any

ABI = 0  # MEDIAGEN_ABI of the headers that the declarations below were written from

OK, EMPTY, PENDING, LOAD, TIMEOUT = range(5)
KIND_EMPTY, KIND_DONE, KIND_HEAD, KIND_READABLE, KIND_WRITABLE, KIND_EVENT = range(6)
BODY_NONE, BODY_BYTES, BODY_FILE, BODY_STREAM = range(4)

_NAMES = ("libmediagen.so", "libmediagen.so.0", "libmediagen.dylib")


class Text(ctypes.Structure):
    """mediagen_str: bytes that are borrowed for one call; the structure keeps them alive."""

    _fields_ = [("data", c_char_p), ("size", c_size_t)]


class View(ctypes.Structure):
    """mediagen_str as a result: an address and a size."""

    _fields_ = [("data", c_void_p), ("size", c_size_t)]


class Body(ctypes.Structure):
    """mediagen_body."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("kind", c_int32),
        ("fd", c_int32),
        ("buffer", c_void_p),
        ("offset", c_uint64),
        ("length", c_uint64),
    ]


class EntryOptions(ctypes.Structure):
    """mediagen_entry_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("ttl_ms", c_int64),
        ("soft_ttl_ms", c_int64),
        ("jitter", c_double),
        ("cost", c_double),
        ("flags", c_uint32),
    ]


ENTRY_NEGATIVE, ENTRY_VERSIONED = 1, 2


class DecisionOut(ctypes.Structure):
    """mediagen_decision."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("allowed", c_int32),
        ("degraded", c_int32),
        ("limit", c_int64),
        ("window_ms", c_int64),
        ("remaining", c_int64),
        ("reset_after_ms", c_int64),
        ("retry_after_ms", c_int64),
        ("rule", View),
    ]



_OUT = POINTER(c_void_p)
_BEGIN = (
    c_void_p,
    c_uint64,
    _OUT,
    _OUT,
)  # inbox, tag, call, error: how every *_begin ends
_OPEN = (c_uint32, Text, _OUT, _OUT)
_BY_FENCE = (c_void_p, Text, c_uint64)

# name: result, arguments
_FUNCTIONS: dict[str, tuple[object, tuple[object, ...]]] = {
    "version": (c_char_p, ()),
    "abi": (c_uint32, ()),
    "code_name": (c_char_p, (c_int32,)),
    "error_code": (c_int32, (c_void_p,)),
    "error_json": (View, (c_void_p,)),
    "error_free": (None, (c_void_p,)),
    "buffer_view": (View, (c_void_p,)),
    "buffer_free": (None, (c_void_p,)),
    "inbox_new": (c_int32, (_OUT, _OUT)),
    "inbox_fd": (c_int, (c_void_p,)),
    "inbox_next": (c_int32, (c_void_p, POINTER(c_uint64), POINTER(c_int32), _OUT)),
    "inbox_free": (None, (c_void_p,)),
    "call_wait": (c_int32, (c_void_p, c_int64, _OUT)),
    "call_result": (c_int32, (c_void_p, _OUT, _OUT)),
    "call_cancel": (None, (c_void_p,)),
    "call_free": (None, (c_void_p,)),
    "open": (c_int32, _OPEN),
    "close_begin": (c_int32, (c_void_p, c_int64, *_BEGIN)),
    "engine_free": (None, (c_void_p,)),
    "run": (c_int32, (c_void_p, c_int64, POINTER(c_int64), _OUT)),
    "submit_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "cancel_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "retry_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "abandon_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "sign_url": (c_int32, (c_void_p, Text, Text, Text, c_int64, _OUT, _OUT)),
    "upload_begin": (c_int32, (c_void_p, Text, Text, Text, *_BEGIN)),
    "await_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "get_begin": (c_int32, (c_void_p, Text, Text, Text, *_BEGIN)),
    "list_begin": (c_int32, (c_void_p, Text, Text, Text, *_BEGIN)),
    "subscribe": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "publish_begin": (c_int32, (c_void_p, Text, Text, Text, *_BEGIN)),
    "store_open": (c_int32, _OPEN),
    "engine_store": (c_int32, (c_void_p, _OUT, _OUT)),
    "store_free": (None, (c_void_p,)),
    "store_define_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "store_batch_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "store_get_many_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "store_list_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "queue_open": (c_int32, _OPEN),
    "engine_queue": (c_int32, (c_void_p, _OUT, _OUT)),
    "queue_free": (None, (c_void_p,)),
    "queue_enqueue_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "queue_claim_begin": (c_int32, (c_void_p, Text, c_int32, *_BEGIN)),
    "queue_heartbeat_begin": (c_int32, (*_BY_FENCE, *_BEGIN)),
    "queue_progress_begin": (c_int32, (*_BY_FENCE, Text, *_BEGIN)),
    "queue_finish_begin": (c_int32, (*_BY_FENCE, Text, *_BEGIN)),
    "queue_get_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "queue_checkpoint_begin": (c_int32, (*_BY_FENCE, Text, *_BEGIN)),
    "queue_log_begin": (c_int32, (*_BY_FENCE, Text, *_BEGIN)),
    "queue_result_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "queue_cancel_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "queue_retry_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "queue_retry_all_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "queue_list_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "queue_configure_begin": (c_int32, (c_void_p, Text, Text, *_BEGIN)),
    "cache_open": (c_int32, _OPEN),
    "cache_free": (None, (c_void_p,)),
    "cache_get": (c_int32, (c_void_p, Text, _OUT)),
    "cache_put": (
        c_int32,
        (c_void_p, Text, Text, POINTER(EntryOptions), Text, POINTER(c_int32), _OUT),
    ),
    "cache_remove": (c_int32, (c_void_p, Text)),
    "cache_invalidate": (c_int32, (c_void_p, Text)),
    "cache_invalidate_prefix": (c_int32, (c_void_p, Text)),
    "cache_clear": (c_int32, (c_void_p,)),
    "cache_versioned_key": (c_int32, (Text, Text, _OUT)),
    "cache_reserve": (c_int32, (c_void_p, c_uint64, c_uint64, _OUT)),
    "cache_abandon": (c_int32, (c_void_p, c_uint64, _OUT)),
    "cache_get_or_begin": (
        c_int32,
        (
            c_void_p,
            Text,
            c_int64,
            POINTER(c_uint64),
            POINTER(c_int32),
            c_void_p,
            c_uint64,
            _OUT,
            _OUT,
            _OUT,
        ),
    ),
    "call_token": (c_uint64, (c_void_p,)),
    "cache_fill": (
        c_int32,
        (c_void_p, c_uint64, Text, POINTER(EntryOptions), Text, _OUT),
    ),
    "cache_fail": (c_int32, (c_void_p, c_uint64, Text, _OUT)),
    "cache_stats": (c_int32, (c_void_p, _OUT)),
    "limiter_open": (c_int32, _OPEN),
    "limiter_free": (None, (c_void_p,)),
    "limiter_check": (c_int32, (c_void_p, Text, Text, c_int64, POINTER(DecisionOut))),
    "limiter_check_all": (c_int32, (c_void_p, Text, POINTER(DecisionOut))),
    "limiter_check_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "limiter_refund": (c_int32, (c_void_p, Text, _OUT)),
    "limiter_reserve": (c_int32, (c_void_p, Text, POINTER(DecisionOut), _OUT, _OUT)),
    "limiter_commit": (c_int32, (c_void_p, Text, _OUT)),
    "limiter_refund_lease": (c_int32, (c_void_p, Text, _OUT)),
    "limiter_reserve_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "limiter_refund_lease_begin": (c_int32, (c_void_p, Text, *_BEGIN)),
    "limiter_stats": (c_int32, (c_void_p, _OUT)),
    "image_probe": (c_int32, (Text, _OUT, _OUT)),
    "image_decode": (c_int32, (Text, Text, _OUT, _OUT)),
    "animation_decode": (c_int32, (Text, Text, _OUT, _OUT)),
    "animation_free": (None, (c_void_p,)),
    "animation_info": (c_int32, (c_void_p, POINTER(c_uint32), POINTER(c_uint32))),
    "animation_frame": (c_int32, (c_void_p, c_uint32, _OUT, POINTER(c_int64), _OUT)),
    "image_new": (c_int32, (c_uint32, c_uint32, c_uint32, Text, _OUT, _OUT)),
    "image_free": (None, (c_void_p,)),
    "image_size": (
        c_int32,
        (c_void_p, POINTER(c_uint32), POINTER(c_uint32), POINTER(c_uint32)),
    ),
    "image_pixels": (c_int32, (c_void_p, _OUT)),
    "image_resize": (c_int32, (c_void_p, Text, _OUT, _OUT)),
    "image_encode": (c_int32, (c_void_p, Text, _OUT, _OUT)),
    "image_thumbhash": (c_int32, (c_void_p, _OUT, _OUT)),
    "image_from_thumbhash": (c_int32, (Text, _OUT, _OUT)),
    "image_average": (c_int32, (c_void_p, _OUT, _OUT)),
    "base64_encode": (c_int32, (Text, _OUT)),
    "base64_decode": (c_int32, (Text, _OUT, _OUT)),
    "trim": (None, ()),
    "handle_begin": (c_int32, (c_void_p, Text, Text, Text, Text, Text, *_BEGIN)),
    "call_write": (c_int32, (c_void_p, Text, POINTER(c_size_t))),
    "call_end": (c_int32, (c_void_p,)),
    "response_head": (c_int32, (c_void_p, POINTER(c_int32), POINTER(View))),
    "response_body": (c_int32, (c_void_p, POINTER(Body))),
}


class Library:
    """The functions by their names without "mediagen_".

    Thread-safe: it does not change once made.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        loaded = ctypes.CDLL(path, mode=_mode())
        for name, (result, arguments) in _FUNCTIONS.items():
            try:
                function = getattr(loaded, "mediagen_" + name)
            except AttributeError:
                raise OSError(
                    f"{path} has no function mediagen_{name}: it is of another version."
                ) from None
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        if self.abi() != ABI:
            raise OSError(
                f"{path} speaks ABI {self.abi()}; this package was written for ABI {ABI}."
            )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} is not a function of mediagen that this package declares")


def _mode() -> int:
    """RTLD_DEEPBIND keeps the library's own OpenSSL and zlib apart from what the interpreter has
    loaded.

    AddressSanitizer refuses it, so a process that carries its runtime goes without.
    """
    sanitized = hasattr(ctypes.CDLL(None), "__asan_init")
    return os.RTLD_NOW | os.RTLD_LOCAL | (0 if sanitized else getattr(os, "RTLD_DEEPBIND", 0))


def candidates() -> list[str]:
    """Where the library is looked for, in this order."""
    named = os.environ.get("MEDIAGEN_LIBRARY")
    if named:
        return [named]
    package = Path(__file__).resolve().parent
    tree = package.parent.parent.parent  # bindings/python/mediagen stands in a source tree
    places = [package / name for name in _NAMES]
    places += [tree / "build" / "release" / name for name in _NAMES]
    return [str(place) for place in places if place.exists()] + list(_NAMES)


_loaded: Library | None = None


def library() -> Library:
    """The loaded library. Raises OSError, which says where it was looked for.

    Two threads may load it at once: they get one library, and one of the two objects is dropped.
    """
    global _loaded
    if _loaded is None:
        _loaded = _load()
    return _loaded


def _load() -> Library:
    tried = []
    for path in candidates():
        try:
            return Library(path)
        except OSError as error:
            tried.append(str(error))
    raise OSError(
        "libmediagen was not found. Build it with ./run build, install it, or name it in"
        f" MEDIAGEN_LIBRARY. {' '.join(tried)}"
    )


def text(value: str | bytes) -> Text:
    """`value` as an argument.

    A lone surrogate is passed on as it is: the library refuses it by name.
    """
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return Text(data, len(data))
