"""Fixtures.

Every test of the library itself is skipped, with the reason, where the library is missing.
"""

from __future__ import annotations

import pytest
import pytest_asyncio
from support import ROOMY

import mediagen


def _missing() -> str | None:
    try:
        mediagen.version()
    except OSError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = _missing()
    if reason is None:
        return
    for item in items:
        if item.get_closest_marker("pure") is None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def data_dir(tmp_path):
    return str(tmp_path / "data")


@pytest_asyncio.fixture
async def engine(data_dir):
    opened = mediagen.Engine(ROOMY, data_dir=data_dir)
    yield opened
    await opened.close(grace_ms=0)


@pytest.fixture
def blocking(data_dir):
    opened = mediagen.SyncEngine(ROOMY, data_dir=data_dir)
    yield opened
    opened.close(grace_ms=0)
