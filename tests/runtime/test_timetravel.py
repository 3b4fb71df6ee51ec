"""The one present of a story: whatever begins in it begins there, also what was looked for before it was there."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.testing import TimeSkipper

from models.tables.engine import make_engine
from runtime.settings import Settings
from runtime.timetravel import Traveller


async def test_who_was_to_be_moved_before_it_had_begun_begins_in_the_present(
    temporal: Client, settings: Settings, task_queue: str
) -> None:
    """A letter comes back, and its notice waits for another office before that office's mailroom is woken."""
    engine, name = make_engine(settings.database, 1), f"{task_queue}/mailroom"
    traveller = Traveller(temporal, engine)
    traveller.set(traveller.now() + timedelta(days=10))
    await traveller.travel(name)
    begun = await traveller.client.start_workflow("nobody serves it", id=name, task_queue=task_queue)
    reached = await TimeSkipper(temporal).get_current_time(begun)
    assert abs(reached - traveller.now()) < timedelta(days=1)
    await begun.terminate()
    await engine.dispose()
