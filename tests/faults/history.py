"""The operation history: what callers asked, and what they were told: ok, fail, or info (unknown); kept outside."""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests.runtime.waiting import PATIENCE

PAUSE = 0.5  # seconds before an unknown outcome is asked for again
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
"""Of a case: made of its insurer and number."""
REPEATABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


class Outcome(StrEnum):
    """As in Jepsen: it happened, it did not, nobody knows."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass
class Operation:
    """One command under one key, however often it was sent; `answers` are the statuses in order, 0 for none."""

    caller: str
    owner: UUID
    path: str
    key: str
    invoked: float
    outcome: Outcome = Outcome.INFO
    ended: float | None = None
    answers: list[int] = field(default_factory=list)
    said: Any = None
    """The last body: the view where it is ok, the problem otherwise."""

    @property
    def seconds(self) -> float:
        """From the first sending to the answer that settled it."""
        return (self.ended or time.monotonic()) - self.invoked

    @property
    def command_id(self) -> str:
        return f"{self.owner}:{self.key}"


@dataclass
class History:
    """Every operation in the order it was begun, and the cases that were named in the answers to each caller."""

    operations: list[Operation] = field(default_factory=list)
    seen: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    def saw(self, asker: UUID, text: str) -> None:
        """Keep which cases an answer names; whose they are is checked at the end."""
        self.seen[asker].update(UUID(one) for one in ID.findall(text))

    async def heard(self, code: str, owner: UUID, answer: httpx.Response) -> None:
        """Keep one answer to one sending, for callers that do not repeat by themselves."""
        await answer.aread()
        self.saw(owner, answer.text)
        key = answer.request.headers.get("Idempotency-Key")
        if key is not None:
            path, now = answer.request.url.path, time.monotonic()
            ended = outcome_of(answer)
            self.operations.append(Operation(code, owner, path, key, now, ended, now, [answer.status_code]))

    def of(self, outcome: Outcome) -> Iterator[Operation]:
        return (one for one in self.operations if one.outcome is outcome)

    def count(self, outcome: Outcome) -> int:
        return sum(1 for _ in self.of(outcome))

    def save(self, path: Path) -> None:
        """One operation a line."""
        lines = (json.dumps({**asdict(one), "said": None}, default=str) for one in self.operations)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass
class Voice:
    """A caller with a key who repeats under the same Idempotency-Key what nobody could answer (promises.md P2)."""

    http: httpx.AsyncClient
    code: str
    id: UUID
    token: str
    history: History
    patience: float = PATIENCE
    """Seconds after which an unknown outcome is left unknown."""

    async def post(self, path: str, body: Any, key: str, patience: float | None = None) -> Operation:
        """Until it is ok or refused, or patience ends."""
        told = Operation(self.code, self.id, path, key, time.monotonic())
        self.history.operations.append(told)
        ends = told.invoked + (self.patience if patience is None else patience)
        while True:
            await self._once(told, body)
            if told.outcome is not Outcome.INFO or time.monotonic() >= ends:
                told.ended = time.monotonic()
                return told
            await asyncio.sleep(PAUSE)

    async def get(self, path: str) -> Any:
        """The answer's JSON; `None` where there is none now."""
        try:
            answer = await self.http.get(path, headers=self._headers())
        except httpx.HTTPError:
            return None
        self.history.saw(self.id, answer.text)
        return answer.json() if answer.is_success else None

    async def upload(self, content: bytes, key: str, patience: float = PATIENCE) -> None:
        """A PDF, until it is there."""
        headers = {**self._headers(key), "Content-Type": "application/pdf"}
        async with asyncio.timeout(patience):
            while not (await self.http.post("/v1/files", content=content, headers=headers)).is_success:
                await asyncio.sleep(PAUSE)

    async def _once(self, told: Operation, body: Any) -> None:
        try:
            answer = await self.http.post(told.path, json=body, headers=self._headers(told.key))
        except httpx.HTTPError:
            told.answers.append(0)
            return
        told.answers.append(answer.status_code)
        self.history.saw(self.id, answer.text)
        told.said, told.outcome = _read(answer), outcome_of(answer)

    def _headers(self, key: str | None = None) -> dict[str, str]:
        named = {} if key is None else {"Idempotency-Key": key}
        return {"Authorization": f"Bearer {self.token}", **named}


def outcome_of(answer: httpx.Response) -> Outcome:
    """What an answer says of the command."""
    if answer.is_success:
        return Outcome.OK
    return Outcome.INFO if answer.status_code in REPEATABLE else Outcome.FAIL


def _read(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
