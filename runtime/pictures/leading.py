"""Leads sample cases as far as a page is to show them, by the API alone; who looks at them is not known here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from api.claims.doors import DOORS as CLAIM_DOORS
from api.claims.doors import losses, payment, report
from api.insurer.doors import DOORS, application
from models.contracts import ids
from models.contracts.vocabulary import CaseKind, Sector

Post = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Sends JSON to a path in the name of one insurer and gives the answer."""
Until = Literal[
    "signed", "uploaded", "planned", "agreed", "visited", "served", "mended", "settled", "proposed", "ended"
]
WALK: tuple[tuple[Until, tuple[str, ...]], ...] = (
    ("uploaded", ("upload", "provider")),
    ("planned", ("plan",)),
    ("agreed", ("plan/confirmation",)),
    ("visited", ("visits", "spend")),
    ("served", ("service-completion",)),
)
"""What an insurer does with a policy, in order, and how far each leads."""
BEYOND: dict[Until, str] = {"mended": "served", "settled": "served", "proposed": "served", "ended": "uploaded"}
"""What else is done comes after this."""
AGREED = {
    "limit_per_person": "600000.00",
    "limit_per_accident": "5000000.00",
    "limit_aggregate": "10000000.00",
    "claim_terms": {"four_eyes_above": {"value": "50000.00", "source": "保险单特别约定第四条（样例）"}},
}
PROVIDER_CODE = "91340100MA2TAN0K6J"
"""Of the sample provider in samples/directory.yaml, whose people may so come in."""
CRITERION = "工贸企业重大事故隐患判定标准"


@dataclass(frozen=True)
class Story:
    """One policy: whose, where, how long ago it was signed, and how far it is led."""

    insurer_id: UUID
    number: str
    region: str
    sector: Sector
    enterprise: str
    credit_code: str
    email: str
    until: Until
    signed_ago: int = 20
    """Days."""
    years: int = 1
    """How long the cover lasts."""
    major: bool = False
    """Whether the hazard found is a major one."""

    @property
    def policy_id(self) -> UUID:
        return ids.policy_id(self.insurer_id, self.number)

    @property
    def hazard_id(self) -> UUID:
        return ids.hazard_id(self.policy_id, "H-001")

    @property
    def claim_number(self) -> str:
        return f"LP-{self.number}"

    @property
    def claim_id(self) -> UUID:
        return ids.claim_id(self.insurer_id, self.claim_number)


async def lead(post: Post, story: Story, today: date) -> Story:
    """Open the policy and do everything up to where it is to stand; files of the examples are handed in already."""
    await post("/v1/policies", _application(story, today))
    until = BEYOND.get(story.until, story.until)
    for reached, paths in WALK:
        if story.until == "signed":
            break
        for path in paths:
            await post(f"/v1/policies/{story.policy_id}/{path}", _body(CaseKind.POLICY, path, story, today))
        if reached == until:
            break
    if story.until == "mended":
        body = _body(CaseKind.HAZARD, "rectification", story, today)
        await post(f"/v1/hazards/{story.hazard_id}/rectification", body)
    if story.until in {"settled", "proposed"}:
        await _claim(post, story, today)
    if story.until == "ended":
        body = _body(CaseKind.POLICY, "surrender", story, today)
        await post(f"/v1/policies/{story.policy_id}/surrender", body)
    return story


async def _claim(post: Post, story: Story, today: date) -> None:
    """A claim with one victim: what is to be paid is agreed, or proposed as well, for a second person to approve."""
    claim = f"/v1/claims/{story.claim_id}"
    await post(f"/v1/policies/{story.policy_id}/claims", {**report(today), "number": story.claim_number})
    person = {"employee": True, "name": "样例伤者", "bank_account": "6200000000000000001"}
    ref = (await post(f"{claim}/victims", person))["ref"]
    await post(f"{claim}/survey", _body(CaseKind.CLAIM, "survey", story, today))
    await post(f"{claim}/assessment", {"lines": losses(ref), "note": "按鉴定结论和票据"})
    await post(f"{claim}/determination", {"covered": True, "note": "属于保险责任"})
    await post(f"{claim}/settlement", _body(CaseKind.CLAIM, "settlement", story, today))
    if story.until == "proposed":
        await post(f"{claim}/payments", {**payment(ref), "number": f"FK-{story.number}"})


def _application(story: Story, today: date) -> dict[str, Any]:
    asked = application(today)
    signed = today - timedelta(days=story.signed_ago)
    begins = signed + timedelta(days=1)
    terms = asked["terms"] | AGREED
    terms |= {"number": story.number, "region": story.region, "sector": story.sector.value}
    terms |= {"signed_at": f"{signed}T09:30:00+08:00", "effective_on": str(begins)}
    terms |= {"expires_on": str(begins + timedelta(days=365 * story.years - 1))}
    insured = {"name": story.enterprise, "credit_code": story.credit_code, "email": story.email}
    return {"terms": terms, "insured": insured}


def _body(kind: CaseKind, path: str, story: Story, today: date) -> dict[str, Any]:
    door = next(one for one in (*DOORS, *CLAIM_DOORS) if one.kind is kind and one.path == path)
    body: dict[str, Any] = door.example(today)
    if path == "provider":
        return body | {"provider_name": "安徽皖安安全技术服务有限公司（样例）", "provider_code": PROVIDER_CODE}
    if path == "visits" and story.major:
        found = body["hazards"][0] | {"grade": "major", "criterion": CRITERION, "place": "一号熔炼车间"}
        found |= {"description": "金属熔融炉冷却水系统未设温度、流量监测报警"}
        return body | {"hazards": [found]}
    return body
