"""mediagen: a backend for generated media inside your process. README.md beside this package shows it at work."""

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
from ._library import library as _library
from .cache import Cache
from .engine import Engine
from .events import Event, Events, SyncEvents
from .queue import Queue, SyncQueue
from .records import Generation, Job, Output, Page, Record, SyncGeneration, SyncOutput
from .store import Store, SyncStore
from .sync import SyncEngine


def version() -> str:
    """The version of the library that is loaded. Raises OSError where there is none."""
    return _library().version().decode()


__all__ = [name for name in dir() if not name.startswith("_") or name == "version"]
