"""How a command reaches Temporal; the worker and the web server have connections of their own."""

from temporalio.client import Client

from runtime import addresses
from runtime.codec import converter
from runtime.leaving import NoServer
from runtime.settings import Settings


async def temporal(settings: Settings) -> Client:
    """A client of the server that was given, else of the one in this folder. Raises NoServer if none answers.

    Not the worker's connection, which brings the port of its metrics.
    """
    target = addresses.with_temporal(settings).temporal_connect_config()
    try:
        return await Client.connect(**target, data_converter=converter(settings))  # pyright: ignore[reportArgumentType]
    except RuntimeError as failure:
        where = target.get("target_host")
        raise NoServer(
            f"流程引擎 {where} 没有答复：本机先 make up；服务器上看 TEMPORAL_ADDRESS 与 docs/runbooks/temporal.md"
            f" / Temporal does not answer: {failure}"
        ) from failure
