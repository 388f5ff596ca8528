"""The blocking face of an engine."""

import os
import signal
import threading

import pytest
from support import PAUSED, PNG, ROOMY, SMALL

import mediagen
from mediagen import _library


def test_the_facade_is_the_same_engine(data_dir):
    engine = mediagen.Engine(ROOMY, data_dir=data_dir)
    generation = engine.sync.generate("a fox", **SMALL)
    assert generation.outputs[0].read()[:8] == PNG
    assert engine.sync.get(generation.id)["id"] == generation.id
    engine.sync.close()
    with pytest.raises(mediagen.ClosedError):
        engine.sync.list()


def test_threads_share_an_engine(blocking):
    ids = []
    threads = [
        threading.Thread(target=lambda n=n: ids.append(blocking.generate(f"fox {n}", **SMALL).id))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 6


def test_events_iterate_on_a_thread(blocking):
    with blocking.events(["generations"]) as events:
        generation = blocking.generate("a fox", **SMALL)
        types = []
        for event in events:
            assert event["object"] == generation.id
            types.append(event["type"])
            if event["type"] == "generation.completed":
                break
    assert types[0] == "generation.created"


def test_events_end_with_the_engine(data_dir):
    engine = mediagen.SyncEngine(ROOMY, data_dir=data_dir)
    events = engine.events()
    engine.close()
    assert list(events) == []


def test_a_timeout_gives_up_waiting(data_dir):
    with mediagen.SyncEngine(PAUSED, data_dir=data_dir) as engine:
        with pytest.raises(mediagen.TimedOutError):
            engine.generate("a fox", timeout_ms=1, **SMALL)
        assert [generation.status for generation in engine.list().data] == ["pending"]


def test_ctrl_c_ends_a_wait(blocking, monkeypatch):
    """A signal arrives while the thread is inside the library; the wait ends with its slice."""
    waiting = threading.Event()
    original = _library.library().call_wait

    def told(*arguments):
        waiting.set()
        return original(*arguments)

    monkeypatch.setattr(_library.library(), "call_wait", told)

    def interrupt():
        waiting.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        blocking.queue.claim("email")
    thread.join()
    # The claim was given up: the job that comes now is somebody else's.
    id = blocking.queue.enqueue("email", "send")
    assert [job.id for job in blocking.queue.claim("email", timeout_ms=10_000)] == [id]


def test_an_engine_without_threads_is_driven_by_its_host(data_dir):
    with mediagen.SyncEngine({**ROOMY, "workers": "manual"}, data_dir=data_dir) as engine:
        generation = engine.submit(prompt="a fox", provider="sketch", **SMALL)
        engine.run(1)
        assert engine.wait(generation.id).status == "completed"


def test_an_engine_with_threads_is_not_driven(blocking):
    with pytest.raises(mediagen.UnsupportedError):
        blocking.run(1)


def test_close_from_another_thread_ends_a_wait(data_dir):
    engine = mediagen.SyncEngine(PAUSED, data_dir=data_dir)
    generation = engine.submit(prompt="a fox", provider="sketch", **SMALL)
    closing = threading.Thread(target=engine.close, kwargs={"grace_ms": 0})
    closing.start()
    with pytest.raises(mediagen.ClosedError):
        engine.wait(generation.id)
    closing.join()
