"""One whole life through HTTP: open, upload, name, plan, confirm, visit with one hazard, rectify, recheck, complete."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from api.insurer.doors import DOORS, application
from bench.cast import Insurer, credit_code
from bench.measure import Load
from bench.wire import Wire
from models.contracts import ids

WALK = ("upload", "provider", "plan", "plan/confirmation", "visits")
MENDED = ("rectification", "recheck")
END = "service-completion"
COMMANDS = 1 + len(WALK) + len(MENDED) + 1
POLICY_UPDATES = 1 + len(WALK) + 1
HAZARD_UPDATES = 1 + len(MENDED)
"""With the one the policy opens the hazard with."""
HAZARD = "H-001"


@dataclass
class Times:
    """How long each command took, in seconds, by its path."""

    by_command: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cases: list[tuple[str, str]] = field(default_factory=list)
    """The workflow ids of each life that was led to its end: policy and hazard."""

    repeated: int = 0
    """Answers of unknown outcome, repeated under the same key."""

    def all(self) -> list[float]:
        return [took for times in self.by_command.values() for took in times]


class Lives:
    """Lives that are led by a number of callers at once; numbers never repeat within one bench."""

    def __init__(self, api_url: str, holders: Sequence[Insurer], today: date) -> None:
        self._api_url, self._holders, self._today = api_url, holders, today
        self._numbers = itertools.count(1)
        self._bodies = {door.path: door.example(today) for door in DOORS}

    async def lead(self, load: Load) -> Times:
        """Lead lives until there are enough or the time is over."""
        times, left = Times(), load.turns()
        holders = itertools.cycle(self._holders)
        await asyncio.gather(*(self._caller(left, next(holders), times) for _ in range(load.callers)))
        return times

    async def _caller(self, left: Iterator[int], holder: Insurer, times: Times) -> None:
        wire = Wire(self._api_url, holder.token)
        for _ in left:
            await self._one(wire, holder, next(self._numbers), times)
        times.repeated += wire.repeated
        await wire.close()

    async def _one(self, wire: Wire, holder: Insurer, number: int, times: Times) -> None:
        policy = f"B-{number:06d}"
        case_id = ids.policy_id(holder.id, policy)
        hazard_id = ids.hazard_id(case_id, HAZARD)
        steps: list[tuple[str, str, Any]] = [("open", "/v1/policies", self._application(policy, number))]
        steps += [(path, f"/v1/policies/{case_id}/{path}", self._bodies[path]) for path in WALK]
        steps += [(path, f"/v1/hazards/{hazard_id}/{path}", self._bodies[path]) for path in MENDED]
        steps += [(END, f"/v1/policies/{case_id}/{END}", self._bodies[END])]
        for name, path, body in steps:
            began = time.perf_counter()
            await wire.post(path, body, f"{number}-{name}")
            times.by_command[name].append(time.perf_counter() - began)
        times.cases.append(
            (ids.policy_workflow_id(holder.code, policy), ids.hazard_workflow_id(holder.code, policy, HAZARD))
        )

    def _application(self, policy: str, number: int) -> dict[str, Any]:
        asked = application(self._today)
        insured = asked["insured"] | {"credit_code": credit_code(number), "email": f"safety@e{number}.example"}
        return {"terms": asked["terms"] | {"number": policy}, "insured": insured}
