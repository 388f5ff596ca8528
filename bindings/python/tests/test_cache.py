"""The cache alone."""

import asyncio
import gc
import threading

import pytest

import mediagen


@pytest.fixture
def cache():
    return mediagen.Cache(bytes=1 << 20)


def test_a_value_comes_back_as_a_read_only_view(cache):
    assert cache.get("a") is None
    assert cache.put("a", b"\x00value") == "admitted"
    view = cache.get("a")
    assert view == b"\x00value" and view.readonly
    with pytest.raises(TypeError):
        view[0] = 1


def test_a_view_outlives_its_entry_and_its_cache(cache):
    cache.put("a", bytes(range(256)) * 100)
    view = cache.get("a")[1000:2000]
    assert cache.remove("a") and not cache.remove("a")
    cache.close()
    gc.collect()
    assert view == (bytes(range(256)) * 100)[1000:2000]
    with pytest.raises(mediagen.ClosedError):
        cache.get("a")


def test_views_pin_their_bytes_until_they_are_dropped(cache):
    cache.put("a", bytes(10_000))
    view = cache.get("a")
    cache.remove("a")
    assert cache.stats()["pinnedBytes"] >= 10_000
    del view
    assert cache.stats()["pinnedBytes"] == 0


def test_an_empty_value_is_a_value(cache):
    cache.put("a", b"")
    assert cache.get("a") == b""


def test_what_is_larger_than_the_cache_is_told(cache):
    assert cache.put("a", bytes(2 << 20)) == "too_large"
    assert cache.get("a") is None


def test_tags_invalidate(cache):
    cache.put("a", b"1", tags=["x", "y"])
    cache.put("b", b"2", tags=["y"])
    cache.put("c", b"3")
    cache.invalidate("y")
    assert [cache.get(key) for key in "abc"] == [None, None, b"3"]


def test_a_negative_time_to_live_is_refused(cache):
    with pytest.raises(mediagen.InvalidError):
        cache.put("a", b"1", ttl_ms=-1)


async def test_one_load_serves_all_who_ask(cache):
    loads, release = [], asyncio.Event()

    async def load():
        loads.append(1)
        await release.wait()
        return b"value"

    asking = [asyncio.ensure_future(cache.get_or_load("a", load)) for _ in range(20)]
    await asyncio.sleep(0)  # all of them have asked
    release.set()
    assert [bytes(view) for view in await asyncio.gather(*asking)] == [b"value"] * 20
    assert len(loads) == 1 and cache.get("a") == b"value"
    assert await cache.get_or_load("a", load) == b"value" and len(loads) == 1


async def test_a_loader_that_raises_fails_those_who_wait(cache):
    release = asyncio.Event()

    async def load():
        await release.wait()
        raise KeyError("no such row")

    asking = [asyncio.ensure_future(cache.get_or_load("a", load)) for _ in range(3)]
    await asyncio.sleep(0)
    release.set()
    errors = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(error) for error in errors] == [KeyError] + [mediagen.UnavailableError] * 2
    assert "no such row" in str(errors[1])
    assert await cache.get_or_load("a", lambda: b"then") == b"then"


async def test_what_is_invalidated_while_it_loads_is_answered_and_not_kept(cache):
    def load():
        cache.invalidate("t")
        return b"old"

    assert await cache.get_or_load("a", load, tags=["t"]) == b"old"
    assert cache.get("a") is None or cache.stats()["entries"] == 1


async def test_a_loader_that_is_too_slow_loses_its_turn(cache):
    stuck = asyncio.Event()

    async def never():
        await stuck.wait()
        return b"late"

    first = asyncio.ensure_future(cache.get_or_load("a", never, load_timeout_ms=20))
    await asyncio.sleep(0)
    assert await cache.get_or_load("a", lambda: b"second", load_timeout_ms=20) == b"second"
    stuck.set()
    assert await first == b"late"  # its caller has its value; the cache keeps the other
    assert cache.get("a") == b"second"


def test_threads_load_once(cache):
    loads, inside, release = [], threading.Event(), threading.Event()

    def load():
        loads.append(1)
        inside.set()
        release.wait()
        return b"value"

    found = []
    ask = lambda: found.append(bytes(cache.get_or_load_sync("a", load)))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    inside.wait()
    release.set()
    for thread in threads:
        thread.join()
    assert found == [b"value"] * 4 and len(loads) == 1


def test_a_prefix_invalidates_and_clear_drops_all(cache):
    for key in ("user/1/a", "user/1/b", "user/2/a"):
        cache.put(key, b"v")
    cache.invalidate_prefix("user/1/")
    assert cache.get("user/1/a") is None and cache.get("user/2/a") == b"v"
    cache.clear()
    assert cache.get("user/2/a") is None and cache.stats()["entries"] == 0


def test_two_versions_are_two_keys(cache):
    first, second = mediagen.versioned_key("k", "1"), mediagen.versioned_key("k", "2")
    assert first != second
    cache.put(first, b"old", versioned=True)
    assert cache.get(second) is None


def test_a_count_bounds_the_cache():
    cache = mediagen.Cache(entries=3)
    for i in range(50):
        cache.put(str(i), b"v")
    assert cache.stats()["entries"] <= 3 and cache.stats()["maxEntries"] == 3


def test_a_loader_that_finds_nothing_is_remembered(cache):
    asked = []

    def nothing():
        asked.append(1)

    for _ in range(3):
        with pytest.raises(mediagen.NotFoundError):
            cache.get_or_load_sync("a", nothing)
    assert len(asked) == 1 and cache.stats()["negativeHits"] == 2
    assert cache.get("a") is None


async def test_a_stale_value_stands_when_its_refresh_fails(cache):
    cache.put("a", b"old", soft_ttl_ms=1)
    while cache.get("a") is not None:  # until its millisecond is over
        pass

    def broken():
        raise OSError("the source is down")

    assert await cache.get_or_load("a", broken) == b"old"
    assert cache.get_or_load_sync("a", broken) == b"old"  # fresh again for a second
    assert cache.stats()["loadFailures"] == 1


async def test_a_load_that_asks_for_its_own_key_is_told_so(cache):
    async def outer():
        with pytest.raises(mediagen.ConflictError):
            await cache.get_or_load("a", lambda: b"inner")
        return b"outer"

    assert await cache.get_or_load("a", outer) == b"outer"

    def outer_sync():
        with pytest.raises(mediagen.ConflictError):
            cache.get_or_load_sync("b", lambda: b"inner")
        return b"outer"

    assert cache.get_or_load_sync("b", outer_sync) == b"outer"


def test_options_out_of_their_range_are_refused(cache):
    for wrong in ({"ttl_ms": -1}, {"jitter": 2}, {"cost": -1}, {"soft_ttl_ms": -5}):
        with pytest.raises(mediagen.InvalidError, match=next(iter(wrong))):
            cache.put("a", b"v", **wrong)
    with pytest.raises(TypeError):
        cache.put("a", b"v", ttl=5)
