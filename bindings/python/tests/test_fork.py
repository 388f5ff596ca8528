"""A forked child opens again what it uses, and leaves the parent's handles alone."""

import asyncio
import gc
import json
import os
import signal
import threading
import traceback
from pathlib import Path

import pytest
from support import PAUSED, ROOMY, SMALL

import mediagen


def in_child(work):
    """What `work` returns in a forked child, as JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = {"value": work()}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = json.loads(pipe.read())
    _, status = os.waitpid(child, 0)
    assert "error" not in answer, answer["error"]
    assert status == 0
    return answer["value"]


def test_a_child_gets_an_engine_of_its_own_over_the_same_data(blocking):
    before = blocking.generate("a fox", **SMALL)

    def work():
        seen = blocking.get(before.id).id
        made = blocking.generate("a wolf", **SMALL).id
        blocking.close()
        return [seen, made]

    seen, made = in_child(work)
    assert seen == before.id
    assert blocking.get(made).status == "completed"
    assert blocking.generate("another fox", **SMALL).status == "completed"


def test_a_child_that_is_forked_while_others_are_inside_sqlite_opens_its_own(data_dir, tmp_path):
    over = threading.Event()

    def churn(number):
        while not over.is_set():
            with mediagen.SyncStore(data_dir=f"{data_dir}{number}") as store:
                store.define("notes")
                for i in range(20):
                    store.put("notes", str(i), {"text": "x" * 500})

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()

    def work():
        signal.alarm(20)  # a child that hangs ends by the signal
        with mediagen.SyncStore(data_dir=str(tmp_path / "child")) as store:
            return store is not None

    try:
        assert [in_child(work) for _ in range(40)] == [True] * 40
    finally:
        over.set()
        for thread in threads:
            thread.join()


def locks_held_here(file):
    """How many of the kernel's file locks on `file` belong to this process."""
    inode = str(os.stat(file).st_ino)
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sum(line[4] == str(os.getpid()) and line[5].rpartition(":")[2] == inode for line in lines)


def test_a_child_takes_sqlites_file_locks_for_itself(data_dir):
    store = mediagen.SyncStore(data_dir=data_dir)
    store.define("notes")
    files = [f"{data_dir}/mediagen.db", f"{data_dir}/mediagen.db-shm"]
    held = [locks_held_here(file) for file in files]
    if min(held) == 0:
        pytest.skip("/proc/locks does not show this process's own locks")

    def work():
        inherited = [locks_held_here(file) for file in files]
        store.put("notes", "n1", {"by": "child"})
        return [inherited, [locks_held_here(file) for file in files]]

    assert in_child(work) == [[0, 0], held]
    assert store.get("notes", "n1") == {"by": "child"}
    store.close()


def test_a_child_that_is_forked_while_others_read_and_write_finds_no_lock_of_theirs(data_dir):
    store = mediagen.SyncStore(data_dir=data_dir)
    store.define("notes")
    store.put("notes", "n", {"text": "x"})
    over = threading.Event()

    def read():
        while not over.is_set():
            assert store.get("notes", "n") is not None

    def write():
        while not over.is_set():
            store.put("notes", "m", {"text": "x" * 5000})

    threads = [threading.Thread(target=work) for work in (read, read, read, write)]
    for thread in threads:
        thread.start()

    def work():
        signal.alarm(20)
        store.put("notes", "child", {"text": "y"})
        seen = store.get("notes", "child")
        store.close()
        return seen

    try:
        assert [in_child(work) for _ in range(30)] == [{"text": "y"}] * 30
    finally:
        over.set()
        for thread in threads:
            thread.join()
    store.close()


def test_a_child_awaits_on_a_loop_of_its_own(data_dir):
    engine = mediagen.Engine(ROOMY, data_dir=data_dir)
    asyncio.run(engine.generate("a fox", **SMALL))

    async def work():
        async with engine.events(["generations"]) as events:
            generation = await engine.generate("a wolf", **SMALL)
            first = await events.__anext__()
        picture = await generation.outputs[0].read()
        await engine.close()
        return [first["type"], len(picture) == generation.outputs[0]["bytes"]]

    assert in_child(lambda: asyncio.run(work())) == ["generation.created", True]
    assert len(asyncio.run(engine.list()).data) == 2
    asyncio.run(engine.close())


def test_stores_queues_and_caches_open_again_too(data_dir):
    engine = mediagen.SyncEngine(ROOMY, data_dir=data_dir)
    store, queue, cache = engine.store, engine.queue, mediagen.Cache()
    store.define("orders")
    cache.put("a", b"parent's")

    def work():
        store.put("orders", "o1", {"by": "child"})
        id = queue.enqueue("email", "send")
        return [cache.get("a") is None, cache.put("a", b"child's"), id]

    empty, admitted, id = in_child(work)
    assert (empty, admitted) == (True, "admitted")
    assert store.get("orders", "o1") == {"by": "child"}
    assert [job.id for job in queue.claim("email")] == [id]
    assert cache.get("a") == b"parent's"
    engine.close()


def test_freeing_the_parents_handles_in_a_child_is_safe(data_dir):
    engine = mediagen.SyncEngine(PAUSED, data_dir=data_dir)
    held = {"engine": engine, "events": engine.events(), "view": mediagen.Cache()}

    def work():
        held.clear()
        gc.collect()
        return "alive"

    assert in_child(work) == "alive"
    assert engine.list().data == []
    engine.close()


def test_an_engine_that_was_closed_stays_closed_in_a_child(data_dir):
    engine = mediagen.SyncEngine(ROOMY, data_dir=data_dir)
    engine.close()

    def work():
        try:
            engine.list()
        except mediagen.ClosedError:
            return "closed"

    assert in_child(work) == "closed"
