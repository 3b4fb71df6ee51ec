"""The claims of the demo: samples/claims.yaml becomes policies, accidents and what people do; telling is elsewhere."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from api.insurer.doors import application
from runtime.demo.people import Insurer, NotDone, Policy
from runtime.demo.stories import Act, Scene
from runtime.settings import PROJECT_ROOT

SAMPLE = PROJECT_ROOT / "samples" / "claims.yaml"
SIGNED_BEFORE = 60
"""Days: the policies of the claims have been running for two months."""
LATELY = 0.05  # seconds between two looks at an order on its way
LOOKS = 200
PROPOSER, APPROVER = "U1001", "U1002"
DONE_BEFORE = {
    "policy_uploaded": 2,
    "provider_named": 5,
    "plan_filed": 8,
    "plan_confirmed": 10,
    "service_completed": 30,
}
"""Days after signing on which everything the policy itself asks for was done."""


@dataclass
class Claim:
    """One claim of the sample, as it goes on."""

    told: Mapping[str, Any]
    policy: Policy
    id: str = ""
    victims: list[str] = field(default_factory=list)
    losses: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def number(self) -> str:
        return f"LP-{self.policy.number}"

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The insurer acts on the claim, today. Raises NotDone."""
        await self.policy.insurer.town.traveller.arrive(self.policy.workflow_id)
        answer = await self.policy.insurer.post(f"/v1/claims/{self.id}/{path}", body)
        if answer.is_error:
            raise NotDone(f"{self.number} {path}：{answer.status_code} {answer.text}")
        return answer.json()

    async def get(self, path: str = "") -> Any:
        return await self.policy.insurer.get(f"/v1/claims/{self.id}{path}")


async def open_claims(insurers: Mapping[str, Insurer], sample: Path = SAMPLE) -> list[Claim]:
    """The policies of the claims, in force for two months, with everything done that was due. Raises NotDone."""
    read = yaml.safe_load(sample.read_text(encoding="utf-8"))
    claims = [Claim(one, _policy(insurers, one, number)) for number, one in enumerate(read["claims"], 1)]
    await asyncio.gather(*(_open(claim, read["terms"]) for claim in claims))
    return claims


def acts_of(claim: Claim) -> Iterator[Act]:
    """What people do with the claim, by day."""
    for one in claim.told["acts"]:
        yield Act(one["day"], one["said"], _deed(claim, one))


def _policy(insurers: Mapping[str, Insurer], told: Mapping[str, Any], number: int) -> Policy:
    insured = told["insured"]
    code = told["insurer"]
    return Policy(
        insurer=insurers[code],
        id=UUID(int=0),
        number=f"{code}-2026-9{number:05d}",
        email=insured["email"],
        story=told["story"],
        name=insured["name"],
        region=told["region"],
    )


async def _open(claim: Claim, terms: Mapping[str, Any]) -> None:
    policy, today = claim.policy, claim.policy.insurer.town.today
    signed = today - timedelta(days=SIGNED_BEFORE)
    body = application(signed)
    facts = [{"event": event, "on": str(signed + timedelta(days=after))} for event, after in DONE_BEFORE.items()]
    changed = {"number": policy.number, "region": policy.region, **terms}
    answer = await policy.insurer.post(
        "/v1/policies",
        {"terms": {**body["terms"], **changed}, "insured": dict(claim.told["insured"]), "facts": facts},
    )
    if answer.is_error:
        raise NotDone(f"{policy.number}：{answer.status_code} {answer.text}")
    policy.id = UUID(answer.json()["id"])


def _deed(claim: Claim, told: Mapping[str, Any]) -> Any:
    async def deed(scene: Scene) -> None:
        if told.get("do") == "report":
            await _report(claim)
        elif "losses" in told:
            claim.losses = {line["id"]: line for line in _lines(claim, told["losses"])}
            await claim.post("assessment", {"lines": list(claim.losses.values())})
        elif "pay" in told:
            await _pay(claim, scene, told["pay"])
        elif "pay_each" in told:
            await _pay_each(claim, scene, told["pay_each"])
        else:
            await claim.post(told["post"], await _filled(told["body"], scene))

    return deed


async def _report(claim: Claim) -> None:
    policy = claim.policy
    town = policy.insurer.town
    accident = {**claim.told["accident"], "at": f"{town.today}T09:40:00+08:00"}
    await town.traveller.arrive(policy.workflow_id)
    complete = claim.told.get("documents_complete", True)
    body = {"number": claim.number, "accident": accident, "documents_complete": complete}
    answer = await policy.insurer.post(f"/v1/policies/{policy.id}/claims", body)
    if answer.is_error:
        raise NotDone(f"{claim.number}：{answer.status_code} {answer.text}")
    claim.id = answer.json()["id"]
    for number in range(1, claim.told["victims"] + 1):
        entry = {"employee": True, "name": f"样例{number}号", "bank_account": f"62000000000000{number:05d}"}
        claim.victims.append((await claim.post("victims", entry))["ref"])


def _lines(claim: Claim, told: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """A line for each victim named, its id with the victim's number; one line where nobody is."""
    for one in told:
        kept = {name: value for name, value in one.items() if name != "victims"}
        for number in one.get("victims", ()):
            yield {**kept, "id": f"{one['id']}-{number}", "person": claim.victims[number - 1]}
        if "victims" not in one:
            yield kept


async def _pay(claim: Claim, scene: Scene, told: Mapping[str, Any]) -> None:
    body = {name: told[name] for name in ("number", "kind", "purpose", "payee") if name in told}
    if "advance" in told:
        lines = [{"head": "medical", "amount": told["advance"], "person": claim.victims[0]}]
    else:
        lines = [_paid(claim.losses[line]) for line in told["lines"]]
    await _carry(claim, await _filled({**body, "lines": lines, "by_user": PROPOSER}, scene))


async def _pay_each(claim: Claim, scene: Scene, told: Mapping[str, Any]) -> None:
    """One payment for every line, which here is one for every victim."""
    for number, line in enumerate(claim.losses.values(), 1):
        one = {"number": f"{told['number']}-{number:03d}", "kind": told["kind"], "lines": [_paid(line)]}
        await _carry(claim, {**one, "by_user": PROPOSER})


def _paid(loss: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: loss[name] for name in ("head", "amount", "person") if name in loss}
    return {**named, "line": loss["id"]}


async def _carry(claim: Claim, body: Mapping[str, Any]) -> None:
    """Propose, approve by another person, wait for the order to leave, and let the core system confirm it."""
    number = body["number"]
    await claim.post("payments", body)
    await claim.post("payments/approval", {"number": number, "by_user": APPROVER})
    status = ""
    for _ in range(LOOKS):
        status = {one["number"]: one["status"] for one in (await claim.get())["payments"]}[number]
        if status == "instructed":
            await claim.post(f"payments/{number}/confirmation", {"result": "confirmed", "reference": f"BK-{number}"})
            return
        await asyncio.sleep(LATELY)
    raise NotDone(f"{claim.number} 付款 {number} 没有发出：{status}")


async def _filled(body: Any, scene: Scene) -> Any:
    """The body with today's day and a file handed in where the sample says so."""
    if isinstance(body, Mapping):
        return {name: await _filled(value, scene) for name, value in body.items()}
    if isinstance(body, list):
        return [await _filled(value, scene) for value in body]
    if body == "$file":
        return await scene.file("样例附件.pdf")
    return str(scene.town.today) if body == "$today" else body
