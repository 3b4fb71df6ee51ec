"""How a command reaches Temporal; the worker and the web server have connections of their own."""

from temporalio.client import Client

from runtime import addresses
from runtime.codec import converter
from runtime.settings import Settings


async def temporal(settings: Settings) -> Client:
    """A client of the server that was given, else of the one in this folder. Raises RuntimeError if none answers.

    Not the worker's connection, which brings the port of its metrics.
    """
    target = addresses.with_temporal(settings).temporal_connect_config()
    return await Client.connect(**target, data_converter=converter(settings))  # pyright: ignore[reportArgumentType]
