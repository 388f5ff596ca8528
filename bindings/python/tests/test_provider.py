"""Providers that are the host: a function draws, the pipeline keeps and serves."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest
from support import PNG, ROOMY

import mediagen

HOSTED = {
    **ROOMY,
    "providers": {
        "mine": {"type": "host", "maxNPerJob": 2},
        "hired": {"type": "host", "billing": "paid", "kinds": ["image"], "seed": False},
    },
}


def png(width, height, shade=128):
    """A picture drawn by hand."""

    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([shade, y % 256, 9]) * width for y in range(height))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return PNG + body


@pytest.fixture
def hosted(data_dir):
    return mediagen.Engine(HOSTED, data_dir=data_dir)


async def test_what_a_function_draws_is_the_generations_picture_and_is_served(hosted):
    seen = []

    @hosted.provider("mine")
    async def draw(request, context):
        seen.append((request.prompt, request.n, request.seed, request.size, request.user))
        await context.progress(0.5, message="half")
        return [png(*request.size, shade) for shade in range(request.n)]

    async with hosted:
        generation = await hosted.generate(
            "a fox", user="u1", provider="mine", n=3, seed="18446744073709551613", size="32x16"
        )
        assert sorted(seen) == [
            ("a fox", 1, 18446744073709551615, (32, 16), "u1"),
            ("a fox", 2, 18446744073709551613, (32, 16), "u1"),
        ]
        assert [output["index"] for output in generation.outputs] == [0, 1, 2]
        assert all(output["width"] == 32 for output in generation.outputs)
        assert all(output["source"] == "generated" for output in generation.outputs)
        assert bytes(await generation.outputs[1].read()) == png(32, 16, 1)
        who = {"user": "u1"}
        answer = await hosted.handle("GET", generation.outputs[0]["url"], principal=who)
        assert (answer.status, bytes(answer.body)) == (200, png(32, 16, 0))
        small = generation.outputs[0]["thumbnails"]["150"]
        assert (await hosted.handle("GET", small, principal=who)).status == 200
        assert (await hosted.handle("GET", small, principal={"user": "u2"})).status == 404


def test_a_blocking_engine_draws_on_a_thread(data_dir, tmp_path):
    engine = mediagen.SyncEngine(HOSTED, data_dir=data_dir)
    file = tmp_path / "fox.png"
    file.write_bytes(png(8, 8))

    @engine.provider("mine")
    def draw(request, context):
        context.progress(current=1, total=2)
        if request.prompt == "a path":
            return file
        if request.prompt == "an upload":
            return engine.upload(file, user=request.user)
        return [engine.upload(png(8, 8), user=request.user).id, memoryview(png(4, 4))][: request.n]

    with engine:
        for prompt in ("a path", "an upload", "ids"):
            n = 2 if prompt == "ids" else 1
            generation = engine.generate(prompt, user="u1", provider="mine", n=n)
            assert bytes(generation.outputs[0].read()) == png(8, 8)


async def test_an_upload_is_its_users(hosted, tmp_path):
    async with hosted:
        mine = await hosted.upload(png(8, 4), user="u1")
        assert (mine["source"], mine["generation"]) == ("uploaded", None)
        assert (mine["width"], mine["height"]) == (8, 4)
        assert bytes(await mine.read()) == png(8, 4)
        assert (await hosted.output(mine.id, principal={"user": "u1"})).id == mine.id
        with pytest.raises(mediagen.NotFoundError):
            await hosted.output(mine.id, principal={"user": "u2"})
        own = await hosted.upload(png(8, 4), principal={"user": "u2"})
        assert (await hosted.output(own.id, principal={"user": "u2"})).id == own.id
        with pytest.raises(mediagen.ForbiddenError):
            await hosted.upload(png(8, 4), user="u1", principal={"user": "u2"})
        with pytest.raises(mediagen.InvalidError, match="visibility"):
            await hosted.upload(png(8, 4), user="u1", visibility="secret")
        for broken in (b"", b"no picture", png(8, 4)[:-20]):
            with pytest.raises((mediagen.InvalidError, mediagen.UnsupportedError)):
                await hosted.upload(broken, user="u1")
        with pytest.raises(FileNotFoundError):
            await hosted.upload(tmp_path / "missing.png", user="u1")


async def test_an_upload_that_is_too_large_is_refused(data_dir):
    async with mediagen.Engine(data_dir=data_dir, media={"maxUploadBytes": 1024}) as engine:
        with pytest.raises(mediagen.TooLargeError, match="1024"):
            await engine.upload(bytes(1025), user="u1")


async def test_uploads_over_http_are_of_a_type_that_brings_a_picture(hosted):
    async with hosted:

        async def post(body, content_type, query="", principal={"user": "u1"}):
            headers = {"content-type": content_type} if content_type else {}
            return await hosted.handle(
                "POST", "/v1/uploads" + query, headers=headers, body=body, principal=principal
            )

        answer = await post(png(8, 4), "image/png", "?visibility=public")
        record = json.loads(bytes(answer.body))
        assert (answer.status, record["source"]) == (201, "uploaded")
        assert (await hosted.handle("GET", record["url"], principal={"user": "u2"})).status == 200
        assert answer.header("location") == f"/v1/images/{record['id']}"
        assert (await post(png(8, 4), "application/octet-stream", "?user=u9", None)).status == 201
        for content_type in ("application/x-www-form-urlencoded", "text/plain", None):
            refused = await post(png(8, 4), content_type)
            assert refused.status == 415
            assert "Content-Type" in json.loads(bytes(refused.body))["hint"]
        assert (await post(b"no picture", "image/png")).status == 422
        assert (await post(png(8, 4), "image/png", "?colour=red")).status == 400
        assert (await post(png(8, 4), "image/png", "?user=u2")).status == 403
        assert (await post(png(8, 4), "image/png", "", {"user": ""})).status == 401


async def test_how_a_function_ends_is_what_its_generation_says(data_dir):
    settings = {
        **HOSTED,
        "queues": {"provider:mine": {"retry": {"tries": 1, "baseMs": 1, "capMs": 1}}},
    }
    calls = []

    async def draw(request):
        calls.append(request.prompt)
        if request.prompt == "discard":
            raise mediagen.Discard('{"code":"safety","message":"no foxes","charged":false}')
        if request.prompt == "fails":
            raise ValueError("no paint")
        if request.prompt == "fails once" and calls.count("fails once") == 1:
            raise ValueError("no paint")
        made = {"fails once": png(4, 4), "text": b"text", "number": 7, "nothing": []}
        return made[request.prompt]

    async with mediagen.Engine(settings, data_dir=data_dir) as engine:
        engine.provider("mine")(draw)
        engine.provider("hired")(draw)
        for provider, prompt, status, message, count in [
            ("mine", "discard", "failed", "no foxes", 1),
            ("hired", "discard", "failed", "no foxes", 1),
            ("mine", "fails", "failed", "ValueError: no paint", 2),
            ("hired", "fails", "unknown", "ValueError: no paint", 1),
            ("mine", "fails once", "completed", None, 2),
            ("mine", "text", "failed", "picture was refused", 1),
            ("mine", "number", "failed", "returned int", 1),
            ("mine", "nothing", "failed", "returned list", 1),
        ]:
            calls.clear()
            accepted = await engine.submit(prompt=prompt, user="u1", provider=provider)
            rested = await engine.wait(accepted.id)
            assert (rested.status, len(calls)) == (status, count), (provider, prompt, rested)
            assert rested.error is None if message is None else message in rested.error["message"]
            assert rested.error is None or rested.error["charged"] is False


async def test_a_canceled_generation_cancels_the_function(hosted):
    begun, ended = asyncio.Event(), asyncio.Event()

    @hosted.provider("mine")
    async def draw(request):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with hosted:
        accepted = await hosted.submit(prompt="a fox", user="u1", provider="mine")
        await asyncio.wait_for(begun.wait(), 30)
        await hosted.cancel(accepted.id)
        assert (await hosted.wait(accepted.id)).status == "canceled"
        assert ended.is_set()


async def test_what_was_paid_for_is_not_begun_again_when_its_worker_stops(data_dir):
    begun = asyncio.Event()
    engine = mediagen.Engine(HOSTED, data_dir=data_dir)

    @engine.provider("hired")
    async def draw(request):
        begun.set()
        await asyncio.Event().wait()

    await engine.__aenter__()
    accepted = await engine.submit(prompt="a fox", user="u1", provider="hired")
    await asyncio.wait_for(begun.wait(), 30)
    await engine.close(grace_ms=0)
    async with mediagen.Engine(HOSTED, data_dir=data_dir) as again:
        rested = await again.wait(accepted.id)
        assert (rested.status, rested.error["class"]) == ("unknown", "unknown_outcome")
        assert (await again.abandon(accepted.id)).status == "failed"


async def test_only_the_pipeline_adds_to_a_providers_queue(hosted):
    async with hosted:
        with pytest.raises(mediagen.ForbiddenError, match="provider:mine"):
            await hosted.queue.enqueue("provider:mine", "generate")


async def test_what_a_provider_cannot_do_is_refused_before_it_is_asked(hosted, data_dir):
    async with hosted:
        for fields in ({"seed": "7"}, {"kind": "video"}):
            with pytest.raises(mediagen.UnsupportedError, match="hired"):
                await hosted.submit(prompt="a fox", user="u1", provider="hired", **fields)
    for wrong in ({"billing": "maybe"}, {"kinds": ["smell"]}, {"maxN": 0}, {"colour": 1}):
        with pytest.raises(mediagen.InvalidError):
            mediagen.Engine(data_dir=data_dir, providers={"mine": {"type": "host", **wrong}})
    with pytest.raises(mediagen.InvalidError, match="name"):
        mediagen.Engine(data_dir=data_dir, providers={"Mine!": {"type": "host"}})


def test_the_engine_of_another_process_may_be_the_one_that_draws(data_dir):
    """Two engines over one directory: one submits, the other has the worker."""
    with mediagen.SyncEngine(HOSTED, data_dir=data_dir) as asks:
        with mediagen.SyncEngine(HOSTED, data_dir=data_dir) as draws:
            draws.provider("mine")(lambda request: png(8, 8))
            generation = asks.generate("a fox", user="u1", provider="mine")
            assert Path(generation.outputs[0]["url"]).parts[2] == "outputs"
            assert bytes(asks.read(generation.outputs[0].id)) == png(8, 8)


PROCESS = """
    import json, sys, mediagen
    engine = mediagen.SyncEngine(json.loads(sys.argv[1]))

    @engine.provider("mine")
    @engine.provider("hired")
    def draw(request):
        print(request.id, flush=True)
        sys.stdin.read()  # for ever

    engine.run_workers()
"""


@pytest.mark.parametrize("provider, status", [("mine", "completed"), ("hired", "unknown")])
def test_a_process_killed_while_it_draws_is_paid_once(data_dir, provider, status):
    settings = {**HOSTED, "dataDir": data_dir}
    drawn = []
    with mediagen.SyncEngine(settings) as engine:
        accepted = engine.submit(prompt="a fox", user="u1", provider=provider)
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROCESS), json.dumps(settings)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            id = process.stdout.readline().strip()
            process.send_signal(signal.SIGKILL)

        @engine.provider(provider)
        def draw(request):
            drawn.append(request.id)
            return png(8, 8)

        assert engine.wait(accepted.id).status == status
        assert drawn == ([id] if status == "completed" else [])
        if status == "unknown":  # a person decides
            engine.retry(accepted.id)
            assert engine.wait(accepted.id).status == "completed"
            assert len(drawn) == 1 and drawn != [id]
