"""The ground of the fault tests: a Temporal that may be killed, proxies on every line, callers, a history."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from runtime.embedded.mail import MailCatcher
from runtime.settings import Settings
from tests.conftest import Database
from tests.faults.ground import Ground, ground_on

Measured = Callable[[str, object], None]


@pytest.fixture
async def ground(settings: Settings, database: Database, mailbox: MailCatcher, tmp_path: Path) -> AsyncIterator[Ground]:
    """Everything but worker and web; they are started by the test, inside or as children."""
    async with AsyncExitStack() as leaving:
        yield await ground_on(leaving, settings, database, mailbox, tmp_path)
    # What was cut off in the middle leaves unfinished greenlets behind; collected while Python parses a module (pytest
    # rewrites assertions), they make it lose count of its recursion and raise SystemError. So they are collected here.
    gc.collect()


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """Keeps a figure for the table of docs/reliability.md: a few words, and what was measured."""

    def keep(words: str, figure: object) -> None:
        shown = f"{figure:.1f}" if isinstance(figure, float) else str(figure)
        record_property("measured", f"{words} {shown}")

    return keep
