"""The application of test_workers.py: a real host, run by uvicorn with several workers over one
data directory.
"""

import os

from starlette.applications import Starlette
from starlette.routing import Mount
from support import ROOMY

import mediagen

engine = mediagen.Engine(ROOMY, data_dir=os.environ["SERVED_DATA_DIR"])


def signed(application):
    """Names the worker in every answer."""

    async def wrapped(scope, receive, send):
        async def send_signed(message):
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [
                        *message["headers"],
                        (b"x-worker", str(os.getpid()).encode()),
                    ],
                }
            await send(message)

        await application(scope, receive, send_signed)

    return wrapped


media = mediagen.asgi(engine, principal=lambda scope: {"user": "u1"})
app = Starlette(routes=[Mount("/media", app=signed(media))], on_shutdown=[engine.close])
