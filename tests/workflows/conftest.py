"""A worker with fakes of the ports for every test of this room."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.workflows.cases import Office, working


@pytest.fixture
async def office(temporal: Client, task_queue: str) -> AsyncIterator[Office]:
    async with working(Office(temporal, task_queue)) as open_office:
        yield open_office
