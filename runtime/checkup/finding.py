"""What one look at the running system found, and the order of the looks; what is looked at is in the other files."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runtime.leaving import NoServer
from runtime.settings import SettingMissing

WITHIN = 8.0  # seconds for one look; what takes longer is a finding of its own


class State(StrEnum):
    """How serious it is; only `bad` makes the command fail."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"

    @property
    def label(self) -> str:
        return {"good": "正常", "note": "留意", "bad": "异常"}[self.value]


@dataclass(frozen=True)
class Finding:
    """A sentence for operators, and where it says what to do."""

    about: str
    state: State
    says: str
    runbook: str = ""
    """File of docs/runbooks."""


Look = Callable[[], Awaitable[list[Finding]]]


@dataclass(frozen=True)
class Part:
    """One part of the system, looked at as one."""

    about: str
    look: Look
    runbook: str


async def examined(parts: Sequence[Part], heard: Callable[[], None]) -> list[Finding]:
    """Every part at once; a look that fails or takes too long is a finding, never the end of the others."""

    async def one(part: Part) -> list[Finding]:
        try:
            async with asyncio.timeout(WITHIN):
                return await part.look()
        except TimeoutError:
            return [Finding(part.about, State.BAD, f"{WITHIN:.0f} 秒内没有答复", part.runbook)]
        except (NoServer, SettingMissing) as failure:  # says what to do
            return [Finding(part.about, State.BAD, str(failure.args[0]), part.runbook)]
        except Exception as failure:  # whatever it is, it is what the doctor was called for
            return [Finding(part.about, State.BAD, f"查不了：{type(failure).__name__}", part.runbook)]
        finally:
            heard()

    return [finding for found in await asyncio.gather(*(one(part) for part in parts)) for finding in found]


def good(about: str, says: str) -> Finding:
    return Finding(about, State.GOOD, says)


def judged(about: str, holds: bool, said: tuple[str, str], runbook: str, otherwise: State = State.BAD) -> Finding:
    """One of two sentences: what is said where it holds, and where it does not."""
    return good(about, said[0]) if holds else Finding(about, otherwise, said[1], runbook)
