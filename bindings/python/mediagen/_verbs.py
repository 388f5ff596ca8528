"""The verbs of an engine, a store and a queue as operations; the asynchronous and the blocking
classes differ only in how they end them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from ctypes import byref, c_void_p
from typing import Any, TypeVar, Union

from . import _call
from ._buffer import take
from ._call import Operation
from ._document import Document, Principal, dump, encode, fields, merge, who
from ._errors import check
from ._handle import Owner
from ._library import library, text
from .records import Job, Page, Record

T = TypeVar("T")

Claimed = Union[Job, "tuple[str, int]"]  # a claimed job, or its (id, fence)


def _page(row: Callable[[Any], T]) -> Callable[[Any], Page[T]]:
    def decode(document: Any) -> Page[T]:
        return Page({**document, "data": [row(item) for item in document["data"]]})

    return decode


def _query(
    filter: Mapping[str, Any] | None,
    sort: str | None,
    limit: int | None,
    cursor: str | None,
) -> bytes:
    return encode(fields({"filter": filter, "sort": sort, "limit": limit, "cursor": cursor}))


class EngineVerbs:
    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def submit(
        self,
        request: Document | None,
        extra: Mapping[str, Any],
        row: Callable[[Any], T],
    ) -> Operation[T]:
        return Operation("submit_begin", self.owner.live(), merge(request, extra), decode=row)

    def upload(
        self,
        principal: Principal,
        metadata: Mapping[str, Any],
        picture: bytes,
        row: Callable[[Any], T],
    ) -> Operation[T]:
        arguments = who(principal), encode(fields(metadata)), picture
        return Operation("upload_begin", self.owner.live(), *arguments, decode=row)

    def rest(self, principal: Principal, id: str, row: Callable[[Any], T]) -> Operation[T]:
        return Operation("await_begin", self.owner.live(), who(principal), id.encode(), decode=row)

    def decide(self, what: str, principal: Principal, id: str, row: Callable[[Any], T]) -> Operation[T]:
        """`what`: cancel, retry or abandon."""
        return Operation(f"{what}_begin", self.owner.live(), who(principal), id.encode(), decode=row)

    def get(
        self, principal: Principal, resource: str, id: str, row: Callable[[Any], T]
    ) -> Operation[T]:
        return Operation(
            "get_begin",
            self.owner.live(),
            who(principal),
            resource.encode(),
            id.encode(),
            decode=row,
        )

    def list(
        self,
        principal: Principal,
        filter: Mapping[str, Any] | None,
        sort: str | None,
        limit: int | None,
        cursor: str | None,
        row: Callable[[Any], T],
    ) -> Operation[Page[T]]:
        query = _query(filter, sort, limit, cursor)
        return Operation(
            "list_begin",
            self.owner.live(),
            who(principal),
            b"generations",
            query,
            decode=_page(row),
        )

    def publish(self, topic: str, data: Any, user: str) -> Operation[str]:
        arguments = topic.encode(), user.encode(), encode(data)
        return Operation(
            "publish_begin",
            self.owner.live(),
            *arguments,
            decode=lambda result: result["id"],
        )

    def subscribe(
        self,
        principal: Principal,
        topics: Iterable[str] | None,
        after: str | None,
        object: str | None,
        previews: bool,
    ) -> Operation[None]:
        filter = fields(
            {
                "topics": None if topics is None else list(topics),
                "after": after,
                "object": object,
                "previews": previews or None,
            }
        )
        return Operation(
            "subscribe",
            self.owner.live(),
            who(principal),
            encode(filter),
            decode=_call.nothing,
        )

    def sign_url(self, url: str, seconds: float, method: str, mount: str) -> str:
        out, error = c_void_p(), c_void_p()
        arguments = text(method), text(url), text(mount), round(seconds * 1000)
        code = library().sign_url(self.owner.live(), *arguments, byref(out), byref(error))
        check(code, error)
        return take(out).decode()

    def close(self, grace_ms: int) -> Operation[None]:
        return Operation("close_begin", self.owner.live(), grace_ms, decode=_call.nothing)


class StoreVerbs:
    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def define(
        self,
        name: str,
        indexes: Sequence[Sequence[str]],
        unique: Sequence[Sequence[str]],
    ) -> Operation[None]:
        definition = {
            "name": name,
            "indexes": [list(fields) for fields in indexes],
            "unique": [list(fields) for fields in unique],
        }
        return Operation(
            "store_define_begin",
            self.owner.live(),
            encode(definition),
            decode=_call.nothing,
        )

    def batch(
        self, writes: Iterable[Mapping[str, Any]], jobs: Iterable[Mapping[str, Any]]
    ) -> Operation[list[str]]:
        batch = encode({"writes": list(writes), "jobs": list(jobs)})
        return Operation(
            "store_batch_begin",
            self.owner.live(),
            batch,
            decode=lambda result: result["jobs"],
        )

    def get_many(
        self, collection: str, ids: Iterable[str]
    ) -> Operation[list[dict[str, Any] | None]]:
        arguments = collection.encode(), encode(list(ids))
        return Operation("store_get_many_begin", self.owner.live(), *arguments, decode=list)

    def list(
        self,
        collection: str,
        filter: Mapping[str, Any] | None,
        sort: str | None,
        limit: int | None,
        cursor: str | None,
    ) -> Operation[Page[Record]]:
        arguments = collection.encode(), _query(filter, sort, limit, cursor)
        return Operation("store_list_begin", self.owner.live(), *arguments, decode=_page(Record))


class QueueVerbs:
    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def enqueue(self, jobs: bytes) -> Operation[list[str]]:
        return Operation(
            "queue_enqueue_begin",
            self.owner.live(),
            jobs,
            decode=lambda result: result["jobs"],
        )

    def claim(self, names: str | Iterable[str], max: int) -> Operation[list[Job]]:
        joined = names if isinstance(names, str) else ",".join(names)
        return Operation(
            "queue_claim_begin",
            self.owner.live(),
            joined.encode(),
            max,
            decode=lambda jobs: [Job(job) for job in jobs],
        )

    def heartbeat(self, job: Claimed) -> Operation[None]:
        return Operation(
            "queue_heartbeat_begin",
            self.owner.live(),
            *_fenced(job),
            decode=_call.nothing,
        )

    def progress(self, job: Claimed, progress: Mapping[str, Any]) -> Operation[None]:
        arguments = *_fenced(job), encode(fields(progress))
        return Operation(
            "queue_progress_begin", self.owner.live(), *arguments, decode=_call.nothing
        )

    def finish(self, job: Claimed, outcome: Mapping[str, Any]) -> Operation[None]:
        arguments = *_fenced(job), encode(fields(outcome))
        return Operation("queue_finish_begin", self.owner.live(), *arguments, decode=_call.nothing)

    def get(self, id: str) -> Operation[Job]:
        return Operation("queue_get_begin", self.owner.live(), id.encode(), decode=Job)

    def checkpoint(self, job: Claimed, value: Any) -> Operation[None]:
        arguments = *_fenced(job), dump(value)
        return Operation(
            "queue_checkpoint_begin", self.owner.live(), *arguments, decode=_call.nothing
        )

    def log(self, job: Claimed, message: str, level: str) -> Operation[None]:
        arguments = *_fenced(job), encode({"message": message, "level": level})
        return Operation("queue_log_begin", self.owner.live(), *arguments, decode=_call.nothing)

    def cancel(self, id: str) -> Operation[Job]:
        return Operation("queue_cancel_begin", self.owner.live(), id.encode(), decode=Job)

    def result(self, id: str) -> Operation[Any]:
        return Operation(
            "queue_result_begin", self.owner.live(), id.encode(), decode=lambda value: value
        )

    def retry(self, id: str) -> Operation[Job]:
        return Operation("queue_retry_begin", self.owner.live(), id.encode(), decode=Job)

    def retry_all(self, queue: str, kind: str | None) -> Operation[int]:
        which = encode(fields({"queue": queue, "kind": kind}))
        return Operation(
            "queue_retry_all_begin",
            self.owner.live(),
            which,
            decode=lambda result: result["retried"],
        )

    def list(
        self, resource: str, query: Mapping[str, Any], row: Callable[[Any], T]
    ) -> Operation[Page[T]]:
        return Operation(
            "queue_list_begin",
            self.owner.live(),
            resource.encode(),
            encode(fields(query)),
            decode=_page(row),
        )

    def configure(self, name: str, settings: Mapping[str, Any]) -> Operation[Record]:
        return Operation(
            "queue_configure_begin",
            self.owner.live(),
            name.encode(),
            encode(settings),
            decode=Record,
        )


def _fenced(job: Claimed) -> tuple[bytes, int]:
    id, fence = (job.id, job.fence) if isinstance(job, Job) else job
    return id.encode(), fence
