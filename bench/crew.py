"""Worker processes of the bench's own: the bare floor, and the house without its letter carrier or with bench rules."""

import asyncio
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.nudger import Nudger
from bench.floor import QUEUE, FloorWorkflow
from models.tables.engine import make_engine
from rules.library import CALENDARS, Library
from rules.library import PACKS as LAW
from runtime.codec import converter
from runtime.sandbox import keep_bytecode, serving
from runtime.services import collect_seldom, event_loop, until_told
from runtime.settings import Settings
from runtime.worker import CONNECTIONS, make_worker

PACKS = Path(__file__).resolve().parent / "packs"
READY = "at work"


async def floor(settings: Settings) -> None:
    """The floor's workflow, in the same sandbox with the same converter."""
    client = await _client(settings)
    async with Worker(client, task_queue=QUEUE, workflows=[FloorWorkflow], workflow_runner=serving(), build_id="floor"):
        print(READY, flush=True)
        await asyncio.Event().wait()


async def quiet(settings: Settings) -> None:
    """Everything of the house, but nobody carries nudges: notices lie in the outbox."""
    await _house(settings, carries=False)


async def midnight(settings: Settings) -> None:
    """Everything of the house."""
    await _house(settings, carries=True)


async def _house(settings: Settings, *, carries: bool) -> None:
    client, engine = await _client(settings), make_engine(settings.database, CONNECTIONS)
    rules = Library(LAW, CALENDARS, (PACKS,))
    async with make_worker(client, engine, settings, rules):
        print(READY, flush=True)
        nudger = Nudger(engine, client, settings.task_queue, settings.base_url)
        await (nudger.run() if carries else asyncio.Event().wait())


async def _client(settings: Settings) -> Client:
    return await Client.connect(str(settings.temporal_address), data_converter=converter(settings))


ROLES = {"floor": floor, "quiet": quiet, "midnight": midnight}

if __name__ == "__main__":
    settings = Settings()
    keep_bytecode(settings.var)
    collect_seldom()
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(until_told(ROLES[sys.argv[1]](settings)))
