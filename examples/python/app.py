"""Generates and serves pictures.

    PYTHONPATH=bindings/python uvicorn --app-dir examples/python app:app --workers 2
    curl -s localhost:8000/draw?prompt=a+red+fox+in+snow -o fox.png

The whole HTTP surface (docs/http.md) is below /media: POST /media/v1/generations, GET /media/v1/events …
"""

import mediagen
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

engine = mediagen.Engine(
    data_dir="./mediagen-data"
)  # SQLite and files; no service, no key


def who(scope):
    return {"user": "demo"}  # your own authentication goes here; None is nobody


async def draw(request):
    generation = await engine.generate(
        request.query_params["prompt"], user="demo", size="512x512"
    )
    return RedirectResponse("/media" + generation.outputs[0]["url"])


app = Starlette(
    routes=[
        Route("/draw", draw),
        Mount("/media", app=mediagen.asgi(engine, principal=who)),
    ],
    on_shutdown=[engine.close],
)
