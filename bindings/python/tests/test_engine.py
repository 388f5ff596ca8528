"""An engine on an asyncio loop."""

import asyncio

import pytest
from support import PAUSED, PNG, ROOMY, SMALL

import mediagen


async def test_generate_gives_a_stored_picture(engine):
    generation = await engine.generate("a red fox", seed="7", **SMALL)
    assert generation.status == generation["status"] == "completed"
    assert (generation.user, generation["provider"], generation["seed"]) == (
        "u1",
        "sketch",
        "7",
    )
    [output] = generation.outputs
    picture = await output.read()
    assert isinstance(picture, memoryview) and picture.readonly
    assert picture[:8] == PNG and len(picture) == output["bytes"]
    assert (await engine.output(output.id))["sha256"] == output["sha256"]


async def test_keywords_in_snake_case_are_the_documents_fields(engine):
    generation = await engine.submit(
        prompt="a fox",
        provider="sketch",
        idempotency_key="k1",
        external_id="e1",
        metadata={"a_b": 1},
        **SMALL,
    )
    again = await engine.submit(
        prompt="a fox",
        provider="sketch",
        idempotency_key="k1",
        external_id="e1",
        metadata={"a_b": 1},
        **SMALL,
    )
    assert again.id == generation.id
    assert (await engine.get("ext:e1", principal={"user": "u1"})).id == generation.id
    assert generation["metadata"] == {"a_b": 1}
    with pytest.raises(mediagen.InvalidError):
        await engine.submit(prompt="a wolf", provider="sketch", idempotency_key="k1", **SMALL)


async def test_twenty_generations_at_once_on_one_loop(engine):
    generations = await asyncio.gather(*(engine.generate(f"fox {n}", **SMALL) for n in range(20)))
    assert len({generation.id for generation in generations}) == 20
    pictures = await asyncio.gather(*(generation.outputs[0].read() for generation in generations))
    assert all(picture[:8] == PNG for picture in pictures)


async def test_events_tell_a_generations_life_in_order_and_resume(engine):
    async with engine.events(["generations"]) as events:
        generation = await engine.submit(prompt="a fox", provider="sketch", **SMALL)
        seen = []
        async for event in events:
            assert event["object"] == generation.id
            seen.append(event)
            if event["type"] == "generation.completed":
                break
    types = [event["type"] for event in seen]
    assert types[0] == "generation.created" and types[-1] == "generation.completed"
    order = [int(event["id"].rpartition(":")[2]) for event in seen]
    assert order == sorted(order) and len(set(order)) == len(order)

    async with engine.events(["generations"], after=seen[0]["id"]) as resumed:
        again = []
        async for event in resumed:
            again.append(event)
            if event["type"] == "generation.completed":
                break
    assert again[-1]["id"] == seen[-1]["id"]
    assert seen[0]["id"] not in [event["id"] for event in again]


async def test_a_users_subscription_sees_no_one_elses(engine):
    async with engine.events(principal={"user": "u2"}) as events:
        await engine.generate("a fox", **SMALL)
        await engine.publish("notes", {"for": "u2"}, user="u2")
        event = await events.__anext__()
    assert (event["topic"], event["data"]) == ("notes", {"for": "u2"})


async def test_publish_answers_the_events_id(engine):
    async with engine.events(["notes"]) as events:
        id = await engine.publish("notes", {"text": "hello"})
        event = await events.__anext__()
    assert event["id"] == id and event["data"] == {"text": "hello"}


async def test_a_closed_subscription_ends_for_its_reader(engine):
    events = engine.events()
    reader = asyncio.ensure_future(events.__anext__())
    await asyncio.sleep(0)  # the reader waits from here on
    events.close()
    with pytest.raises(StopAsyncIteration):
        await reader


async def test_events_that_nobody_reads_become_one_reset(engine, monkeypatch):
    monkeypatch.setattr("mediagen.events._BACKLOG", 5)
    async with engine.events(["notes"]) as slow, engine.events(["notes"]) as quick:
        for number in range(6):
            last = await engine.publish("notes", {"n": number})
            assert (await quick.__anext__())["data"] == {"n": number}
        event = await slow.__anext__()
    assert (event["type"], event["id"]) == ("reset", last)


async def test_cancel_ends_what_waits(data_dir):
    async with mediagen.Engine(PAUSED, data_dir=data_dir) as engine:
        generation = await engine.submit(prompt="a fox", provider="sketch", **SMALL)
        waiting = asyncio.ensure_future(engine.wait(generation.id))
        await engine.cancel(generation.id)
        assert (await waiting).status == "canceled"


async def test_generate_raises_when_it_is_canceled(data_dir):
    async with mediagen.Engine(PAUSED, data_dir=data_dir) as engine:
        async with engine.events(["generations"]) as events:
            waiting = asyncio.ensure_future(engine.generate("a fox", **SMALL))
            created = await events.__anext__()
            await engine.cancel(created["object"])
            with pytest.raises(mediagen.GenerationFailed) as caught:
                await waiting
    assert caught.value.code == "canceled"
    assert caught.value.generation.id == created["object"]


async def test_a_canceled_task_gives_up_waiting_and_nothing_else(data_dir):
    async with mediagen.Engine(PAUSED, data_dir=data_dir) as engine:
        generation = await engine.submit(prompt="a fox", provider="sketch", **SMALL)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(engine.wait(generation.id), 0.01)
        assert (await engine.get(generation.id)).status == "pending"


async def test_list_goes_through_pages_by_cursor(data_dir):
    async with mediagen.Engine(PAUSED, data_dir=data_dir) as engine:
        ids = [
            (await engine.submit(prompt=f"fox {n}", provider="sketch", **SMALL)).id
            for n in range(5)
        ]
        found, cursor = [], None
        while True:
            page = await engine.list(limit=2, cursor=cursor, filter={"status": ["pending"]})
            found += [generation.id for generation in page.data]
            cursor = page.next_cursor
            if not page.has_more:
                break
        assert found == ids[::-1] and cursor is None
        assert (await engine.list(principal={"user": "u2"})).data == []


async def test_nobody_sees_what_is_not_theirs(engine):
    generation = await engine.generate("a fox", **SMALL)
    with pytest.raises(mediagen.NotFoundError):
        await engine.get(generation.id, principal={"user": "u2"})
    with pytest.raises(mediagen.NotFoundError):
        await engine.read(generation.outputs[0].id, principal={"user": "u2"})
    assert (await engine.get(generation.id, principal={"user": "u1"})).id == generation.id


async def test_close_ends_what_waits_and_loses_nothing(data_dir):
    engine = mediagen.Engine(PAUSED, data_dir=data_dir)
    generation = await engine.submit(prompt="a fox", provider="sketch", **SMALL)
    waiting = [asyncio.ensure_future(engine.wait(generation.id)) for _ in range(3)]
    claiming = asyncio.ensure_future(engine.queue.claim("email"))
    events = engine.events()
    await asyncio.sleep(0)  # all of them are begun
    await engine.close(grace_ms=0)
    for pending in [*waiting, claiming]:
        with pytest.raises(mediagen.ClosedError):
            await pending
    async for event in events:  # ends
        assert event["object"] == generation.id
    with pytest.raises(mediagen.ClosedError):
        await engine.list()
    await engine.close()

    async with mediagen.Engine(ROOMY, data_dir=data_dir) as again:
        assert (await again.wait(generation.id)).status == "completed"


async def test_two_engines_in_one_process_are_strangers(data_dir, tmp_path):
    async with mediagen.Engine(ROOMY, data_dir=data_dir) as one:
        async with mediagen.Engine(ROOMY, data_dir=str(tmp_path / "other")) as other:
            generation = await one.generate("a fox", **SMALL)
            with pytest.raises(mediagen.NotFoundError):
                await other.get(generation.id)


async def test_a_view_outlives_its_engine(data_dir):
    async with mediagen.Engine(ROOMY, data_dir=data_dir) as engine:
        generation = await engine.generate("a fox", **SMALL)
        url = generation.outputs[0]["thumbnails"]["150"]
        answer = await engine.handle("GET", url)
    del engine
    assert answer.status == 200 and answer.body.readonly
    assert bytes(answer.body[:2]) == b"\xff\xd8"


def test_one_engine_serves_many_loops(data_dir):
    engine = mediagen.Engine(ROOMY, data_dir=data_dir)
    for _ in range(3):
        assert asyncio.run(engine.generate("a fox", **SMALL)).status == "completed"
    asyncio.run(engine.close())


def test_a_decision_that_does_not_fit_the_generation_is_a_conflict(blocking):
    made = blocking.generate("a fox", **SMALL)
    for decide in (blocking.retry, blocking.abandon):
        with pytest.raises(mediagen.ConflictError):
            decide(made.id)
        with pytest.raises(mediagen.NotFoundError):
            decide("01932c5e-7d3a-7000-8000-000000000000")
    assert blocking.get(made.id).status == "completed"


async def test_a_signed_url_opens_a_picture_for_whoever_has_it(engine):
    [output] = (await engine.generate("a red fox", **SMALL)).outputs
    url = engine.sign_url(output["thumbnails"]["150"], seconds=60)
    stranger = {"user": "somebody else"}
    assert (await engine.handle("GET", output["thumbnails"]["150"], principal=stranger)).status == 404
    answer = await engine.handle("GET", url, principal=stranger)
    assert answer.status == 200 and answer.header("content-type") == "image/jpeg"
    assert (await engine.handle("GET", url + "&w=1", principal=stranger)).status in (400, 403)
    below = engine.sign_url("/api" + output["url"], mount="/api")
    assert (await engine.handle("GET", below, principal=stranger, mount="/api")).status == 200
    with pytest.raises(mediagen.InvalidError):
        engine.sign_url("/v1/generations")


async def test_events_carry_previews_when_asked(engine):
    async with engine.events(["outputs"], previews=True) as events:
        await engine.generate("a red fox", **SMALL)
        async for event in events:
            assert event["data"]["preview"].startswith("data:image/webp;base64,")
            break
