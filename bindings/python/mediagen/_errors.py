"""What goes wrong, as exceptions: one class a code of the library."""

from __future__ import annotations

import ctypes
import json
from typing import Any, NoReturn

from ._library import library


class MediagenError(Exception):
    """What happened, to which object, and what to do.

    code: stable, for programs ("rate_limited"). message, hint: for people; hint may be "".
    retry_after_ms: when to try again, None when that is not known. object: its id or name, or None.
    """

    code = "internal"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        retry_after_ms: int | None = None,
        object: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.message = message
        self.hint = hint or ""
        self.retry_after_ms = retry_after_ms
        self.object = object

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InvalidError(MediagenError):
    code = "invalid"


class NotFoundError(MediagenError):
    code = "not_found"


class UnauthorizedError(MediagenError):
    code = "unauthorized"


class ForbiddenError(MediagenError):
    code = "forbidden"


class ConflictError(MediagenError):
    code = "conflict"


class RateLimitedError(MediagenError):
    code = "rate_limited"


class BudgetExceededError(MediagenError):
    code = "budget_exceeded"


class OverloadedError(MediagenError):
    code = "overloaded"


class UnavailableError(MediagenError):
    code = "unavailable"


class UnsupportedError(MediagenError):
    code = "unsupported"


class TooLargeError(MediagenError):
    code = "too_large"


class TimedOutError(MediagenError):
    code = "timeout"


class CanceledError(MediagenError):
    code = "canceled"


class ForkedError(MediagenError):
    code = "forked"


class ClosedError(MediagenError):
    code = "closed"


class StaleFenceError(MediagenError):
    code = "stale_fence"


class StaleError(MediagenError):
    code = "stale"


class UnknownOutcomeError(MediagenError):
    code = "unknown_outcome"


class ProviderRejectedError(MediagenError):
    code = "provider_rejected"


class SafetyError(MediagenError):
    code = "safety"


class StorageFullError(MediagenError):
    code = "storage_full"


class CorruptError(MediagenError):
    code = "corrupt"


class InternalError(MediagenError):
    code = "internal"


_CLASSES: dict[str, type[MediagenError]] = {
    kind.code: kind for kind in MediagenError.__subclasses__()
}


class GenerationFailed(MediagenError):
    """A generation came to rest without being completed. `generation` is its record.

    code is the record's own error code; "canceled" or "unknown_outcome" where the record has none.
    """

    code = "unavailable"

    def __init__(self, generation: Any) -> None:
        error = generation.get("error") or {}
        status = generation.get("status")
        fallback = {"canceled": "canceled", "unknown": "unknown_outcome"}.get(status)
        super().__init__(
            error.get("message") or f"Generation {generation.get('id')} rests as {status}.",
            code=error.get("code") or fallback,
            hint=error.get("hint"),
            object=generation.get("id"),
        )
        self.generation = generation


def from_document(document: dict[str, Any]) -> MediagenError:
    """The exception for an error document."""
    code = document.get("code") or "internal"
    return _CLASSES.get(code, MediagenError)(
        document.get("message") or code,
        code=code,
        hint=document.get("hint"),
        retry_after_ms=document.get("retryAfterMs"),
        object=document.get("object"),
    )


def fail(state: int, error: ctypes.c_void_p | None = None) -> NoReturn:
    """Raises what `error` says and frees it; without one, what the code alone says."""
    lib = library()
    if error is None or not error.value:
        raise from_document({"code": lib.code_name(state).decode()})
    try:
        view = lib.error_json(error)
        document = json.loads(ctypes.string_at(view.data, view.size))
    finally:
        lib.error_free(error)
    raise from_document(document)


def check(state: int, error: ctypes.c_void_p | None = None) -> int:
    """The state, when it is not an error; raises otherwise."""
    if state < 0:
        fail(state, error)
    return state
