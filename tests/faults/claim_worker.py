"""A worker in a process of its own, for tests that kill it; its settings come from the environment."""

import asyncio

from runtime import worker
from runtime.settings import Settings

if __name__ == "__main__":
    asyncio.run(worker.run(Settings()))
