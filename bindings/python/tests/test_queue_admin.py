"""What an operator does with jobs and queues, by the binding and over HTTP."""

import httpx
import pytest

import mediagen


async def dead(engine, kind="send", user=None):
    """A job of the dead letter."""
    id = await engine.queue.enqueue("email", kind, user=user)
    (job,) = await engine.queue.claim("email")
    await engine.queue.finish(job, "discard", reason="no such address")
    return id


async def test_the_dead_letter_is_listed_and_retried(engine):
    first, second = await dead(engine), await dead(engine, "other")
    page = await engine.queue.jobs("email", "dead", limit=1)
    assert [job.id for job in page.data] == [first] and page.has_more
    page = await engine.queue.jobs("email", "dead", cursor=page.next_cursor)
    assert [job.id for job in page.data] == [second] and not page.has_more
    assert (await engine.queue.retry(first)).state == "ready"
    with pytest.raises(mediagen.ConflictError):
        await engine.queue.retry(first)
    assert await engine.queue.retry_all("email", kind="nothing") == 0
    assert await engine.queue.retry_all("email") == 1


async def test_a_batch_has_one_progress_and_goes_on_where_it_was(engine):
    batch = await engine.queue.enqueue("thumbs", "make", items=list(range(10)), chunk=4)
    chunks = await engine.queue.claim("thumbs", max=3)
    assert [chunk.payload["items"] for chunk in chunks] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    await engine.queue.progress(chunks[0], current=2, total=4)
    await engine.queue.checkpoint(chunks[0], "behind 1")
    await engine.queue.log(chunks[0], "half of it", "debug")
    assert (await engine.queue.get(batch))["progress"]["current"] == 2
    await engine.queue.finish(chunks[0], "retry", after_ms=0)
    for chunk in chunks[1:]:
        await engine.queue.finish(chunk)
    (again,) = await engine.queue.claim("thumbs")
    assert again["checkpoint"] == "behind 1"
    lines = await engine.queue.logs(again.id)
    assert [(line["level"], line["message"]) for line in lines.data] == [("debug", "half of it")]
    await engine.queue.finish(again)
    done = await engine.queue.get(batch)
    assert done.state == "done" and done["children"]["total"] == 3
    assert done["progress"]["fraction"] == 1
    assert len((await engine.queue.children(batch)).data) == 3


async def test_a_large_result_is_a_blob_that_the_job_names(engine):
    id = await engine.queue.enqueue("report", "make")
    (job,) = await engine.queue.claim("report")
    await engine.queue.finish(job, result={"rows": ["x" * 1000] * 200})
    reference = (await engine.queue.get(id))["result"]
    assert reference["about"]["bytes"] > 200_000 and reference["blob"].startswith("job-results/")
    assert len((await engine.queue.result(id))["rows"]) == 200
    id = await engine.queue.enqueue("report", "make")
    (job,) = await engine.queue.claim("report")
    await engine.queue.finish(job, result=7)
    assert await engine.queue.result(id) == 7
    with pytest.raises(mediagen.NotFoundError):
        await engine.queue.result("01932c5e-0000-7000-8000-000000000001")


async def test_settings_change_at_run_time(engine):
    assert (await engine.queue.configure("email", concurrency=7))["concurrency"] == 7
    await engine.queue.pause("email")
    id = await engine.queue.enqueue("email", "send")
    counts = {queue["name"]: queue["counts"] for queue in await engine.queue.queues()}
    assert counts["email"]["ready"] == 1
    await engine.queue.resume("email")
    assert [job.id for job in await engine.queue.claim("email")] == [id]
    assert (await engine.queue.configure("email", concurrency=None))["concurrency"] == 3
    with pytest.raises(mediagen.InvalidError):
        await engine.queue.configure("email", color="red")


async def test_the_routes_are_the_operators_and_the_owners(engine):
    def by_header(scope):
        headers = dict(scope["headers"])
        return {"user": headers[b"x-user"].decode(), "roles": headers[b"x-roles"].decode().split()}

    transport = httpx.ASGITransport(app=mediagen.asgi(engine, principal=by_header))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        admin = {"x-user": "root", "x-roles": "admin"}
        owner = {"x-user": "u1", "x-roles": ""}
        other = {"x-user": "u2", "x-roles": ""}
        id = await dead(engine, user="u1")
        assert (await http.get("/v1/jobs?state=dead", headers=owner)).status_code == 404
        page = (await http.get("/v1/jobs?state=dead&queue=email", headers=admin)).json()
        assert [job["id"] for job in page["data"]] == [id]
        assert (await http.get(f"/v1/jobs/{id}", headers=owner)).json()["state"] == "dead"
        assert (await http.get(f"/v1/jobs/{id}", headers=other)).status_code == 404
        assert (await http.get(f"/v1/jobs/{id}/logs", headers=owner)).json()["data"] == []
        assert (await http.get(f"/v1/jobs/{id}/children", headers=other)).status_code == 404
        assert (await http.post(f"/v1/jobs/{id}/retry", headers=owner)).status_code == 404
        assert (await http.post(f"/v1/jobs/{id}/cancel", headers=owner)).status_code == 409
        assert (await http.post(f"/v1/jobs/{id}/retry", headers=admin)).json()["state"] == "ready"
        assert (await http.post(f"/v1/jobs/{id}/cancel", headers=other)).status_code == 404
        assert (await http.post(f"/v1/jobs/{id}/cancel", headers=owner)).json()["state"] == "canceled"
        assert (await http.post("/v1/queues/email/retry", headers=admin)).json()["retried"] == 0
        assert (await http.post("/v1/queues/generate/retry", headers=admin)).status_code == 403
        assert (await http.post("/v1/queues/email/pause", headers=admin)).json()["paused"] is True
        assert (await http.post("/v1/queues/email/resume", headers=admin)).json()["paused"] is False
        changed = await http.patch("/v1/queues/email", headers=admin, json={"concurrency": 9})
        assert changed.json()["concurrency"] == 9
        bad = await http.patch("/v1/queues/email", headers=admin, json={"concurrency": "many"})
        assert bad.status_code == 400
        queues = (await http.get("/v1/queues", headers=admin)).json()["data"]
        assert {"email", "generate", "media"} <= {queue["name"] for queue in queues}


def test_the_blocking_queue_has_the_same_verbs(data_dir):
    with mediagen.SyncQueue(data_dir=data_dir) as queue:
        id = queue.enqueue("email", "send", max_tries=0)
        (job,) = queue.claim("email")
        queue.checkpoint(job, {"n": 1})
        queue.log(job, "trying")
        queue.finish(job, "retry", reason="no")
        assert [each.id for each in queue.jobs("email", "dead").data] == [id]
        assert queue.retry(id).state == "ready"
        assert queue.retry_all("email") == 0
        assert len(queue.logs(id).data) == 1 and queue.children(id).data == []
        queue.pause("email")
        assert queue.claim("email", timeout_ms=1) == []
        queue.resume("email")
        assert "email" in [row["name"] for row in queue.queues()]
