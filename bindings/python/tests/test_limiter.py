"""The limiter alone."""

import asyncio
import os

import pytest

import mediagen


@pytest.fixture
def limiter():
    return mediagen.Limiter(rules={"hour": "3/h", "day": "100/d"})


def test_a_limit_is_a_limit(limiter):
    first = limiter.check("hour", "ann", 2)
    assert first and first.allowed and not first.degraded
    assert first.rule == "hour" and first.limit == 3 and first.remaining == 1
    assert first.window_ms == 3_600_000
    second = limiter.check("hour", "ann", 2)
    assert not second
    assert 0 < second.retry_after_ms <= 3_600_000
    assert limiter.check("hour", "bob")
    assert limiter.check("hour", "ünï\tcode\n")


def test_several_rules_are_one_step(limiter):
    assert limiter.check_all([("hour", "ann", 3), ("day", "ann")]).rule == "hour"
    refused = limiter.check_all([("day", "ann", 50), ("hour", "ann")])
    assert not refused and refused.rule == "hour"
    assert limiter.check("day", "ann", 0).remaining == 99
    with pytest.raises(mediagen.InvalidError):
        limiter.check_all([("hour", "a\tb")])


def test_errors_say_what_is_wrong(limiter):
    with pytest.raises(mediagen.NotFoundError, match="week"):
        limiter.check("week", "ann")
    with pytest.raises(mediagen.InvalidError, match="100"):
        limiter.check("day", "ann", 101)
    with pytest.raises(mediagen.InvalidError):
        limiter.check_all([("hour", "ann", -1)])
    with pytest.raises(mediagen.InvalidError, match="often"):
        mediagen.Limiter(rules={"a": "often"})
    with pytest.raises(mediagen.InvalidError):
        mediagen.Limiter(rules={})
    with pytest.raises(mediagen.InvalidError):
        mediagen.Limiter(rules={"a": 5})
    full = mediagen.Limiter(rules={"a": "5/h"}, max_keys=1)
    assert full.check("a", "x")
    with pytest.raises(mediagen.OverloadedError) as raised:
        full.check("a", "y")
    assert 0 < raised.value.retry_after_ms <= 3_600_000


def test_a_lease_gives_back_what_it_took_once(limiter):
    reserved = limiter.reserve([("hour", "ann", 3), ("day", "ann", 5)])
    assert reserved.decision and isinstance(reserved.lease, str)
    assert limiter.reserve([("hour", "ann")]).lease is None
    limiter.commit(reserved.lease)
    assert limiter.refund_lease(reserved.lease)
    assert not limiter.refund_lease(reserved.lease)
    assert limiter.check("hour", "ann", 0).remaining == 3
    assert limiter.check("day", "ann", 0).remaining == 100
    with pytest.raises(mediagen.InvalidError):
        limiter.refund_lease("nonsense")
    assert limiter.check("day", "ann", 5)
    limiter.refund("day", "ann", 2)
    assert limiter.check("day", "ann", 0).remaining == 97


def test_a_loop_need_not_wait(limiter):
    async def work():
        assert await limiter.check_async(("hour", "ann", 2), ("day", "ann"))
        reserved = await limiter.reserve_async(("hour", "ann"))
        assert reserved.decision.remaining == 0 and limiter.refund_lease(reserved.lease)
        with pytest.raises(mediagen.NotFoundError):
            await limiter.check_async(("week", "ann"))

    asyncio.run(work())


def test_what_was_decided_is_counted(limiter):
    for _ in range(5):
        limiter.check("hour", "ann")
    stats = limiter.stats()
    assert (stats["allowed"], stats["refused"], stats["keys"]) == (3, 2, 1)
    assert stats["maxKeys"] >= 1 << 20 and stats["bytes"] > 0
    limiter.close()
    with pytest.raises(mediagen.ClosedError):
        limiter.check("hour", "ann")


def test_a_forked_child_has_a_limiter_of_its_own(limiter):
    assert limiter.check("hour", "ann", 3)
    child = os.fork()
    if child == 0:
        os._exit(0 if limiter.check("hour", "ann", 3) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not limiter.check("hour", "ann")
