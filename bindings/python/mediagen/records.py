"""Records as Python sees them: dicts of the library's documents (camelCase keys), with attributes
for what is asked most.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from .engine import Engine
    from .sync import SyncEngine

R = TypeVar("R")


class Record(dict[str, Any]):
    """A document with an id.

    A plain dict otherwise: it is a copy, changing it changes nothing else.
    """

    @property
    def id(self) -> str:
        return self["id"]


class Output(Record):
    """One picture or video of a generation: "mediaType", "width", "height", "bytes", "url" …"""

    def __init__(self, document: dict[str, Any], engine: Engine) -> None:
        super().__init__(document)
        self._engine = engine

    def read(self) -> Awaitable[memoryview]:
        """The original's bytes, read-only."""
        return self._engine.read(self.id)


class SyncOutput(Record):
    """One picture or video of a generation: "mediaType", "width", "height", "bytes", "url" …"""

    def __init__(self, document: dict[str, Any], engine: SyncEngine) -> None:
        super().__init__(document)
        self._engine = engine

    def read(self) -> memoryview:
        """The original's bytes, read-only."""
        return self._engine.read(self.id)


class _GenerationRecord(Record):
    @property
    def status(self) -> str:
        """ "pending", "processing", "completed", "failed", "canceled" or "unknown"."""
        return self["status"]

    @property
    def user(self) -> str:
        return self["user"]

    @property
    def error(self) -> dict[str, Any] | None:
        """{"code", "class", "message", "charged"} where it failed."""
        return self.get("error")


class Generation(_GenerationRecord):
    """A generation's record as it was when it was asked for."""

    def __init__(self, document: dict[str, Any], engine: Engine) -> None:
        super().__init__(document)
        self._engine = engine

    @property
    def outputs(self) -> list[Output]:
        return [Output(output, self._engine) for output in self.get("outputs") or []]


class SyncGeneration(_GenerationRecord):
    """A generation's record as it was when it was asked for."""

    def __init__(self, document: dict[str, Any], engine: SyncEngine) -> None:
        super().__init__(document)
        self._engine = engine

    @property
    def outputs(self) -> list[SyncOutput]:
        return [SyncOutput(output, self._engine) for output in self.get("outputs") or []]


class Job(Record):
    """A job document. `fence` shows, with `id`, that this claim is still the job's."""

    @property
    def fence(self) -> int:
        return self["fence"]

    @property
    def state(self) -> str:
        """ "scheduled", "ready", "waiting", "running", "parked", "done", "dead" or "canceled"."""
        return self["state"]

    @property
    def payload(self) -> Any:
        return self.get("payload")

    @property
    def checkpoint(self) -> Any:
        """What an earlier try of this job kept for this one; None when none did."""
        return self.get("checkpoint")


class Page(dict[str, Any], Generic[R]):
    """A cursor page: {"data", "pagination", "asOf"}."""

    @property
    def data(self) -> list[R]:
        return self["data"]

    @property
    def has_more(self) -> bool:
        return self["pagination"]["hasMore"]

    @property
    def next_cursor(self) -> str | None:
        """What to pass as `cursor` for the following page, None on the last."""
        return self["pagination"]["nextCursor"]
