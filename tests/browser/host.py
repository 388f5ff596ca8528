"""A small host for the browser: mediagen below /media, an empty page at /, a drawn picture's record at /draw,
and at /log what was asked since.

host.py DATA-DIRECTORY; says "listening http://127.0.0.1:PORT". Everybody is the user "demo", by cookie. The page
may also be had from http://localhost:PORT, which is another origin and may read by CORS, and from
http://other.localhost:PORT, which may not.
"""

import socket
import sys

import mediagen
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route

asked = []  # [method, target, status, Range, If-None-Match] of every request to mediagen


def who(scope):
    return {"user": "demo", "auth": "cookie"}


def logged(application):
    async def wrapped(scope, receive, send):
        async def told(message):
            if message["type"] == "http.response.start":
                target = scope["raw_path"].decode() + "?" + scope["query_string"].decode()
                fields = {name: value.decode() for name, value in scope["headers"]}
                conditions = [fields.get(b"range"), fields.get(b"if-none-match")]
                asked.append([scope["method"], target, message["status"], *conditions])
            await send(message)

        await application(scope, receive, told)

    return wrapped


async def page(request):
    return HTMLResponse("<!doctype html><title>mediagen</title><link rel=icon href=data:,><body></body>")


async def log(request):
    seen, asked[:] = list(asked), []
    return JSONResponse(seen)


def drawing(engine):
    async def draw(request):
        generation = await engine.generate(request.query_params["prompt"], user="demo", size="1024x1024")
        return JSONResponse(generation.outputs[0])

    return draw


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    engine = mediagen.Engine(
        {"dataDir": sys.argv[1], "http": {"corsOrigins": [f"http://localhost:{port}"]}}
    )
    media = logged(mediagen.asgi(engine, principal=who))
    routes = [
        Route("/", page),
        Route("/log", log),
        Route("/draw", drawing(engine)),
        Mount("/media", app=media),
    ]
    application = Starlette(routes=routes, on_shutdown=[engine.close])
    config = uvicorn.Config(application, log_level="warning", access_log=False)
    print(f"listening http://127.0.0.1:{port}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


main()
