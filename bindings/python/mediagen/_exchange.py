"""One HTTP-shaped exchange with the engine: request in, head and body out."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
from collections.abc import Iterable
from ctypes import byref, c_int32, c_size_t, c_void_p, sizeof
from dataclasses import dataclass
from typing import Union

from . import _call, _inbox
from ._buffer import own
from ._call import Call, Operation
from ._document import Principal, who
from ._errors import InvalidError, UnsupportedError, check, from_document
from ._handle import Handle
from ._library import (
    BODY_BYTES,
    BODY_FILE,
    BODY_NONE,
    BODY_STREAM,
    EMPTY,
    PENDING,
    Body,
    Text,
    View,
    library,
)

Headers = Iterable["tuple[bytes, bytes]"]
Head = tuple[int, list[tuple[bytes, bytes]]]  # status, header fields with lower-case names


@dataclass(frozen=True)
class Response:
    """An answer: status, header fields with lower-case names, and the whole body, read-only."""

    status: int
    headers: list[tuple[str, str]]
    body: memoryview

    def header(self, name: str) -> str | None:
        """The first field of this name, without regard to case."""
        return next((value for known, value in self.headers if known == name.lower()), None)


class Piece:
    """A piece of a stream. Empty bytes: its end."""

    def __init__(self, data: memoryview = memoryview(b"")) -> None:
        self.data = data


class Bytes(Piece):
    """A whole body, in memory."""


class File:
    """A whole body: `length` bytes of the open file `fd` from `offset`; closed when it is
    dropped.
    """

    def __init__(self, fd: int, offset: int, length: int) -> None:
        self.fd, self.offset, self.length = fd, offset, length

    def read(self, at: int, size: int) -> bytes:
        """At least one byte from `at`, at most `size`. Blocks.

        Raises EOFError past the file's end.
        """
        piece = os.pread(self.fd, min(size, self.length - at), self.offset + at)
        if not piece:
            raise EOFError("A stored file is shorter than it was.")
        return piece

    def read_all(self) -> memoryview:
        pieces: list[bytes] = []
        got = 0
        while got < self.length:
            pieces.append(self.read(got, self.length - got))
            got += len(pieces[-1])
        return memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    __del__ = close


Part = Union[Piece, Bytes, File]


def block(headers: Headers) -> bytes:
    """Header fields as the library takes them. Raises InvalidError for a line break inside one."""
    lines = [name + b": " + value for name, value in headers]
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise InvalidError("A header field holds a line break.")
    return b"".join(line + b"\r\n" for line in lines)


def request(
    engine: Handle,
    method: str,
    target: bytes,
    headers: Headers,
    principal: Principal,
    mount: bytes,
) -> Operation[None]:
    arguments = method.encode(), target, block(headers), who(principal), mount
    return Operation("handle_begin", engine, *arguments, decode=_call.nothing)


def has_body(method: str) -> bool:
    return method not in ("GET", "HEAD")


def head_of(call: Call, operation: Operation[None]) -> Head | None:
    """Status and header fields; None: it is too early. Raises the call's error."""
    status, view = c_int32(), View()
    state = library().response_head(call, byref(status), byref(view))
    if state == PENDING:
        return None
    if state < 0:
        operation.result(call)  # says more than the code alone
        check(state)
    lines = ctypes.string_at(view.data, view.size).split(b"\r\n") if view.size else []
    fields = (line.partition(b": ") for line in lines if line)
    return status.value, [(name.lower(), value) for name, _, value in fields]


def part_of(call: Call) -> Part | None:
    """The body or its next piece; None: none yet."""
    body = Body(sizeof(Body))
    if check(library().response_body(call, byref(body))) in (EMPTY, PENDING):
        return None
    if body.kind == BODY_NONE:
        return Piece()
    if body.kind == BODY_FILE:
        return File(body.fd, body.offset, body.length)
    view = own(c_void_p(body.buffer))
    return (
        Piece(view)
        if body.kind == BODY_STREAM
        else Bytes(view[body.offset : body.offset + body.length])
    )


def response(head: Head, part: Part) -> Response:
    """A whole answer. Raises UnsupportedError for a stream."""
    if isinstance(part, File):
        body = part.read_all()
        part.close()
    elif isinstance(part, Bytes) or not part.data:
        body = part.data
    else:
        raise UnsupportedError(
            "This answer is a stream.",
            hint="Mount mediagen.asgi, or use engine.events().",
        )
    status, fields = head
    return Response(
        status,
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields],
        body,
    )


def perform(operation: Operation[None], body: bytes | None) -> Response:
    """The whole exchange, on this thread."""
    _, call = operation.begin(None, 0)
    try:
        lib, taken = library(), c_size_t()
        while body and lib.call_write(call, Text(body, len(body)), byref(taken)) >= 0:
            body = body[taken.value :]
            if body:
                lib.call_wait(call, 10, None)  # ms: no inbox tells when it takes more
        if body is not None:
            lib.call_end(call)
        while (head := head_of(call, operation)) is None:
            lib.call_wait(call, 100, None)
        part = part_of(call)
        return response(head, part if part is not None else Piece())
    finally:
        call.free()


class Exchange:
    """An exchange on the running loop, for one task.

    close() may be called at any time, by the loop's thread.
    """

    def __init__(self, operation: Operation[None]) -> None:
        self._operation = operation
        self._inbox = _inbox.of_running_loop()
        news = self._news = asyncio.Event()
        self._tag = self._inbox.listen(lambda _kind, _event: news.set())
        self.closed = False
        try:
            _, self._call = operation.begin(self._inbox.handle, self._tag)
        except BaseException:
            self._inbox.forget(self._tag)
            raise

    async def write(self, chunk: bytes) -> bool:
        """Gives a piece of the request's body. False: the answer is there, no more is wanted."""
        taken = c_size_t()
        while chunk:
            self._news.clear()
            if (
                self.closed
                or library().call_write(self._call, Text(chunk, len(chunk)), byref(taken)) < 0
            ):
                return False
            chunk = chunk[taken.value :]
            if chunk:
                await self._news.wait()
        return True

    def end(self) -> None:
        """The request's body is complete. What is wrong with it is told by the head."""
        library().call_end(self._call)

    async def head(self) -> Head:
        while True:
            self._news.clear()
            head = head_of(self._call, self._operation)
            if head is not None:
                return head
            await self._news.wait()

    async def part(self) -> Part:
        """The body, or the next piece of a stream: empty at its end, and once the exchange is
        closed.
        """
        while not self.closed:
            self._news.clear()
            part = part_of(self._call)
            if part is not None:
                return part
            await self._news.wait()
        return Piece()

    def close(self) -> None:
        """The client is gone, or has all of it."""
        self.closed = True
        self._inbox.forget(self._tag)
        self._call.free()
        self._news.set()


def content(answer: Response) -> memoryview:
    """The body of a 200; raises what any other answer says."""
    if answer.status == 200:
        return answer.body
    problem = json.loads(bytes(answer.body))
    raise from_document({**problem, "message": problem.get("detail")})
