"""What several test files need."""

from __future__ import annotations

import asyncio
import json
import socket

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = {"user": "u1", "size": "64x64"}

# Limits that tests do not run into.
ROOMY = {
    "durability": "relaxed",
    "queues": {"generate": {"concurrency": 8, "perKey": {"provider": 0, "user": 0}}},
    "rateLimits": {
        name: "100000/min"
        for name in (
            "generations",
            "images",
            "sessions",
            "writes",
            "pictures",
            "render",
        )
    },
}

# Work that never starts: a generation stays pending until it is canceled.
PAUSED = {**ROOMY, "queues": {"generate": {"paused": True}}}


def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """An ASGI server's side of one exchange, message by message, so that a stream can be read
    while it lasts.
    """

    def __init__(
        self,
        application,
        method="GET",
        path="/",
        *,
        query=b"",
        body=(b"",),
        headers=(),
        cut_off=False,
        **scope,
    ):
        self._application = application
        self._cut_off = cut_off  # more of the body was promised than comes
        self._body = list(body)
        self._gone = asyncio.Event()
        self.sent: asyncio.Queue = asyncio.Queue()
        self.received = 0
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": list(headers),
            "client": ("203.0.113.9", 1),
            **scope,
        }

    async def _receive(self):
        if self._body:
            self.received += 1
            return {
                "type": "http.request",
                "body": self._body.pop(0),
                "more_body": bool(self._body) or self._cut_off,
            }
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def start(self) -> asyncio.Task:
        return asyncio.create_task(self._application(self.scope, self._receive, self.sent.put))

    def leave(self) -> None:
        self._gone.set()

    async def answer(self):
        """status, headers, body of a whole answer."""
        task = self.start()
        await task
        start = self.sent.get_nowait()
        body = b""
        while not self.sent.empty():
            message = self.sent.get_nowait()
            assert isinstance(message["body"], bytes)
            body += message["body"]
        return (
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            body,
        )


def frames(text: bytes):
    """The events of an SSE text: (id, type, document)."""
    found = []
    for frame in text.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if ": " in line)
        if "data" in fields:
            found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found
