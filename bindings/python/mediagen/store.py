"""Store: JSON collections of the host's own, alone or in the transactions of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._call import finish, wait
from ._document import Document, merge
from ._handle import Owner, opener
from ._verbs import StoreVerbs
from .records import Page, Record


class _StoreBase:
    def __init__(self, config: Document | None = None, **keywords: Any) -> None:
        self._set(Owner(opener("store", merge(config, keywords))))

    def _set(self, owner: Owner) -> None:
        self._owner, self._verbs = owner, StoreVerbs(owner)

    def close(self) -> None:
        """Gives the store up; it is closed as soon as no call uses it."""
        self._owner.close()


class Store(_StoreBase):
    """For asyncio. Store(data_dir=…) opens one alone; `engine.store` is an engine's. Thread-safe.

    Values are JSON objects of at most 1 MiB. Opened before a fork, it opens again in the child.
    """

    @classmethod
    def _of(cls, owner: Owner) -> Store:
        store = cls.__new__(cls)
        store._set(owner)
        return store

    async def define(
        self,
        name: str,
        *,
        indexes: Sequence[Sequence[str]] = (),
        unique: Sequence[Sequence[str]] = (),
    ) -> None:
        """Defines a collection; again with more is additive.

        indexes: [["user", "createdAt desc"]].
        """
        await finish(self._verbs.define(name, indexes, unique))

    async def batch(
        self,
        writes: Iterable[Mapping[str, Any]] = (),
        jobs: Iterable[Mapping[str, Any]] = (),
    ) -> list[str]:
        """One transaction, all or nothing; returns the ids of the jobs.

        writes: {"put": collection, "id", "value"} or {"remove": collection, "id"}. jobs need an
        engine's store.
        """
        return await finish(self._verbs.batch(writes, jobs))

    async def put(self, collection: str, id: str, value: Mapping[str, Any]) -> None:
        """Writes one value."""
        await self.batch([{"put": collection, "id": id, "value": value}])

    async def remove(self, collection: str, id: str) -> None:
        """Removes one value; it is no error when there is none."""
        await self.batch([{"remove": collection, "id": id}])

    async def get_many(self, collection: str, ids: Iterable[str]) -> list[dict[str, Any] | None]:
        """The values of at most 1,000 ids in their order, None where there is none."""
        return await finish(self._verbs.get_many(collection, ids))

    async def get(self, collection: str, id: str) -> dict[str, Any] | None:
        """One value, or None."""
        return (await self.get_many(collection, [id]))[0]

    async def list(
        self,
        collection: str,
        *,
        filter: Mapping[str, Any] | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Record]:
        """A page of {"id", "value"}, sorted by a field of the value ("createdAt desc")."""
        return await finish(self._verbs.list(collection, filter, sort, limit, cursor))

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class SyncStore(_StoreBase):
    """The blocking Store."""

    @classmethod
    def _of(cls, owner: Owner) -> SyncStore:
        store = cls.__new__(cls)
        store._set(owner)
        return store

    def define(
        self,
        name: str,
        *,
        indexes: Sequence[Sequence[str]] = (),
        unique: Sequence[Sequence[str]] = (),
    ) -> None:
        """Defines a collection; again with more is additive."""
        wait(self._verbs.define(name, indexes, unique))

    def batch(
        self,
        writes: Iterable[Mapping[str, Any]] = (),
        jobs: Iterable[Mapping[str, Any]] = (),
    ) -> list[str]:
        """One transaction, all or nothing; returns the ids of the jobs."""
        return wait(self._verbs.batch(writes, jobs))

    def put(self, collection: str, id: str, value: Mapping[str, Any]) -> None:
        """Writes one value."""
        self.batch([{"put": collection, "id": id, "value": value}])

    def remove(self, collection: str, id: str) -> None:
        """Removes one value; it is no error when there is none."""
        self.batch([{"remove": collection, "id": id}])

    def get_many(self, collection: str, ids: Iterable[str]) -> list[dict[str, Any] | None]:
        """The values of at most 1,000 ids in their order, None where there is none."""
        return wait(self._verbs.get_many(collection, ids))

    def get(self, collection: str, id: str) -> dict[str, Any] | None:
        """One value, or None."""
        return self.get_many(collection, [id])[0]

    def list(
        self,
        collection: str,
        *,
        filter: Mapping[str, Any] | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Record]:
        """A page of {"id", "value"}, sorted by a field of the value."""
        return wait(self._verbs.list(collection, filter, sort, limit, cursor))

    def __enter__(self) -> SyncStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
