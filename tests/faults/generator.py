"""What callers do while the nemesis is at work: lives, claims, repeats and looks at others' cases, by seed."""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from runtime.core_system import CoreSystem
from tests.faults.history import Operation, Outcome, Voice
from tests.faults.lives import Author, Untold

CLAIMS, TERMS = 0.3, 0.2
"""Shares of claims, and of policies that are only opened and left to their term, among the lives."""
PAID_WITHIN = 240.0  # seconds; a lost worker and an away bank are waited for


class Clerk(Author):
    """An author who, as a person of the insurer would, looks into the bank's books where an outcome is unknown."""

    def __init__(self, author: Author, bank: CoreSystem) -> None:
        super().__init__(author.day)
        self._bank = bank

    async def paid(self, voice: Voice, claim: str, within: float) -> None:
        asked = 0
        async with asyncio.timeout(within):
            while True:
                view = await voice.get(claim)
                payment = view["payments"][0] if view else {"status": "", "number": ""}
                if payment["status"] in ("confirmed", "failed"):
                    return
                if payment["status"] == "unknown":
                    asked += 1
                    await self._looked_up(voice, claim, payment["number"], asked)
                await asyncio.sleep(0.3)

    async def _looked_up(self, voice: Voice, claim: str, number: str, asked: int) -> None:
        """What the books say is told to the case under the bank's own reference."""
        paid = next((one for key, one in self._bank.payments.items() if key.endswith(f":{number}")), None)
        said = (
            {"result": "confirmed", "reference": paid.reference}
            if paid and paid.reference
            else {"result": "refused", "code": "not-in-the-books"}
        )
        await voice.post(f"{claim}/payments/{number}/confirmation", said, f"{number}-looked-up-{asked}")


class Callers:
    """Any number of callers at work until told to stop; what each does depends on the seed and on nothing else."""

    def __init__(self, voices: list[Voice], clerk: Clerk, seed: int, due_after: tuple[float, float]) -> None:
        self._voices, self._clerk, self._seed = voices, clerk, seed
        self._due_after = due_after
        """Seconds after the opening at which a term ends that is left to itself."""
        self._numbers = count(1)
        self._done: list[tuple[Voice, Operation, Any]] = []
        self.stopped = False
        self.lives, self.claims, self.left = 0, 0, 0
        """Led to their end; and left because an outcome stayed unknown or was refused."""
        self.dues: dict[UUID, datetime] = {}
        """When the term of each policy ends that was opened for that alone."""
        self.differing: list[str] = []
        """Repeats that were answered otherwise than the first time."""
        self.foreign: list[str] = []
        """Cases of others that were shown."""

    async def work(self, amount: int) -> None:
        """Until `stopped`; lives that have begun are led to their end."""
        await asyncio.gather(*(self._caller(number) for number in range(amount)))

    async def _caller(self, which: int) -> None:
        chance = random.Random(f"{self._seed}-{which}")
        voice = self._voices[which % len(self._voices)]
        while not self.stopped:
            await self._one(voice, chance, next(self._numbers))
            await asyncio.sleep(chance.uniform(0.0, 1.0))

    async def _one(self, voice: Voice, chance: random.Random, number: int) -> None:
        try:
            share = chance.random()
            if share < CLAIMS:
                await self._clerk.claim(voice, number, PAID_WITHIN)
                self.claims += 1
            elif share < CLAIMS + TERMS:
                due = (datetime.now(UTC) + timedelta(seconds=chance.uniform(*self._due_after))).replace(microsecond=0)
                self.dues[await self._clerk.open_due(voice, number, due)] = due
            else:
                policy = await self._clerk.life(voice, number)
                self.lives += 1
                await self._repeat(voice, policy, number)
        except (Untold, TimeoutError):
            self.left += 1
        with suppress(Untold):
            await self._look_at_others(voice)

    async def _repeat(self, voice: Voice, policy: UUID, number: int) -> None:
        """The same command under the same key is given the same answer, whatever happened meanwhile."""
        first = next(one for one in voice.history.operations if one.key == f"{number}-upload")
        again = await self._clerk.act(voice, policy, number, "upload")
        if again.said != first.said:
            self.differing.append(again.key)

    async def _look_at_others(self, voice: Voice) -> None:
        """A case of another insurer is answered as one that does not exist."""
        others = [one for one in voice.history.of(Outcome.OK) if one.owner != voice.id and one.path.endswith("/upload")]
        if others and await voice.get(others[-1].path.removesuffix("/upload")) is not None:
            self.foreign.append(others[-1].path)
        await voice.get("/v1/policies")
