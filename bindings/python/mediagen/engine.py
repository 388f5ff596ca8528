"""Engine: the whole pipeline over one configuration, for asyncio."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _exchange
from ._call import finish
from ._crew import Crew
from ._document import Document, Principal, bytes_of, encode, merge
from ._errors import GenerationFailed
from ._exchange import Exchange, Response
from ._handle import Owner, opener, part
from ._verbs import EngineVerbs, QueueVerbs
from .events import Events
from .queue import Queue
from .records import Generation, Output, Page
from .store import Store
from .provider import Provides

if TYPE_CHECKING:
    from .sync import SyncEngine


def crew_of(engine: Owner) -> Crew:
    """The workers of an engine, whose queue is opened when they begin."""
    return Crew(lambda: QueueVerbs(Owner(part("queue", engine))))


class Engine(Provides):
    """An engine for asyncio; `engine.sync` is the same engine for threads.

    config: the configuration document (docs/configuration.md) as a dict or JSON text; keywords are
    its top-level keys in snake_case and win: Engine(data_dir="./data", workers=4). Opening blocks
    while it opens files. Raises MediagenError: unknown keys are refused by name.

    Thread-safe; every method may be awaited on any loop. An engine that was opened before a fork
    opens itself again in the child when it is first used there (gunicorn --preload).

    principal: who asks, {"user", "groups", "roles"}; None is the host itself, which sees all. What
    a principal may not see raises NotFoundError. Keywords named *_ms are milliseconds.
    """

    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._owner = Owner(opener("engine", merge(config, keywords)))
        self._verbs = EngineVerbs(self._owner)
        self._crew = crew_of(self._owner)

    @property
    def sync(self) -> SyncEngine:
        """The same engine, blocking."""
        from .sync import SyncEngine

        return SyncEngine._of(self._owner, self._crew)

    def _generation(self, document: dict[str, Any]) -> Generation:
        return Generation(document, self)

    async def submit(self, request: Document | None = None, **fields: Any) -> Generation:
        """Accepts a generation request: when this returns it is durable.

        request: the document, or JSON text; fields: its fields in snake_case (user, provider,
        prompt, negative_prompt, n, size, seed, idempotency_key …).
        """
        return await finish(self._verbs.submit(request, fields, self._generation))

    async def wait(self, id: str, *, principal: Principal = None) -> Generation:
        """The record, once it rests: completed, failed, canceled or unknown."""
        return await finish(self._verbs.rest(principal, id, self._generation))

    async def generate(
        self, prompt: str, *, user: str, provider: str = "sketch", **fields: Any
    ) -> Generation:
        """Submits and waits until it is completed.

        Raises GenerationFailed, with the record inside, when it rests otherwise.

        Canceling the task gives up waiting; the generation goes on (see `cancel`).
        """
        accepted = await self.submit(prompt=prompt, user=user, provider=provider, **fields)
        generation = await self.wait(accepted.id)
        if generation.status != "completed":
            raise GenerationFailed(generation)
        return generation

    async def get(self, id: str, *, principal: Principal = None) -> Generation:
        """A generation by its id, or by "ext:" and its external id, which is its user's: ask as
        that user.
        """
        return await finish(self._verbs.get(principal, "generations", id, self._generation))

    async def output(self, id: str, *, principal: Principal = None) -> Output:
        """An output's record."""
        return await finish(
            self._verbs.get(principal, "outputs", id, lambda document: Output(document, self))
        )

    async def upload(
        self,
        picture: bytes | bytearray | memoryview | os.PathLike[str] | str,
        *,
        user: str | None = None,
        visibility: str | None = None,
        principal: Principal = None,
    ) -> Output:
        """Stores a picture or video, given as its bytes or as a path, and returns its output.

        user: whose it is; None is nobody's but the host's (a principal's own is the principal's).
        Raises InvalidError or UnsupportedError for what is no whole picture of a type that is
        stored, TooLargeError past "media.maxUploadBytes".
        """
        data = await asyncio.to_thread(bytes_of, picture)
        return await finish(
            self._verbs.upload(
                principal,
                {"user": user, "visibility": visibility},
                data,
                lambda document: Output(document, self),
            )
        )

    async def list(
        self,
        *,
        filter: Mapping[str, Any] | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        principal: Principal = None,
    ) -> Page[Generation]:
        """A page of generations, newest first. filter: {"user", "status", "session", "project"}."""
        return await finish(
            self._verbs.list(principal, filter, sort, limit, cursor, self._generation)
        )

    async def cancel(self, id: str, *, principal: Principal = None) -> Generation:
        """Asks to cancel. What a provider was already paid for is stored all the same."""
        return await finish(self._verbs.decide("cancel", principal, id, self._generation))

    async def retry(self, id: str, *, principal: Principal = None) -> Generation:
        """Tries again what failed of a generation that rests; what is unknown may then be paid a second time."""
        return await finish(self._verbs.decide("retry", principal, id, self._generation))

    async def abandon(self, id: str, *, principal: Principal = None) -> Generation:
        """Takes what is unknown of a generation for failed and charged."""
        return await finish(self._verbs.decide("abandon", principal, id, self._generation))

    def events(
        self,
        topics: Iterable[str] | None = None,
        *,
        after: str | None = None,
        object: str | None = None,
        previews: bool = False,
        principal: Principal = None,
    ) -> Events:
        """`async for event in engine.events()`: from now on, or from behind the event id `after`.

        Subscribes at once, so a submit that follows is seen. Call it on a running loop.
        previews: outputs carry "preview", a data URL of a few hundred bytes, beside "thumbHash".
        """
        return Events(self._verbs.subscribe(principal, topics, after, object, previews))

    async def publish(self, topic: str, data: Mapping[str, Any], *, user: str = "") -> str:
        """Publishes an event of the host's own and returns its id.

        user: who may see it besides the host.
        """
        return await finish(self._verbs.publish(topic, data, user))

    async def handle(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        principal: Principal = None,
        mount: str = "",
    ) -> Response:
        """One request of the HTTP-shaped surface (docs/http.md) with its whole answer.

        `mediagen.asgi` streams instead.
        """
        fields = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        operation = _exchange.request(
            self._owner.live(), method, encode(target), fields, principal, encode(mount)
        )
        exchange = Exchange(operation)
        try:
            if _exchange.has_body(method):
                await exchange.write(body)
                exchange.end()
            head, answer = await exchange.head(), await exchange.part()
            return await asyncio.to_thread(_exchange.response, head, answer)
        finally:
            exchange.close()

    def sign_url(
        self, url: str, *, seconds: float = 3600, method: str = "GET", mount: str = ""
    ) -> str:
        """A signed form of a picture's or video's URL: whoever has it may get it, in any size and
        format that it names, for `seconds`, rounded up to the hour.

        url: below `mount`, as records carry it, or "/v1/images/ID/image?w=800&format=webp".
        """
        return self._verbs.sign_url(url, seconds, method, mount)

    async def read(self, output: str, *, principal: Principal = None) -> memoryview:
        """The original bytes of an output, read-only."""
        answer = await self.handle("GET", f"/v1/outputs/{output}/content", principal=principal)
        return _exchange.content(answer)

    @property
    def store(self) -> Store:
        """The engine's JSON collections."""
        return Store._of(Owner(part("store", self._owner)))

    @property
    def queue(self) -> Queue:
        """The engine's jobs."""
        queue = Queue._of(Owner(part("queue", self._owner)))
        queue._crew = self._crew
        return queue

    async def close(self, grace_ms: int = 5000) -> None:
        """Stops claiming, lets what runs go on for up to grace_ms, and ends every call with
        ClosedError. What its workers have not finished by then is handed back.

        Nothing accepted is lost. Closing twice is no error.
        """
        end = time.monotonic() + grace_ms / 1000
        await self._crew.close(grace_ms)
        grace_ms = max(0, round((end - time.monotonic()) * 1000))
        self._owner.forbid()
        if self._owner.opened():
            await finish(self._verbs.close(grace_ms))

    async def __aenter__(self) -> Engine:
        self._crew.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
