"""mediagen: a backend for generated media inside your process.

README.md beside this package shows it at work.
"""

from . import _library
from ._asgi import asgi
from ._errors import (
    BudgetExceededError,
    CanceledError,
    ClosedError,
    ConflictError,
    CorruptError,
    ForbiddenError,
    ForkedError,
    GenerationFailed,
    InternalError,
    InvalidError,
    MediagenError,
    NotFoundError,
    OverloadedError,
    ProviderRejectedError,
    RateLimitedError,
    SafetyError,
    StaleError,
    StaleFenceError,
    StorageFullError,
    TimedOutError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnknownOutcomeError,
    UnsupportedError,
)
from ._exchange import Response
from .cache import Cache, versioned_key
from .engine import Engine
from .events import Event, Events, SyncEvents
from .image import Animation, Frame, Image, trim
from .limiter import Decision, Limiter, Reservation
from .provider import Request
from .queue import Queue, SyncQueue
from .records import Generation, Job, Output, Page, Record, SyncGeneration, SyncOutput
from .store import Store, SyncStore
from .sync import SyncEngine
from .worker import Cancel, Context, Defer, Discard, Retry, SyncContext


def version() -> str:
    """The version of the library that is loaded. Raises OSError where there is none."""
    return _library.library().version().decode()


__all__ = [
    "BudgetExceededError",
    "Cache",
    "Cancel",
    "CanceledError",
    "ClosedError",
    "ConflictError",
    "Context",
    "CorruptError",
    "Decision",
    "Defer",
    "Discard",
    "Engine",
    "Event",
    "Events",
    "ForbiddenError",
    "ForkedError",
    "Generation",
    "GenerationFailed",
    "Image",
    "InternalError",
    "InvalidError",
    "Job",
    "Limiter",
    "MediagenError",
    "NotFoundError",
    "Output",
    "OverloadedError",
    "Page",
    "ProviderRejectedError",
    "Queue",
    "RateLimitedError",
    "Record",
    "Request",
    "Reservation",
    "Response",
    "Retry",
    "SafetyError",
    "StaleError",
    "StaleFenceError",
    "StorageFullError",
    "Store",
    "SyncContext",
    "SyncEngine",
    "SyncEvents",
    "SyncGeneration",
    "SyncOutput",
    "SyncQueue",
    "SyncStore",
    "TimedOutError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnknownOutcomeError",
    "UnsupportedError",
    "asgi",
    "trim",
    "version",
    "versioned_key",
]
