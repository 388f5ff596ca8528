"""The HTTP-shaped surface of an engine as an ASGI 3 application, to be mounted in any framework."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Union
from urllib.parse import quote, unquote

from . import _document, _exchange
from ._errors import ClosedError, InvalidError, MediagenError
from ._exchange import Bytes, Exchange, File, Piece

if TYPE_CHECKING:
    from .engine import Engine
    from .sync import SyncEngine

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Who = Union[Mapping[str, Any], None]
PrincipalOf = Callable[[Scope], Union[Who, Awaitable[Who]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_CHUNK = 256 << 10  # bytes of one message: what is copied for one client at a time
_SAFE = "/:@!$&'()*+,;=~-._"  # of a path that needs no escape (RFC 3986 §3.3)


def asgi(engine: Engine | SyncEngine, *, principal: PrincipalOf | None = None) -> Application:
    """An ASGI application that serves docs/http.md from `engine`.

    principal: who the (authenticated!) client is, from the ASGI scope: {"user", "groups", "roles",
    "auth"}, or None for nobody; may be a coroutine function. Without it everybody is nobody, and
    what needs a user answers 401. The client's address is added as "ip". "auth": "cookie" asks
    browsers to prove where a request comes from.

    The mount prefix is the scope's root_path. Request bodies are taken as they arrive, pictures are
    sent in chunks of bounded size, and a client that goes away ends what was done for it. The
    engine is the caller's: the application neither opens nor closes it.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await _serve(engine, principal, scope, receive, send)
        elif kind == "lifespan":
            await _live(receive, send)
        elif kind == "websocket":
            await send(
                {"type": "websocket.close", "code": 1008}
            )  # policy violation: there is none here

    return application


async def _live(receive: Receive, send: Send) -> None:
    """Nothing has to be started or stopped."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _serve(
    engine: Engine | SyncEngine,
    principal: PrincipalOf | None,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    method = scope["method"]
    try:
        mount, target = target_of(scope)
        operation = _exchange.request(
            engine._owner.live(),
            method,
            target,
            scope["headers"],
            await _who(principal, scope),
            mount,
        )
        exchange = Exchange(operation)
    except MediagenError as error:
        await _refuse(error, send)
        return
    try:
        if _exchange.has_body(method) and not await _take_body(exchange, receive):
            return  # the client went away before it had sent all
        try:
            status, headers = await exchange.head()
        except MediagenError as error:
            await _refuse(error, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await _send_body(exchange, receive, send)
    finally:
        exchange.close()


async def _who(principal: PrincipalOf | None, scope: Scope) -> Mapping[str, Any]:
    """The client as a principal. Nobody is {} and never None, which would be the host itself."""
    found = principal(scope) if principal is not None else None
    known: Who = await found if isinstance(found, Awaitable) else found
    who = dict(known) if known is not None else {}
    if scope.get("client") and "ip" not in who:
        who["ip"] = scope["client"][0]
    return who


def target_of(scope: Scope) -> tuple[bytes, bytes]:
    """The mount prefix, and the request target below and including it, both percent-encoded.

    Servers and frameworks differ in whether "path" still holds root_path, and raw_path may hold
    more than either; raw_path is used as far as it agrees with path, since only it tells "%2F" from
    "/".
    """
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    raw = (scope.get("raw_path") or b"").split(b"?")[0].decode("latin-1")
    whole = unquote(raw) if raw else path
    local = path
    if root and whole == path and (path == root or path.startswith(root + "/")):
        local = path[len(root) :]
    before = whole[: len(whole) - len(local)]
    if raw and whole.endswith(local) and raw.startswith(before):
        below = raw[len(before) :]
    else:
        below = quote(local, safe=_SAFE)
    query = scope.get("query_string", b"")
    mount = quote(root, safe=_SAFE)
    return mount.encode(), (mount + below).encode("latin-1") + (b"?" + query if query else b"")


async def _take_body(exchange: Exchange, receive: Receive) -> bool:
    """Hands the request's body over as it arrives. False: the client is gone."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        wanted = await exchange.write(message.get("body", b""))
        if not wanted or not message.get("more_body", False):
            exchange.end()
            return True


async def _send_body(exchange: Exchange, receive: Receive, send: Send) -> None:
    part = await exchange.part()
    if isinstance(part, Bytes) and len(part.data) <= _CHUNK:
        await _send(send, bytes(part.data), False)
        return
    if isinstance(part, File):
        await _send_file(part, send)
        return
    gone = asyncio.create_task(_close_when_gone(exchange, receive))
    try:
        if isinstance(part, Bytes):
            for at in range(0, len(part.data), _CHUNK):
                if exchange.closed:
                    return
                await _send(send, bytes(part.data[at : at + _CHUNK]), True)
        else:
            await _send_stream(exchange, part, send)
        await _send(send, b"", False)
    finally:
        gone.cancel()


async def _send_stream(exchange: Exchange, piece: _exchange.Part, send: Send) -> None:
    while isinstance(piece, Piece) and piece.data:
        await _send(send, bytes(piece.data), True)
        piece = await exchange.part()


async def _send_file(file: File, send: Send) -> None:
    """Reads on a thread: a disk may be slow, and the loop has others to serve."""
    try:
        sent = 0
        while sent < file.length:
            chunk = await asyncio.to_thread(file.read, sent, _CHUNK)
            sent += len(chunk)
            await _send(send, chunk, sent < file.length)
        if file.length == 0:
            await _send(send, b"", False)
    finally:
        file.close()


async def _close_when_gone(exchange: Exchange, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.close()


async def _send(send: Send, body: bytes, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _refuse(error: MediagenError, send: Send) -> None:
    """An answer for what did not reach the engine, or came back from it as a failure."""
    status = 400 if isinstance(error, InvalidError) else 503
    title = "Bad Request" if status == 400 else "Service Unavailable"
    problem = {
        "type": f"urn:mediagen:problem:{error.code}",
        "title": title,
        "status": status,
        "detail": error.message,
        "code": error.code,
    }
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
    ]
    if status == 503 and not isinstance(error, ClosedError):
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _send(send, _document.encode(problem), False)
