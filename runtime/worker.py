"""The worker process: connects to Temporal and serves the internal port."""

import asyncio

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.metrics import InternalPort, temporal_runtime
from runtime.search import ensure_search_attributes, search_attributes
from runtime.settings import Settings


async def run(settings: Settings) -> None:
    """Work until cancelled."""
    client = await Client.connect(
        **settings.temporal_connect_config(),  # pyright: ignore[reportArgumentType] - a narrower dictionary
        data_converter=pydantic_data_converter,
        runtime=temporal_runtime(settings),
    )
    await ensure_search_attributes(client, search_attributes())
    internal = InternalPort(settings.bind, settings.worker_metrics_port, lambda: True)
    try:
        await asyncio.Event().wait()
    finally:
        internal.close()
