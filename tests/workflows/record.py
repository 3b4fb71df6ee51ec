"""Records histories of policies and hazards on the real engine: `python -m tests.workflows.record [--golden]`.

A recorded history gets a successor, never an edit: it stays as long as a case that began under it may be open. Run this
when a new stage of life, a new place or a new version of the workflows is to be kept; `--golden` only writes anew what
the recorded histories give, after a change of figures that was meant.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper

from domain.calendar import SHANGHAI, local_date
from models.contracts import policy as commands
from models.contracts.base import Actor
from models.contracts.base import Office as Seat
from models.contracts.case import AcknowledgeDuty, AdoptRules, PassOn
from models.contracts.vocabulary import ActorKind, CaseKind, HazardGrade, Role, SpendPurpose, SurrenderReason
from runtime.embedded.ports import free_ports
from runtime.embedded.temporal import TemporalServer
from tests.domain.lives import ANHUI, ENTERPRISE, FILE, JILIN, OPERATOR, SUZHOU, XIAMEN, ZHEJIANG, found, rules, visit
from tests.domain.test_hazard_asking import ASK, DECLINE, OBJECT, REJECT, UPHOLD
from tests.domain.test_hazard_life import CLAIM, FAILED, PASSED, REFUSE
from tests.domain.test_new_rules import newer
from tests.domain.test_policy_refusals import CONFIRM, PLAN, PROVIDER, UPLOAD
from tests.domain.test_rating import rate
from tests.makers import SOMEBODY
from tests.workflows.cases import Office, Opened, fresh_key, given, working
from tests.workflows.replaying import GOLDEN, HISTORIES, golden
from workflows.search import SEARCH_ATTRIBUTES

ELSEWHERE = "110100"
"""A place without a document of its own: the nation's alone."""
PLACES = (SUZHOU, XIAMEN, JILIN, ZHEJIANG, ANHUI, ELSEWHERE)
TOLD_OF_REFUSALS = (SUZHOU, XIAMEN)
"""Where a department is told of a refusal at once, and may pass it on."""
COMPLETE = commands.CompleteService(confirmed_by_insured=True)


async def record(office: Office) -> None:
    """Every stage of both lives, in each place."""
    for place in PLACES:
        opened = await office.opened(region=place, number=f"P-{place}-opened")
        await keep(opened.handle, f"policy-opened-{place}")
        await _served(office, place)
        await _continued(office, place)
        await _surrendered(office, place)
        if place in TOLD_OF_REFUSALS:
            await _asked(office, place)
        await _adopted(office, place)
        expired = await office.opened(region=place, number=f"P-{place}-expired")
        await expired.pass_days(400)
        await expired.handle.result()
        await keep(expired.handle, f"policy-expired-{place}")


async def _served(office: Office, place: str) -> None:
    """Ten silent days, then everything: two hazards, one refused, one closed; the service done, the policy renewed."""
    policy = await office.opened(region=place, number=f"P-{place}-served")
    await policy.pass_days(10)
    today = local_date(policy.command.terms.signed_at)
    spending = commands.RecordSpend.model_validate(
        {"number": "S-1", "amount": "1200.00", "purpose": SpendPurpose.TRAINING, "on": today}
    )
    suspension = {"reason": "production_stopped", "note": "检修停产", "from_on": today + timedelta(days=8)}
    service = visit("V-1", today, found("H-1"), found("H-2", grade=HazardGrade.MAJOR))
    for update, command in (
        ("upload", UPLOAD),
        ("name_provider", PROVIDER),
        ("file_plan", PLAN),
        ("confirm_plan", CONFIRM),
        ("record_visit", service),
        ("record_spend", spending),
        ("suspend", commands.SuspendClock.model_validate({**suspension, "until_on": today + timedelta(days=9)})),
    ):
        await policy.act(update, command)
    await keep(policy.handle, f"policy-serving-{place}")
    await _hazards(office, policy, place)
    await policy.act("complete_service", COMPLETE)
    await policy.act("renew", commands.RenewPolicy(next_number="P-2"))
    await keep(policy.handle, f"policy-served-{place}")


async def _continued(office: Office, place: str) -> None:
    """A policy of two years, entered late, on the day its second year begins: what was one chapter, and the next."""
    signed_at = datetime.now(SHANGHAI).replace(microsecond=0) - timedelta(days=364)
    ends = local_date(signed_at) + timedelta(days=729)
    policy = await office.opened(region=place, number=f"P-{place}-continued", signed_at=signed_at, expires_on=ends)
    await policy.act("upload", UPLOAD)
    before = (await policy.handle.describe()).run_id
    await policy.pass_days(1.5)
    after = before
    while after == before:
        after = (await policy.handle.describe()).run_id
    await policy.act("name_provider", PROVIDER)
    await keep(run_of(office.client, policy, before), f"policy-chapter-{place}")
    await keep(run_of(office.client, policy, after), f"policy-continued-{place}")


async def _hazards(office: Office, policy: Opened, place: str) -> None:
    ordinary, major = policy.hazard("H-1"), policy.hazard("H-2")
    await keep(ordinary, f"hazard-found-{place}")
    await TimeSkipper(office.client).fast_forward(ordinary, timedelta(days=14))
    rounds = (("claim_rectification", CLAIM), ("recheck", FAILED), ("claim_rectification", CLAIM), ("recheck", PASSED))
    for update, command in rounds:
        await ordinary.execute_update(update, given(command, fresh_key()))
    await keep(ordinary, f"hazard-closed-{place}")
    await major.execute_update("refuse_rectification", given(REFUSE, fresh_key()))
    await TimeSkipper(office.client).fast_forward(major, timedelta(days=40))
    await keep(major, f"hazard-refused-{place}")


async def _asked(office: Office, place: str) -> None:
    """The insured rates, objects and asks for time; a department that was told of a refusal passes it on."""
    policy = await office.opened(region=place, number=f"P-{place}-asked")
    today = local_date(policy.command.terms.signed_at)
    await policy.act("name_provider", PROVIDER)
    await policy.act("record_visit", visit("V-1", today, found("H-1"), found("H-2", grade=HazardGrade.MAJOR)))
    await policy.act("rate_service", rate(), actor=ENTERPRISE)
    await keep(policy.handle, f"policy-rated-{place}")
    ordinary, major = policy.hazard("H-1"), policy.hazard("H-2")
    for update, command, actor in (
        ("object", OBJECT, ENTERPRISE),
        ("answer_objection", REJECT, SOMEBODY),
        ("ask_more_time", ASK, ENTERPRISE),
        ("decline_more_time", DECLINE, SOMEBODY),
        ("object", OBJECT, ENTERPRISE),
        ("answer_objection", UPHOLD, SOMEBODY),
    ):
        await ordinary.execute_update(update, given(command, fresh_key(), actor))
    await ordinary.result()
    await keep(ordinary, f"hazard-not_a_hazard-{place}")
    await major.execute_update("refuse_rectification", given(REFUSE, fresh_key()))
    named = {"to_region": place, "to_department": "住房和城乡建设局", "reason": "属于在建工地"}
    passed = PassOn.model_validate({"duty": "major_hazard_report", **named})
    bureau = Actor(
        kind=ActorKind.DEPARTMENT,
        id="bureau",
        name="应急管理局",
        office=Seat(region=place, department="应急管理局", roles=(Role.INDUSTRY,)),
    )
    acknowledged = AcknowledgeDuty(duty="major_hazard_report")
    await major.execute_update("acknowledge", given(acknowledged, fresh_key(), bureau))
    await major.execute_update("pass_on", given(passed, fresh_key(), bureau))
    await TimeSkipper(office.client).fast_forward(major, timedelta(days=40))
    await keep(major, f"hazard-passed_on-{place}")


async def _adopted(office: Office, place: str) -> None:
    """Twenty days on, policy and hazard take a newer document with longer terms, and live on under it."""
    policy = await office.opened(region=place, number=f"P-{place}-adopted")
    today = local_date(policy.command.terms.signed_at)
    await policy.act("name_provider", PROVIDER)
    await policy.act("record_visit", visit("V-1", today, found("H-1")))
    await policy.pass_days(20)
    for handle, case, grade, longer in (
        (policy.handle, CaseKind.POLICY, None, {"service_completion": 60}),
        (policy.hazard("H-1"), CaseKind.HAZARD, HazardGrade.ORDINARY, {"rectification": 40}),
    ):
        book = rules(policy.command.terms, case, grade).rulebook
        adopting = AdoptRules(rulebook=newer(book, **longer), instead_of=book.packs, reason="通知要求")
        await handle.execute_update("adopt_rules", given(adopting, fresh_key(), OPERATOR))
    await policy.pass_days(50)
    await keep(policy.handle, f"policy-adopted-{place}")
    await keep(policy.hazard("H-1"), f"hazard-adopted-{place}")


async def _surrendered(office: Office, place: str) -> None:
    policy = await office.opened(region=place, number=f"P-{place}-surrendered")
    today = local_date(policy.command.terms.signed_at)
    await policy.act("name_provider", PROVIDER)
    await policy.act("record_visit", visit("V-1", today, found("H-1")))
    surrender = commands.SurrenderPolicy(reason=SurrenderReason.FULLY_STOPPED, on=today, note="停产", evidence=FILE)
    await policy.act("surrender", surrender)
    await policy.handle.result()
    await policy.hazard("H-1").result()
    await keep(policy.handle, f"policy-surrendered-{place}")
    await keep(policy.hazard("H-1"), f"hazard-stopped-{place}")


def run_of(client: Client, policy: Opened, run_id: str | None) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(policy.birth.workflow_id, run_id=run_id)


async def keep(handle: WorkflowHandle[Any, Any], name: str) -> None:
    history = without_traces((await handle.fetch_history()).to_json_dict())
    text = json.dumps({"workflow_id": handle.id, **history}, ensure_ascii=False, separators=(",", ":"))
    (HISTORIES / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def without_traces(part: Any) -> Any:
    """The same, but for where in whose files something failed: replay asks nothing of it, and it names a machine."""
    if isinstance(part, dict):
        return {name: without_traces(inner) for name, inner in part.items() if name != "stackTrace"}
    return [without_traces(inner) for inner in part] if isinstance(part, list) else part


async def keep_golden() -> None:
    """What replay cannot see, written beside each history."""
    for path in sorted(HISTORIES.glob("*.json")):
        text = json.dumps(await golden(path), ensure_ascii=False, indent=1)
        (GOLDEN / path.name).write_text(text + "\n", encoding="utf-8")


@asynccontextmanager
async def server() -> AsyncIterator[Client]:
    """A Temporal server of our own, gone afterwards."""
    (port,) = free_ports(1)
    temporal = TemporalServer(port, attributes=SEARCH_ATTRIBUTES)
    await temporal.start()
    try:
        yield await Client.connect(temporal.address, data_converter=pydantic_data_converter, identity="record")
    finally:
        await temporal.stop()


async def main(only_golden: bool) -> None:
    if not only_golden:
        async with server() as client, working(Office(client, "record")) as office:
            await record(office)
    await keep_golden()


if __name__ == "__main__":
    asyncio.run(main("--golden" in sys.argv[1:]))
