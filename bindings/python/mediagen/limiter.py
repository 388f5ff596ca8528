"""Limiter: decides whether something may happen now, by rule and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ctypes import byref, c_void_p, sizeof, string_at
from typing import Any, NamedTuple, TypeVar, Union

from . import _call
from ._buffer import document, take
from ._call import Call, Operation
from ._document import Document, merge
from ._errors import InvalidError, check
from ._handle import Owner, opener
from ._library import OK, DecisionOut, Text, library, text

T = TypeVar("T")

# A rule and a key, and the cost where it is not 1.
Check = Union[tuple[str, str], tuple[str, str, int]]


class Decision(NamedTuple):
    """What was decided, about the tightest of the rules that were asked. True when allowed."""

    allowed: bool
    rule: str
    limit: int
    remaining: int
    window_ms: int
    reset_after_ms: int
    retry_after_ms: int
    degraded: bool = False  # Redis was away: this is what onFailure says

    def __bool__(self) -> bool:
        return self.allowed


class Reservation(NamedTuple):
    """A decision and, when allowed, the lease on what was taken."""

    decision: Decision
    lease: str | None


def _decision(out: DecisionOut) -> Decision:
    return Decision(
        bool(out.allowed),
        string_at(out.rule.data, out.rule.size).decode() if out.rule.size else "",
        out.limit,
        out.remaining,
        out.window_ms,
        out.reset_after_ms,
        out.retry_after_ms,
        bool(out.degraded),
    )


def _read(found: dict[str, Any]) -> Decision:
    return Decision(
        found["allowed"],
        found["rule"],
        found["limit"],
        found["remaining"],
        found["windowMs"],
        found["resetAfterMs"],
        found["retryAfterMs"],
        found["degraded"],
    )


def _block(checks: Iterable[Check]) -> Text:
    lines = []
    for rule, key, *cost in checks:
        for part in (rule, key):
            if "\t" in part or "\n" in part:
                raise InvalidError("A rule or key of several in one step has a tab or line feed.")
        lines.append(f"{rule}\t{key}\t{int(cost[0]) if cost else 1}\n")
    return text("".join(lines))


class Limiter:
    """Limiter(rules={"generations": "5/min"}, url="memory:", max_keys=1 << 20). Thread-safe.

    Starts no thread, creates no file. A limit of at most 32 is never exceeded in any window. After
    a fork the child's limiter in memory is a new one, which has seen no key.
    """

    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._owner = Owner(opener("limiter", merge(config, keywords)))

    def check(self, rule: str, key: str, cost: int = 1) -> Decision:
        """Decides, and charges `cost` when allowed; 0 is a look. With Redis this waits for its
        answer, at most the URL's timeoutMs; in a coroutine await check_async.

        Raises NotFoundError (no such rule), InvalidError (a cost that the rule could never
        allow), OverloadedError (no room for another key), UnavailableError (Redis is away and
        onFailure=closed). An error charges nothing.
        """
        out = DecisionOut(struct_size=sizeof(DecisionOut))
        state = library().limiter_check(
            self._owner.live(), text(rule), text(key), cost, byref(out)
        )
        if state < 0:
            self._explain(state, text(f"{rule}\t{key}\t{cost}\n"))
        return _decision(out)

    def check_all(self, checks: Iterable[Check]) -> Decision:
        """Several rules in one atomic step: what one of them refuses, none is charged."""
        out, block = DecisionOut(struct_size=sizeof(DecisionOut)), _block(checks)
        state = library().limiter_check_all(self._owner.live(), block, byref(out))
        if state < 0:
            self._explain(state, block)
        return _decision(out)

    async def check_async(self, *checks: Check) -> Decision:
        """check_all without ever waiting on the loop's thread."""
        return await _call.finish(self._begin("check", checks, _read))

    def refund(self, rule: str, key: str, cost: int = 1) -> None:
        """Gives back what an allowed check took. Where it matters which one, reserve."""
        self.refund_all([(rule, key, cost)])

    def refund_all(self, checks: Iterable[Check]) -> None:
        """The same for several checks."""
        error = c_void_p()
        state = library().limiter_refund(self._owner.live(), _block(checks), byref(error))
        check(state, error)

    def reserve(self, checks: Iterable[Check]) -> Reservation:
        """check_all, and a lease: a short text by which exactly what was taken can be given back,
        also after a restart and by another process where they share a Redis. Give none to a
        client: who can write one can give back what others were charged.
        """
        out, lease, error = DecisionOut(struct_size=sizeof(DecisionOut)), c_void_p(), c_void_p()
        state = library().limiter_reserve(
            self._owner.live(), _block(checks), byref(out), byref(lease), byref(error)
        )
        check(state, error)
        return Reservation(_decision(out), take(lease).decode() if lease.value else None)

    async def reserve_async(self, *checks: Check) -> Reservation:
        return await _call.finish(
            self._begin(
                "reserve", checks, lambda found: Reservation(_read(found), found["lease"])
            )
        )

    def commit(self, lease: str) -> None:
        """What was reserved was done: it stays charged, as it does without this call."""
        error = c_void_p()
        check(
            library().limiter_commit(self._owner.live(), text(lease), byref(error)), error
        )

    def refund_lease(self, lease: str) -> bool:
        """Gives back what the lease took and what of it still counts, once. False: nothing was."""
        error = c_void_p()
        state = library().limiter_refund_lease(self._owner.live(), text(lease), byref(error))
        return check(state, error) == OK

    def stats(self) -> dict[str, Any]:
        """{"allowed", "refused", "overloaded", "degraded", "failures", "keys", "maxKeys",
        "bytes"}.
        """
        out = c_void_p()
        check(library().limiter_stats(self._owner.live(), byref(out)))
        return document(out)

    def _begin(
        self, what: str, checks: Iterable[Check], decode: Callable[[Any], T]
    ) -> Operation[T]:
        return Operation(
            f"limiter_{what}_begin", self._owner.live(), _block(checks), decode=decode
        )

    def _explain(self, state: int, block: Text) -> None:
        """Raises the error with its text: an error charges nothing, so what failed may be begun
        again.
        """
        out, error = c_void_p(), c_void_p()
        check(
            library().limiter_check_begin(
                self._owner.live(), block, None, 0, byref(out), byref(error)
            ),
            error,
        )
        Call(out).free()
        check(state)

    def close(self) -> None:
        """Gives the limiter up."""
        self._owner.close()
