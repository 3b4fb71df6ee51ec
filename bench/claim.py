"""One whole claim through HTTP on the fast path: report, victim, survey, assess, determine, pay, confirm, close."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from api.claims.doors import losses, payment, report
from api.insurer.doors import application
from bench.cast import Insurer, credit_code
from bench.measure import Load
from bench.wire import Wire
from models.contracts import ids

FIRST_ENTERPRISE = 700_000
AGREED = {
    "limit_per_person": "600000.00",
    "limit_per_accident": "900000000.00",
    "limit_aggregate": "9000000000000.00",
    "claim_terms": {
        "small_fast_threshold": {"value": "200000.00", "source": "bench"},
        "small_fast_days": {"value": 3, "source": "bench"},
    },
}
PERSON = {"employee": True, "name": "某", "bank_account": "6200000000000000000"}
SURVEY = {"facts_true": True, "liability_clear": True, "note": "bench"}
LOOK = 0.01  # seconds between two looks at an order on its way


@dataclass
class ClaimTimes:
    """How long each command took, in seconds, and which claims were led to their end."""

    by_command: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cases: list[str] = field(default_factory=list)

    def all(self) -> list[float]:
        return [took for times in self.by_command.values() for took in times]


class Claims:
    """Claims led by a number of callers at once, each under a policy of its own."""

    def __init__(self, api_url: str, holders: Sequence[Insurer], today: date) -> None:
        self._api_url, self._holders, self._today = api_url, holders, today
        self._policies, self._numbers = itertools.count(1), itertools.count(1)

    async def lead(self, load: Load) -> ClaimTimes:
        """Lead claims until there are enough or the time is over."""
        times, left = ClaimTimes(), load.turns()
        holders = itertools.cycle(self._holders)
        await asyncio.gather(*(self._caller(left, next(holders), times) for _ in range(load.callers)))
        return times

    async def _caller(self, left: Iterator[int], holder: Insurer, times: ClaimTimes) -> None:
        wire = Wire(self._api_url, holder.token)
        policy = await self._policy(wire, next(self._policies))
        for _ in left:
            await self._one(wire, holder, policy, times)
        await wire.close()

    async def _policy(self, wire: Wire, number: int) -> str:
        asked = application(self._today)
        terms = {**asked["terms"], **AGREED, "number": f"K-{number:06d}"}
        insured = asked["insured"] | {"credit_code": credit_code(FIRST_ENTERPRISE + number)}
        return (await wire.post("/v1/policies", {"terms": terms, "insured": insured}, f"policy-{number}"))["id"]

    async def _one(self, wire: Wire, holder: Insurer, policy: str, times: ClaimTimes) -> None:
        number = f"K-{next(self._numbers):06d}"
        claim = f"/v1/claims/{ids.claim_id(holder.id, number)}"

        async def timed(name: str, path: str, body: Any) -> Any:
            began = time.perf_counter()
            answer = await wire.post(path, body, f"{number}-{name}")
            times.by_command[name].append(time.perf_counter() - began)
            return answer

        await timed("report", f"/v1/policies/{policy}/claims", {**report(self._today), "number": number})
        ref = (await timed("victim", f"{claim}/victims", PERSON))["ref"]
        await timed("survey", f"{claim}/survey", SURVEY)
        await timed("assess", f"{claim}/assessment", {"lines": losses(ref)})
        await timed("determine", f"{claim}/determination", {"covered": True, "note": "bench"})
        await timed("propose", f"{claim}/payments", {**payment(ref), "number": number})
        await timed("approve", f"{claim}/payments/approval", {"number": number, "by_user": "U1002"})
        await _until_instructed(wire, claim)
        said = {"result": "confirmed", "reference": f"BK-{number}"}
        await timed("confirm", f"{claim}/payments/{number}/confirmation", said)
        times.cases.append(ids.claim_workflow_id(holder.code, number))


async def _until_instructed(wire: Wire, claim: str) -> None:
    """The order is carried out beside the answer to the approval."""
    while (await wire.send("GET", claim, b"", {}))["payments"][0]["status"] != "instructed":
        await asyncio.sleep(LOOK)
