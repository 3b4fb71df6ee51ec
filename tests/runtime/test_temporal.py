"""The Temporal launcher: remembers across kills, registers search attributes, travels in time."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from runtime.embedded.ports import LOOPBACK, PortTaken, free_ports
from runtime.embedded.temporal import TemporalServer
from runtime.search import SearchAttributeConflict, ensure_search_attributes

KEYS = [
    SearchAttributeKey.for_keyword("TestWord"),
    SearchAttributeKey.for_datetime("TestInstant"),
    SearchAttributeKey.for_keyword_list("TestWords"),
]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TemporalServer]:
    port, ui_port = free_ports(2)
    server = TemporalServer(port, ui_port, tmp_path / "temporal" / "temporal.db", attributes=KEYS)
    await server.start()
    yield server
    await server.stop()


async def registered(address: str) -> set[str]:
    client = await Client.connect(address)
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    return set(answer.custom_attributes)


async def test_a_killed_server_starts_again_at_once_and_remembers(server: TemporalServer) -> None:
    client = await Client.connect(server.address)
    await client.start_workflow("Unserved", id="case/1", task_queue="nobody")
    assert server.child is not None
    os.kill(server.child.pid, signal.SIGKILL)

    await server.start()

    again = await Client.connect(server.address)
    assert (await again.get_workflow_handle("case/1").describe()).id == "case/1"
    assert {key.name for key in KEYS} <= await registered(server.address)


async def test_search_attributes_reach_a_server_that_runs_already(server: TemporalServer) -> None:
    client = await Client.connect(server.address)
    late = [*KEYS, SearchAttributeKey.for_int("TestLate")]
    await ensure_search_attributes(client, late)
    await ensure_search_attributes(client, late)
    assert "TestLate" in await registered(server.address)


async def test_a_search_attribute_of_another_type_is_refused_by_name(server: TemporalServer) -> None:
    client = await Client.connect(server.address)
    with pytest.raises(SearchAttributeConflict, match="TestWord"):
        await ensure_search_attributes(client, [SearchAttributeKey.for_int("TestWord")])


async def test_every_port_of_the_server_is_on_this_machine_only(server: TemporalServer) -> None:
    assert server.child is not None
    sockets = psutil.Process(server.child.pid).net_connections("inet")
    assert {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN} == {LOOPBACK}


async def test_a_taken_port_is_named_with_its_setting(server: TemporalServer) -> None:
    with pytest.raises(PortTaken, match=rf"(?s){server.port}.*ANZE_TEMPORAL_PORT"):
        await TemporalServer(server.port).start()
    assert server.ui_port is not None
    with pytest.raises(PortTaken, match=rf"(?s){server.ui_port}.*ANZE_TEMPORAL_UI_PORT"):
        await TemporalServer(free_ports(1)[0], server.ui_port).start()
