"""The ASGI application, in process."""

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from support import PAUSED, PNG, ROOMY, SMALL, Client, frames

import mediagen
from mediagen._asgi import target_of

JSON = [(b"content-type", b"application/json")]
REQUEST = {"provider": "sketch", "prompt": "a fox", "size": "64x64"}


def by_header(scope):
    """Who a request is from: what a real application would find in a session."""
    user = dict(scope["headers"]).get(b"x-user")
    return {"user": user.decode()} if user else None


def client(engine, base="http://test", mount="", **keywords):
    application = mediagen.asgi(engine, principal=by_header)
    if mount:
        application = Starlette(routes=[Mount(mount, app=application)])
    transport = httpx.ASGITransport(app=application)
    return httpx.AsyncClient(
        transport=transport, base_url=base + mount, headers={"x-user": "u1"}, **keywords
    )


async def made(engine):
    return (await engine.generate("a fox", **SMALL)).outputs[0]


async def test_a_generation_is_accepted_with_its_address(data_dir):
    async with mediagen.Engine(PAUSED, data_dir=data_dir) as engine, client(engine) as http:
        answer = await http.post("/v1/generations", json=REQUEST)
        assert answer.status_code == 202
        record = answer.json()
        assert (record["user"], record["status"]) == ("u1", "pending")
        assert answer.headers["location"] == f"/v1/generations/{record['id']}"
        assert (await http.get(answer.headers["location"])).json()["id"] == record["id"]
        page = (await http.get("/v1/generations?limit=1")).json()
        assert [row["id"] for row in page["data"]] == [record["id"]]


async def test_a_picture_is_served_whole_not_modified_and_by_range(engine):
    output = await made(engine)
    async with client(engine) as http:
        whole = await http.get(output["url"])
        assert (whole.status_code, whole.headers["content-type"]) == (200, "image/png")
        assert whole.content[:8] == PNG and len(whole.content) == output["bytes"]
        tag = whole.headers["etag"]
        same = await http.get(output["url"], headers={"if-none-match": tag})
        assert (same.status_code, same.content) == (304, b"")
        part = await http.get(output["url"], headers={"range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, b"PNG")
        assert part.headers["content-range"] == f"bytes 1-3/{output['bytes']}"
        beyond = await http.get(output["url"], headers={"range": "bytes=99999999-"})
        assert beyond.status_code == 416
        head = await http.head(output["url"])
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == output["bytes"]


async def test_a_thumbnail_is_made_and_served_from_memory(engine):
    output = await made(engine)
    async with client(engine) as http:
        for _ in range(2):
            answer = await http.get(output["thumbnails"]["150"])
            assert (answer.status_code, answer.headers["content-type"]) == (
                200,
                "image/jpeg",
            )
            assert answer.content[:2] == b"\xff\xd8" and answer.content[-2:] == b"\xff\xd9"


async def test_what_is_not_there_or_not_allowed_is_a_problem_document(engine):
    output = await made(engine)
    async with client(engine) as http:
        for target in ("/v1/nothing", "/v1/generations/nope", "/"):
            answer = await http.get(target)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("application/problem+json")
        assert (await http.get(output["url"], headers={"x-user": "u2"})).status_code == 404
        refused = await http.delete("/v1/generations")
        assert refused.status_code == 405 and "POST" in refused.headers["allow"]


async def test_nobody_is_nobody_and_never_the_host(engine):
    await made(engine)
    for application in (
        mediagen.asgi(engine),
        mediagen.asgi(engine, principal=lambda scope: None),
    ):
        status, headers, _ = await Client(application, path="/v1/generations").answer()
        assert (status, headers["www-authenticate"]) == (401, "Bearer")


async def test_a_principal_may_be_found_by_a_coroutine(engine):
    async def look_up(scope):
        await asyncio.sleep(0)
        return {"user": "u1"}

    status, _, _ = await Client(
        mediagen.asgi(engine, principal=look_up), path="/v1/generations"
    ).answer()
    assert status == 200


@pytest.mark.parametrize(
    ("body", "type", "status"),
    [
        (b'{"provider":', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "application/json", 422),
        (b"{}", "text/plain", 415),
        (json.dumps({**REQUEST, "colour": "red"}).encode(), "application/json", 422),
        (json.dumps({**REQUEST, "provider": "nope"}).encode(), "application/json", 422),
        (
            json.dumps({**REQUEST, "prompt": "x" * (1 << 20)}).encode(),
            "application/json",
            413,
        ),
    ],
    ids=["cut off", "bytes", "empty", "type", "unknown", "provider", "long"],
)
async def test_wrong_requests_are_told(engine, body, type, status):
    async with client(engine) as http:
        answer = await http.post("/v1/generations", content=body, headers={"content-type": type})
        assert answer.status_code == status
        assert answer.json()["code"] and answer.json()["detail"]


async def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(data_dir):
    config = {**ROOMY, "media": {"maxUploadBytes": 100_000}}
    async with mediagen.Engine(config, data_dir=data_dir) as engine:
        pieces = [bytes(65536)] * 10_000
        asking = Client(
            mediagen.asgi(engine, principal=lambda scope: {"user": "u1"}),
            "POST",
            "/v1/generations",
            body=pieces,
            headers=JSON,
        )
        status, _, body = await asking.answer()
        assert status == 413 and json.loads(body)["code"] == "too_large"
        assert asking.received < 10_000


async def test_a_body_may_come_in_pieces(engine):
    text = json.dumps(REQUEST).encode()
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)] + [b""]
    application = mediagen.asgi(engine, principal=lambda scope: {"user": "u1"})
    status, headers, _ = await Client(
        application, "POST", "/v1/generations", body=pieces, headers=JSON
    ).answer()
    assert status == 202 and headers["location"].startswith("/v1/generations/")


async def test_a_client_that_leaves_while_it_sends_submits_nothing(engine):
    application = mediagen.asgi(engine, principal=lambda scope: {"user": "u1"})
    body = json.dumps(REQUEST).encode()
    asking = Client(application, "POST", "/v1/generations", body=[body], headers=JSON, cut_off=True)
    asking.leave()
    await asking.start()
    assert asking.sent.empty()
    assert (await engine.list()).data == []


async def test_events_stream_until_the_client_leaves(engine):
    application = mediagen.asgi(engine, principal=lambda scope: {"user": "u1"})
    listening = Client(application, path="/v1/events", query=b"topics=generations")
    task = listening.start()
    start = await listening.sent.get()
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-type"] == b"text/event-stream"
    text = (await listening.sent.get())["body"]
    assert text.startswith(b"retry:")
    generation = await engine.generate("a fox", **SMALL)
    while b"generation.completed" not in text:
        text += (await listening.sent.get())["body"]
    seen = frames(text)
    assert [seen[0][1], seen[-1][1]] == ["generation.created", "generation.completed"]
    assert {document["object"] for _, _, document in seen} == {generation.id}
    listening.leave()
    await task

    resumed = Client(
        application,
        path="/v1/events",
        headers=[(b"last-event-id", seen[0][0].encode())],
    )
    task = resumed.start()
    text = b""
    while b"generation.completed" not in text:
        text += (await resumed.sent.get()).get("body", b"")
    assert "generation.created" not in [type for _, type, _ in frames(text)]
    resumed.leave()
    await task


async def test_a_stream_ends_with_the_engine(data_dir):
    engine = mediagen.Engine(ROOMY, data_dir=data_dir)
    listening = Client(
        mediagen.asgi(engine, principal=lambda scope: {"user": "u1"}), path="/v1/events"
    )
    task = listening.start()
    await listening.sent.get()
    await engine.close()
    await task
    status, _, _ = await Client(mediagen.asgi(engine), path="/healthz").answer()
    assert status == 503


async def test_a_mount_is_cut_and_put_before_urls(engine):
    await made(engine)
    async with client(engine, mount="/media") as http:
        record = (await http.get("/v1/generations")).json()["data"][0]
        url = record["outputs"][0]["url"]
        assert url.startswith("/media/v1/outputs/")
        assert (await http.get("http://test" + url)).content[:8] == PNG
        posted = await http.post("/v1/generations", json=REQUEST)
        assert posted.headers["location"].startswith("/media/v1/generations/")


async def test_a_blocking_engine_serves_too(blocking):
    status, _, body = await Client(mediagen.asgi(blocking), path="/healthz").answer()
    assert status == 200 and body


async def test_lifespan_and_websockets_are_answered(engine):
    application = mediagen.asgi(engine)
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message["type"])

    await application({"type": "lifespan"}, receive, send)
    await application({"type": "websocket"}, receive, send)
    assert sent == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "websocket.close",
    ]


async def test_a_line_break_in_a_header_is_refused(engine):
    status, _, body = await Client(
        mediagen.asgi(engine), path="/healthz", headers=[(b"a", b"b\r\nx-user: root")]
    ).answer()
    assert status == 400 and json.loads(body)["code"] == "invalid"


@pytest.mark.pure
@pytest.mark.parametrize(
    ("scope", "mount", "target"),
    [
        ({"path": "/v1/x", "raw_path": b"/v1/x"}, b"", b"/v1/x"),
        ({"path": "/v1/x", "query_string": b"a=1"}, b"", b"/v1/x?a=1"),
        # raw_path with the query, as one client sends it
        (
            {"path": "/v1/x", "raw_path": b"/v1/x?a=1", "query_string": b"a=1"},
            b"",
            b"/v1/x?a=1",
        ),
        # a framework that cuts the prefix from path, and one that does not
        (
            {"path": "/v1/x", "root_path": "/m", "raw_path": b"/m/v1/x"},
            b"/m",
            b"/m/v1/x",
        ),
        (
            {"path": "/m/v1/x", "root_path": "/m", "raw_path": b"/m/v1/x"},
            b"/m",
            b"/m/v1/x",
        ),
        # a proxy that has cut the prefix already
        ({"path": "/v1/x", "root_path": "/m", "raw_path": b"/v1/x"}, b"/m", b"/m/v1/x"),
        ({"path": "/v1/x", "root_path": "/m"}, b"/m", b"/m/v1/x"),
        # a proxy's prefix, then a mount's
        (
            {"path": "/v1/x", "root_path": "/p/m", "raw_path": b"/m/v1/x"},
            b"/p/m",
            b"/p/m/v1/x",
        ),
        # only raw_path tells an escaped slash
        ({"path": "/v1/ext:a/b", "raw_path": b"/v1/ext:a%2Fb"}, b"", b"/v1/ext:a%2Fb"),
        ({"path": "/v1/\u00fc", "raw_path": b"/v1/%C3%BC"}, b"", b"/v1/%C3%BC"),
        ({"path": "/v1/\u00fc b"}, b"", b"/v1/%C3%BC%20b"),
    ],
    ids=range(11),
)
def test_the_target_is_found_whatever_the_server_says(scope, mount, target):
    assert target_of(scope) == (mount, target)
