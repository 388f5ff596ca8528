"""Collections and jobs, alone and in an engine."""

import asyncio

import pytest

import mediagen


async def test_a_store_alone_keeps_defined_collections(data_dir):
    async with mediagen.Store(data_dir=data_dir) as store:
        await store.define("orders", indexes=[["user", "createdAt desc"]], unique=[["externalId"]])
        await store.put(
            "orders",
            "o1",
            {"user": "u1", "externalId": "x1", "createdAt": "2026-01-01"},
        )
        await store.batch(
            [
                {
                    "put": "orders",
                    "id": "o2",
                    "value": {
                        "user": "u1",
                        "externalId": "x2",
                        "createdAt": "2026-01-02",
                    },
                },
                {
                    "put": "orders",
                    "id": "o3",
                    "value": {
                        "user": "u2",
                        "externalId": "x3",
                        "createdAt": "2026-01-03",
                    },
                },
            ]
        )
        page = await store.list("orders", filter={"user": "u1"}, sort="createdAt desc", limit=1)
        assert [row.id for row in page.data] == ["o2"] and page.has_more
        page = await store.list(
            "orders",
            filter={"user": "u1"},
            sort="createdAt desc",
            cursor=page.next_cursor,
        )
        assert [row.id for row in page.data] == ["o1"] and not page.has_more
        await store.remove("orders", "o1")
        assert await store.get("orders", "o1") is None
        values = await store.get_many("orders", ["o3", "o1", "o2"])
        assert [value and value["externalId"] for value in values] == ["x3", None, "x2"]


async def test_a_batch_is_all_or_nothing(data_dir):
    async with mediagen.Store(data_dir=data_dir) as store:
        await store.define("orders", unique=[["externalId"]])
        with pytest.raises(mediagen.ConflictError):
            await store.batch(
                [
                    {"put": "orders", "id": "o1", "value": {"externalId": "same"}},
                    {"put": "orders", "id": "o2", "value": {"externalId": "same"}},
                ]
            )
        assert await store.get("orders", "o1") is None


async def test_a_collection_that_is_not_defined_is_told(data_dir):
    async with mediagen.Store(data_dir=data_dir) as store:
        with pytest.raises(mediagen.MediagenError, match="orders"):
            await store.put("orders", "o1", {})


async def test_a_store_of_an_engine_enqueues_in_its_transaction(engine):
    await engine.store.define("orders")
    job = {"queue": "email", "kind": "send", "payload": {"order": "o1"}}
    [id] = await engine.store.batch([{"put": "orders", "id": "o1", "value": {"paid": True}}], [job])
    [claimed] = await engine.queue.claim("email")
    assert (claimed.id, claimed.payload) == (id, {"order": "o1"})
    assert engine.sync.store.get("orders", "o1") == {"paid": True}


async def test_a_job_is_claimed_worked_and_finished(engine):
    queue = engine.queue
    id = await queue.enqueue("email", "send", {"to": "a@example.org"}, unique_key="a", priority=3)
    assert await queue.enqueue("email", "send", unique_key="a") == id
    [job] = await queue.claim(["email", "sms"], max=5)
    assert (job.id, job.state, job["priority"]) == (id, "running", 3)
    await queue.progress(job, 0.5, message="half")
    await queue.heartbeat(job)
    assert (await queue.get(id))["progress"]["fraction"] == 0.5
    await queue.finish(job, result={"sent": True})
    done = await queue.get(id)
    assert (done.state, done["result"]) == ("done", {"sent": True})


async def test_a_stale_fence_changes_nothing_and_says_so(engine):
    queue = engine.queue
    id = await queue.enqueue("email", "send")
    [first] = await queue.claim("email")
    await queue.finish(first, "retry", after_ms=0, reason="smtp 421")
    [again] = await queue.claim("email")
    assert again.id == id and again.fence > first.fence
    for late in (
        queue.finish(first),
        queue.heartbeat(first),
        queue.progress(first, 0.1),
    ):
        with pytest.raises(mediagen.StaleFenceError):
            await late
    await queue.finish((again.id, again.fence))
    assert (await queue.get(id)).state == "done"


async def test_a_claim_waits_for_work(engine):
    claiming = asyncio.ensure_future(engine.queue.claim("email"))
    await asyncio.sleep(0)  # it is begun
    id = await engine.queue.enqueue("email", "send")
    assert [job.id for job in await claiming] == [id]


async def test_a_claim_that_is_canceled_keeps_no_job(engine):
    claiming = asyncio.ensure_future(engine.queue.claim("email"))
    await asyncio.sleep(0)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    id = await engine.queue.enqueue("email", "send")
    assert [job.id for job in await engine.queue.claim("email")] == [id]


async def test_a_canceled_job_is_not_claimed(engine):
    ids = await engine.queue.enqueue_many(
        [{"queue": "email", "kind": "send"}, {"queue": "email", "kind": "send"}]
    )
    assert (await engine.queue.cancel(ids[0])).state == "canceled"
    assert [job.id for job in await engine.queue.claim("email", max=2)] == [ids[1]]


async def test_wrong_jobs_and_outcomes_are_refused(engine):
    with pytest.raises(mediagen.InvalidError, match="colour"):
        await engine.queue.enqueue("email", "send", colour="red")
    with pytest.raises(mediagen.InvalidError):
        await engine.queue.claim("email", max=0)
    await engine.queue.enqueue("email", "send")
    [job] = await engine.queue.claim("email")
    with pytest.raises(mediagen.InvalidError, match="outcome"):
        await engine.queue.finish(job, "perhaps")
    await engine.queue.finish(job, "discard", reason="no such address")
    assert (await engine.queue.get(job.id)).state == "dead"


def test_a_queue_alone_works_on_a_thread(data_dir):
    with mediagen.SyncQueue(data_dir=data_dir) as queue:
        id = queue.enqueue("email", "send", {"n": 1})
        [job] = queue.claim("email")
        queue.progress(job, current=1, total=2)
        queue.finish(job)
        assert queue.get(id).state == "done"
        assert queue.claim("email", timeout_ms=1) == []
