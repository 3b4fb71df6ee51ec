"""What callers do in the fault tests: whole lives with a hazard, whole claims, over HTTP with fixed keys."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from api.claims.doors import losses, payment, report
from api.insurer.doors import DOORS, SAMPLE_FILE, application
from bench.cast import credit_code
from bench.claim import AGREED, PERSON, SURVEY
from bench.midnight import REGION, TERM
from domain.calendar import local_date
from models.contracts import ids
from tests.faults.history import Operation, Outcome, Voice
from tests.runtime.waiting import PATIENCE

WALK = ("upload", "provider", "plan", "plan/confirmation", "visits")
MENDED = ("rectification", "recheck")
END = "service-completion"
HAZARD = "H-001"
LIMITS = {**AGREED, "limit_per_accident": "2000000.00", "limit_aggregate": "5000000.00"}
"""Of a claim of the bench, but such as may be reached."""


class Untold(RuntimeError):
    """A command was refused, or its outcome stayed unknown: the life cannot go on."""


class Author:
    """Leads lives in the name of callers; every key is made of the number, so that a repeat is a repeat."""

    def __init__(self, today: date) -> None:
        self.day = self._today = today
        self.today = str(today)
        self._bodies = {door.path: door.example(today) for door in DOORS}

    async def sample(self, voice: Voice) -> None:
        """The file every life refers to."""
        await voice.upload(SAMPLE_FILE, "sample")

    async def open(self, voice: Voice, number: int, **terms: Any) -> UUID:
        """A policy; its id."""
        name = f"F-{number:06d}"
        asked = application(self._today)
        insured = asked["insured"] | {"credit_code": credit_code(number), "email": f"safety@e{number}.example"}
        body = {"terms": asked["terms"] | {"number": name, **terms}, "insured": insured}
        await self._done(voice, "/v1/policies", body, f"{number}-open")
        return ids.policy_id(voice.id, name)

    async def open_due(self, voice: Voice, number: int, due: datetime) -> UUID:
        """A policy of the bench's place, whose only term ends at this instant."""
        signed, begins = due - TERM, local_date(due - TERM)
        terms = {"region": REGION, "signed_at": signed.isoformat(timespec="seconds"), "effective_on": str(begins)}
        return await self.open(voice, number, **terms, expires_on=str(begins + timedelta(days=364)))

    async def act(self, voice: Voice, policy: UUID, number: int, path: str) -> Operation:
        """One command of the policy, with its example."""
        return await self._done(voice, f"/v1/policies/{policy}/{path}", self._bodies[path], f"{number}-{path}")

    async def life(self, voice: Voice, number: int) -> UUID:
        """From the opening to the completed service, with one hazard mended. Raises Untold."""
        policy = await self.open(voice, number)
        for path in WALK:
            await self.act(voice, policy, number, path)
        hazard = ids.hazard_id(policy, HAZARD)
        for path in MENDED:
            await self._done(voice, f"/v1/hazards/{hazard}/{path}", self._bodies[path], f"{number}-{path}")
        await self.act(voice, policy, number, END)
        return policy

    async def claim(self, voice: Voice, number: int, within: float = PATIENCE) -> str:
        """A policy, an accident, one payment approved and paid; the claim's path. Raises Untold, TimeoutError."""
        policy, name = await self.open(voice, number, **LIMITS), f"C-{number:06d}"
        claim = f"/v1/claims/{ids.claim_id(voice.id, name)}"

        async def done(path: str, body: Any) -> Operation:
            return await self._done(voice, f"{claim}/{path}", body, f"{number}-{path}")

        reported = {**report(self._today), "number": name}
        await self._done(voice, f"/v1/policies/{policy}/claims", reported, f"{number}-report")
        ref = (await done("victims", PERSON)).said["ref"]
        await done("survey", SURVEY)
        await done("assessment", {"lines": losses(ref)})
        await done("determination", {"covered": True, "note": "属于保险责任"})
        await done("payments", {**payment(ref), "number": name})
        await done("payments/approval", {"number": name, "by_user": "U1002"})
        await self.paid(voice, claim, within)
        return claim

    async def paid(self, voice: Voice, claim: str, within: float) -> None:
        """Until the bank has confirmed; asks as often as it takes. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                view = await voice.get(claim)
                if view is not None and view["payments"][0]["status"] == "confirmed":
                    return
                await asyncio.sleep(0.2)

    async def _done(self, voice: Voice, path: str, body: Any, key: str) -> Operation:
        told = await voice.post(path, body, key)
        if told.outcome is not Outcome.OK:
            raise Untold(f"{path} {key}: {told.answers} {told.said}")
        return told
