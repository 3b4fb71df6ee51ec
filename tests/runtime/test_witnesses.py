"""Processes that start together before anything is sealed: those with other keys than the first do not start."""

import asyncio

from pydantic import SecretStr

from models.tables.engine import make_engine
from models.tables.sealed import new_key
from runtime.settings import Settings
from runtime.witnesses import WrongKeys, prove


async def test_of_processes_that_start_together_with_different_keys_one_alone_goes_on(settings: Settings) -> None:
    names = ("k1", "k1", "k1", "k2", "k3")
    all_of_them = [settings.model_copy(update={"field_keys": SecretStr(f"{name}:{new_key()}")}) for name in names]
    engine = make_engine(settings.database, len(names))
    ends = await asyncio.gather(*(prove(engine, mine) for mine in all_of_them), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [WrongKeys] * (len(names) - 1)
    first = all_of_them[ends.index(None)]
    await prove(engine, first)
    await engine.dispose()
