"""How claims are reported and settled over HTTP, for the tests of the API; no test is here."""

import asyncio
from typing import Any

from httpx import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from api.claims.doors import DOORS, losses, payment, report
from api.keys import KeyFor, mint_key
from api.words import Scope
from models.contracts.vocabulary import ActorKind
from tests.api.conftest import Caller, sample_file, terms, today
from tests.runtime.waiting import PATIENCE

PERSON = {"employee": True, "name": "张某", "bank_account": "6200000000000000000"}
EXAMPLES = {door.path: door.example for door in DOORS}
TERMS = {
    "limit_per_person": "600000.00",
    "limit_per_accident": "2000000.00",
    "limit_aggregate": "5000000.00",
    "limit_rescue": "300000.00",
    "claim_terms": {"four_eyes_above": {"value": "50000.00", "source": "特别约定第三条"}},
}
"""A contract whose limits are known, and which wants two persons above fifty thousand."""


async def trusted(caller: Caller, admin: AsyncEngine, *scopes: Scope) -> Caller:
    """The same insurer with a key that may do more."""
    async with admin.begin() as connection:
        holder = KeyFor(ActorKind.INSURER, "理赔系统", insurer_id=caller.id, scopes=tuple(one.value for one in scopes))
        minted = await mint_key(connection, holder)
    return Caller(caller.http, minted.token, caller.id, caller.code)


async def insured(caller: Caller, number: str = "PA-1", **changed: Any) -> str:
    """A policy in force, its id."""
    answer = await caller.post("/v1/policies", terms(number, **{**TERMS, **changed}))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def reported(caller: Caller, policy_id: str, number: str = "C-1", **changed: Any) -> str:
    """A claim, its id."""
    answer = await caller.post(f"/v1/policies/{policy_id}/claims", {**report(today()), "number": number, **changed})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def victim(caller: Caller, claim_id: str, **changed: Any) -> str:
    """A victim of the claim, by reference."""
    answer = await caller.post(f"/v1/claims/{claim_id}/victims", {**PERSON, **changed})
    assert answer.status_code == 201, answer.text
    return answer.json()["ref"]


async def tried(caller: Caller, claim_id: str, path: str, body: Any = None) -> Response:
    """A command with its example, or with another body."""
    given = EXAMPLES[path](today()) if body is None else body
    return await caller.post(f"/v1/claims/{claim_id}/{path}", given)


async def done(caller: Caller, claim_id: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = await tried(caller, claim_id, path, body)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


async def agreed(caller: Caller, number: str = "C-1") -> tuple[str, str]:
    """A claim of 102 000 yuan of one victim, agreed upon; claim and victim."""
    await sample_file(caller)
    claim_id = await reported(caller, await insured(caller, f"PA-{number}"), number)
    ref = await victim(caller, claim_id)
    await done(caller, claim_id, "survey")
    await done(caller, claim_id, "assessment", {"lines": losses(ref)})
    await done(caller, claim_id, "determination")
    await done(caller, claim_id, "settlement")
    return claim_id, ref


async def instructed(caller: Caller, claim_id: str, ref: str, number: str = "P-1") -> None:
    """The whole sum proposed by one person, approved by another, on its way."""
    await done(caller, claim_id, "payments", {**payment(ref), "number": number})
    await done(caller, claim_id, "payments/approval", {"number": number, "by_user": "U1002"})
    await until(caller, claim_id, number, "instructed")


async def until(caller: Caller, claim_id: str, number: str, status: str) -> dict[str, Any]:
    """The order is carried out beside the answer; wait for it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            view = (await caller.get(f"/v1/claims/{claim_id}")).json()
            if {one["number"]: one["status"] for one in view["payments"]}[number] == status:
                return view
            await asyncio.sleep(0.05)
