"""SyncEngine: the same engine for threads.

Waits give way to signals ten times a second, so Ctrl-C works.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from ctypes import byref, c_int64, c_void_p
from typing import Any

from . import _exchange
from ._call import wait
from ._crew import Crew
from ._document import Document, Principal, bytes_of, encode, merge
from ._errors import GenerationFailed, check
from ._exchange import Response
from ._handle import Owner, opener, part
from ._library import library
from ._verbs import EngineVerbs
from .engine import crew_of
from .events import SyncEvents
from .queue import SyncQueue
from .records import Page, SyncGeneration, SyncOutput
from .store import SyncStore
from .provider import SyncProvides


class SyncEngine(SyncProvides):
    """A blocking engine; see Engine for what arguments mean.

    Thread-safe; waits release the interpreter's lock.

    timeout_ms, where there is one, raises TimedOutError; what was begun goes on.
    """

    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._owner = Owner(opener("engine", merge(config, keywords)))
        self._verbs = EngineVerbs(self._owner)
        self._crew = crew_of(self._owner)

    @classmethod
    def _of(cls, owner: Owner, crew: Crew) -> SyncEngine:
        engine = cls.__new__(cls)
        engine._owner, engine._verbs, engine._crew = owner, EngineVerbs(owner), crew
        return engine

    def _generation(self, document: dict[str, Any]) -> SyncGeneration:
        return SyncGeneration(document, self)

    def submit(self, request: Document | None = None, **fields: Any) -> SyncGeneration:
        """Accepts a generation request: when this returns it is durable."""
        return wait(self._verbs.submit(request, fields, self._generation))

    def wait(
        self, id: str, *, principal: Principal = None, timeout_ms: int | None = None
    ) -> SyncGeneration:
        """The record, once it rests: completed, failed, canceled or unknown."""
        return wait(self._verbs.rest(principal, id, self._generation), timeout_ms)

    def generate(
        self,
        prompt: str,
        *,
        user: str,
        provider: str = "sketch",
        timeout_ms: int | None = None,
        **fields: Any,
    ) -> SyncGeneration:
        """Submits and waits until it is completed.

        Raises GenerationFailed when it rests otherwise.
        """
        accepted = self.submit(prompt=prompt, user=user, provider=provider, **fields)
        generation = self.wait(accepted.id, timeout_ms=timeout_ms)
        if generation.status != "completed":
            raise GenerationFailed(generation)
        return generation

    def get(self, id: str, *, principal: Principal = None) -> SyncGeneration:
        """A generation by its id, or by "ext:" and its external id, which is its user's: ask as
        that user.
        """
        return wait(self._verbs.get(principal, "generations", id, self._generation))

    def output(self, id: str, *, principal: Principal = None) -> SyncOutput:
        """An output's record."""
        return wait(
            self._verbs.get(principal, "outputs", id, lambda document: SyncOutput(document, self))
        )

    def upload(
        self,
        picture: bytes | bytearray | memoryview | os.PathLike[str] | str,
        *,
        user: str | None = None,
        visibility: str | None = None,
        principal: Principal = None,
    ) -> SyncOutput:
        """Stores a picture or video, given as its bytes or as a path, and returns its output."""
        return wait(
            self._verbs.upload(
                principal,
                {"user": user, "visibility": visibility},
                bytes_of(picture),
                lambda document: SyncOutput(document, self),
            )
        )

    def list(
        self,
        *,
        filter: Mapping[str, Any] | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        principal: Principal = None,
    ) -> Page[SyncGeneration]:
        """A page of generations, newest first."""
        return wait(self._verbs.list(principal, filter, sort, limit, cursor, self._generation))

    def cancel(self, id: str, *, principal: Principal = None) -> SyncGeneration:
        """Asks to cancel."""
        return wait(self._verbs.decide("cancel", principal, id, self._generation))

    def retry(self, id: str, *, principal: Principal = None) -> SyncGeneration:
        """Tries again what failed of a generation that rests; what is unknown may then be paid a second time."""
        return wait(self._verbs.decide("retry", principal, id, self._generation))

    def abandon(self, id: str, *, principal: Principal = None) -> SyncGeneration:
        """Takes what is unknown of a generation for failed and charged."""
        return wait(self._verbs.decide("abandon", principal, id, self._generation))

    def events(
        self,
        topics: Iterable[str] | None = None,
        *,
        after: str | None = None,
        object: str | None = None,
        previews: bool = False,
        principal: Principal = None,
    ) -> SyncEvents:
        """`for event in engine.events()`. Subscribes at once. Needs an engine with threads."""
        return SyncEvents(self._verbs.subscribe(principal, topics, after, object, previews))

    def publish(self, topic: str, data: Mapping[str, Any], *, user: str = "") -> str:
        """Publishes an event of the host's own and returns its id."""
        return wait(self._verbs.publish(topic, data, user))

    def handle(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        principal: Principal = None,
        mount: str = "",
    ) -> Response:
        """One request of the HTTP-shaped surface with its whole answer."""
        fields = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        operation = _exchange.request(
            self._owner.live(), method, encode(target), fields, principal, encode(mount)
        )
        return _exchange.perform(operation, body if _exchange.has_body(method) else None)

    def sign_url(
        self, url: str, *, seconds: float = 3600, method: str = "GET", mount: str = ""
    ) -> str:
        """A signed form of a picture's or video's URL: whoever has it may get it for `seconds`,
        rounded up to the hour."""
        return self._verbs.sign_url(url, seconds, method, mount)

    def read(self, output: str, *, principal: Principal = None) -> memoryview:
        """The original bytes of an output, read-only."""
        return _exchange.content(
            self.handle("GET", f"/v1/outputs/{output}/content", principal=principal)
        )

    def run(self, budget_ms: int) -> int | None:
        """With workers="manual": does what is due on this thread for at most budget_ms.

        Returns in how many ms more will be due, None for not until something is submitted. Raises
        UnsupportedError on an engine that has threads.
        """
        due, error = c_int64(), c_void_p()
        check(
            library().run(self._owner.live(), budget_ms, byref(due), byref(error)),
            error,
        )
        return None if due.value < 0 else due.value

    @property
    def store(self) -> SyncStore:
        """The engine's JSON collections."""
        return SyncStore._of(Owner(part("store", self._owner)))

    @property
    def queue(self) -> SyncQueue:
        """The engine's jobs."""
        queue = SyncQueue._of(Owner(part("queue", self._owner)))
        queue._crew = self._crew
        return queue

    def close(self, grace_ms: int = 5000) -> None:
        """Stops claiming, lets what runs go on for up to grace_ms, and ends every call with
        ClosedError. What its workers have not finished by then is handed back.
        """
        end = time.monotonic() + grace_ms / 1000
        self._crew.close_blocking(grace_ms)
        grace_ms = max(0, round((end - time.monotonic()) * 1000))
        self._owner.forbid()
        if self._owner.opened():
            wait(self._verbs.close(grace_ms))

    def __enter__(self) -> SyncEngine:
        self._crew.start_blocking()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
