"""Providers that are the host itself: a function draws what a generation asks for.

The configuration names them: {"providers": {"mine": {"type": "host", "billing": "none"}}}. A
request of such a provider becomes a job in the queue "provider:mine"; what
`@engine.provider("mine")` registers is a worker of that queue which uploads what the function
returns.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

from ._call import finish
from ._crew import Crew
from ._document import bytes_of
from ._errors import InvalidError, OverloadedError, TooLargeError, UnsupportedError
from ._post import Outcome, Worker, reason_of
from ._verbs import EngineVerbs
from .records import Job
from .worker import Discard, F, SyncWorks, Works

_TRIES = 10  # of an upload while the decode budget is taken
_PAID = "generate-paid"  # the kind of a job that, once claimed, may have cost money


class Request(Job):
    """What is asked of a provider: a job, whose payload says it.

    Its fields besides these: "kind", "model", "size", "aspectRatio", "references", "options",
    "generation", "attempt", "part".
    """

    @property
    def prompt(self) -> str:
        return self.payload["prompt"]

    @property
    def negative_prompt(self) -> str | None:
        return self.payload["negativePrompt"]

    @property
    def n(self) -> int:
        """How many pictures."""
        return self.payload["n"]

    @property
    def seed(self) -> int | None:
        seed = self.payload["seed"]
        return None if seed is None else int(seed)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height."""
        size = self.payload["size"]
        if size is None:
            return None
        width, height = size.split("x")
        return int(width), int(height)

    @property
    def options(self) -> dict[str, Any]:
        return self.payload["options"]

    @property
    def references(self) -> list[dict[str, Any]]:
        """{"url"} or {"output"}, with "role" or without; an output is read by `engine.read`."""
        return self.payload["references"]

    @property
    def user(self) -> str:
        return self.payload["user"]


class _Provider(Worker):
    def __init__(
        self, verbs: EngineVerbs, name: str, function: Callable[..., Any], concurrency: int
    ) -> None:
        super().__init__((f"provider:{name}",), function, concurrency)
        self._verbs = verbs

    async def call(self, job: Job, context: Any) -> Any:
        return await super().call(Request(job), context)

    async def result(self, job: Job, value: Any) -> Any:
        """An id of an upload that the function made stays as it is; everything else is uploaded."""
        made = list(value) if isinstance(value, (list, tuple)) else [value]
        if not made or not all(isinstance(one, _MADE) for one in made):
            raise _not_made(value)
        user = job.payload["user"]
        try:
            return {"outputs": [await self._upload(one, user) for one in made]}
        except (InvalidError, UnsupportedError, TooLargeError) as error:
            raise Discard(f"The provider's picture was refused: {error}") from error

    async def _upload(self, picture: Any, user: str) -> str:
        if isinstance(picture, (str, dict)):  # what the function has uploaded itself
            return picture if isinstance(picture, str) else picture["id"]
        data = await asyncio.to_thread(bytes_of, picture)
        for _ in range(_TRIES):
            try:
                operation = self._verbs.upload(None, {"user": user}, data, lambda row: row["id"])
                return await finish(operation)
            except OverloadedError as error:  # too many are being looked at
                await asyncio.sleep((error.retry_after_ms or 1000) / 1000)
        raise Discard("The picture could not be stored: too many pictures were being decoded.")

    def unexpected(self, job: Job, error: BaseException) -> Outcome:
        """A retry; of what may have been paid for, which nobody runs again unasked, a question."""
        if job["kind"] == _PAID:
            return _unknown(reason_of(error))
        return super().unexpected(job, error)

    def abandoned(self, job: Job) -> Outcome | None:
        if job["kind"] == _PAID:
            return _unknown("its worker stopped")
        return super().abandoned(job)


_MADE = (bytes, bytearray, memoryview, os.PathLike, str, dict)


def _not_made(value: Any) -> Discard:
    return Discard(
        f"The provider's function returned {type(value).__name__}; it returns a picture's bytes,"
        " a path, an upload (or its id), or a list of those."
    )


def _unknown(why: str) -> Outcome:
    return {"outcome": "discard", "reason": json.dumps({"code": "unknown_outcome", "message": why})}


class _Provides:
    _crew: Crew
    _verbs: EngineVerbs

    def provider(self, name: str, *, concurrency: int = 1) -> Callable[[F], F]:
        """A decorator: the function draws what is asked of the provider `name` of type "host".

        It takes a Request and, if it has a second parameter, a Context (SyncContext), whose
        progress is the generation's. It returns the pictures in order: bytes, a path (os.PathLike),
        an upload or its id, or a list of those. Otherwise it is a worker like any other (see
        `worker`): Discard fails this part of the generation, an exception tries again.

        With "billing": "paid" what was begun is not begun again by itself: an exception (Retry and
        Defer apart) or a lost worker leaves the generation "unknown", for a person to retry or
        abandon. A Discard counts as charged, unless its reason is a document with "charged": false.
        """

        def register(function: F) -> F:
            self._crew.add(_Provider(self._verbs, name, function, concurrency))
            return function

        return register


class Provides(_Provides, Works):
    """What has providers and workers on an event loop."""


class SyncProvides(_Provides, SyncWorks):
    """What has providers and workers on a thread of their own."""
