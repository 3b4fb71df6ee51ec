"""Who reads what of a case: the same policy, hazard and claim for each kind of reader."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from api.callers import Caller as Visitor
from api.callers import Entry, open_rows
from api.desk.audience import SAID_TO, SEES, Part, Reader
from api.desk.casefile import CaseFile, read_case
from api.desk.caserecord import line_of
from api.desk.lists import CaseShown
from api.desk.tones import tone_of
from api.reads import STAGES
from api.rows import CASES
from api.shapes import TimelineEntry
from api.tools import Tools
from models.contracts.vocabulary import (
    ActorKind,
    CaseKind,
    ClaimStage,
    Event,
    HazardStage,
    PolicyStage,
    Word,
)
from tests.api.claiming import insured, report
from tests.api.conftest import today
from tests.desk.conftest import SignedIn, Town
from tests.desk.matters import served_policy, tell

Read = Callable[[ActorKind, UUID], Awaitable[CaseFile]]
HIDDEN = {
    ActorKind.DEPARTMENT: {"premium_total", "limit_per_person", "insured_headcount", "spent", "spend_floor"},
    ActorKind.ENTERPRISE: {"premium_total", "limit_per_person", "spent", "spend_floor", "spent_share"},
    ActorKind.OPERATOR: {"premium_total", "limit_per_person", "spent", "spend_floor", "spent_share", "description"},
}


@pytest.fixture
async def read(tools: Tools, town: Town) -> Read:
    """A case as one kind of visitor reads it, by that visitor's own rows."""
    holders = {
        ActorKind.INSURER: {"insurer_id": town.insurers[0].id},
        ActorKind.DEPARTMENT: {"recipient_id": town.departments[0]},
        ActorKind.ENTERPRISE: {"recipient_id": town.enterprises[0], "insured_id": town.insureds[0]},
        ActorKind.OPERATOR: {},
    }

    async def reading(kind: ActorKind, case_id: UUID) -> CaseFile:
        visitor = Visitor(UUID(int=1), kind, kind.label, **holders[kind])
        async with tools.engine.begin() as connection:
            await open_rows(connection, visitor)
            row = (await connection.execute(select(CASES).where(CASES.c.id == case_id))).one()
            reader = Reader(kind, lambda of, id_: f"/{of.value}/{id_}")
            return await read_case(Entry(connection, visitor, tools, 0), row, reader)

    return reading


def test_nobody_but_the_insurer_reads_terms_or_the_ledger_of_a_claim():
    for kind in (ActorKind.DEPARTMENT, ActorKind.ENTERPRISE, ActorKind.OPERATOR):
        assert SEES[kind].isdisjoint({Part.TERMS, Part.SPENDING, Part.CLAIM_MONEY}), kind
    assert Part.CLAIM_SUM not in SEES[ActorKind.DEPARTMENT]
    assert SEES[ActorKind.OPERATOR].isdisjoint({Part.DESCRIPTION, Part.EVIDENCE, Part.CLAIM_SUM, Part.CLAIM_WAY})


def test_sentences_about_money_and_people_are_for_the_insurer_alone():
    money = {event for event in Event if "payment" in event.value or "paid" in event.value}
    money |= {Event.SPEND_RECORDED, Event.LOSS_ASSESSED, Event.LIMITS_SET, Event.CASUALTIES_UPDATED}
    for kind in (ActorKind.DEPARTMENT, ActorKind.ENTERPRISE, ActorKind.OPERATOR):
        assert SAID_TO[kind].isdisjoint(money), kind
    typed = SAID_TO[ActorKind.OPERATOR] - {Event.RUNG_FIRED, Event.RUNG_PASSED_OVER, Event.CALENDAR_ADOPTED}
    assert typed == {Event.POLICY_YEAR_STARTED, Event.RULES_ADOPTED}


def test_a_sentence_that_is_the_name_of_what_happened_is_not_said_twice():
    reader, at = Reader(ActorKind.INSURER, lambda of, id_: ""), datetime(2026, 3, 1, tzinfo=UTC)
    for said, shown in (("理赔完成", ""), ("理赔完成：受害人已全部到账", "理赔完成：受害人已全部到账")):
        happened = {"seq": 9, "line": 1, "at": at, "event": Event.CLAIM_COMPLETED, "label": "理赔完成", "duty_key": ""}
        entry = TimelineEntry.model_validate(happened | {"said": said})
        assert line_of(entry, reader).said == shown


def test_an_unknown_reader_or_a_new_part_is_seen_by_nobody():
    assert ActorKind.SYSTEM not in SEES
    for kind in (ActorKind.DEPARTMENT, ActorKind.ENTERPRISE, ActorKind.OPERATOR):
        assert SEES[kind] < frozenset(Part)


@pytest.mark.parametrize(
    ("stage", "tone"),
    [
        (ClaimStage.WITHDRAWN, "off"), (ClaimStage.DENIED, "late"), (ClaimStage.CLOSED, "ok"),
        (PolicyStage.RENEWED, "ok"), (PolicyStage.EXPIRED, "off"), (HazardStage.TOLD, "info"),
        (HazardStage.REFUSED, "late"), (ClaimStage.AGREED, "info"),
    ],
)  # fmt: skip
def test_a_stage_looks_the_same_in_a_list_and_on_its_page(stage: Word, tone: str):
    kind = next(kind for kind, stages in STAGES.items() if isinstance(stage, stages))
    line = CaseShown.model_construct(kind=kind, stage=stage.value)
    assert (line.tone, tone_of(stage)) == (tone, tone)


@pytest.mark.parametrize("kind", [ActorKind.DEPARTMENT, ActorKind.ENTERPRISE, ActorKind.OPERATOR])
async def test_terms_and_spending_stay_with_the_insurer(read: Read, town: Town, worker: Worker, kind: ActorKind):
    policy_id = await served_policy(town.insurers[0])
    owner, other = await read(ActorKind.INSURER, policy_id), await read(kind, policy_id)

    facts = {fact.name: fact.value for fact in owner.facts}
    assert facts["premium_total"] == "86,000.00 元"
    assert facts["limit_per_person"] == "600,000.00 元"
    assert HIDDEN[kind].isdisjoint(fact.name for fact in other.facts)
    assert any("列支" in line.said for line in owner.timeline if line.event is Event.SPEND_RECORDED)
    assert all(not line.said for line in other.timeline if line.event is Event.SPEND_RECORDED)
    assert [line.event for line in other.timeline] == [line.event for line in owner.timeline]


async def test_a_department_reads_shares_dates_reasons_and_whom_the_ladder_tells(
    read: Read, town: Town, worker: Worker
):
    case = await read(ActorKind.DEPARTMENT, await served_policy(town.insurers[0]))
    facts = {fact.name: fact.value for fact in case.facts}
    assert facts["floor_share"] == "12 %"
    assert facts["spent_share"].endswith("%")
    owed = next(one for one in case.duties if one.key == "service_completion")
    assert "应急监二〔2023〕84号" in owed.cites
    assert "45日" in owed.counting
    assert any("宿州市应急管理局" in name for rung in owed.ladder for _, name, _ in rung.tell)
    assert case.duties[0].strip.startswith("<")
    assert not case.duties[1].strip
    assert case.life
    assert [one.number for one in case.hazards] == ["H-001"]


async def test_files_are_listed_for_those_who_may_open_them(
    read: Read, town: Town, worker: Worker, signed_in: SignedIn
):
    policy_id = await served_policy(town.insurers[0])
    case = await read(ActorKind.DEPARTMENT, policy_id)
    assert {one.name for one in case.files} >= {"服务记录.pdf"}
    assert (await read(ActorKind.OPERATOR, policy_id)).files == ()
    officer = await signed_in(ActorKind.DEPARTMENT)
    for one in case.files:
        assert (await officer.get(one.href)).status_code == 200, one.name


async def test_the_record_says_which_rungs_were_told_to_readers_who_see_no_letters_of_others(
    read: Read, town: Town, worker: Worker
):
    hazard = (await read(ActorKind.DEPARTMENT, await served_policy(town.insurers[0]))).hazards[0]
    case = await read(ActorKind.DEPARTMENT, UUID(hazard.href.rpartition("/")[2]))
    assert case.notices == ()
    assert {rung.state for duty in (*case.duties, *case.settled) for rung in duty.ladder} >= {"fired", "waiting"}
    assert next(fact.value for fact in case.facts if fact.name == "description") == "可燃气体报警器未按期检定"


async def test_an_operator_reads_that_it_happened_but_no_words_of_people(read: Read, town: Town, worker: Worker):
    case = await read(ActorKind.OPERATOR, await served_policy(town.insurers[0]))
    assert case.workflow_id.endswith("/PA-1")
    assert case.facts == ()
    assert {line.event for line in case.timeline if line.said} <= SAID_TO[ActorKind.OPERATOR]
    assert Event.VISIT_RECORDED in {line.event for line in case.timeline}
    assert case.notices


async def test_an_enterprise_reads_its_own_letters_only(read: Read, town: Town, worker: Worker):
    policy_id = await served_policy(town.insurers[0])
    own, all_of_them = await read(ActorKind.ENTERPRISE, policy_id), await read(ActorKind.INSURER, policy_id)
    assert 0 < len(own.notices) < len(all_of_them.notices)
    assert own.workflow_id == ""
    assert all(not duty.ladder for duty in own.duties)


async def test_of_a_claim_the_enterprise_reads_its_sum_and_the_insurer_the_ledger(
    read: Read, town: Town, worker: Worker, admin: AsyncEngine
):
    caller = town.insurers[0]
    policy_id = await insured(caller)
    answer = await caller.post(f"/v1/policies/{policy_id}/claims", report(today()))
    assert answer.status_code == 201, answer.text
    claim_id = UUID(answer.json()["id"])
    owner, own = await read(ActorKind.INSURER, claim_id), await read(ActorKind.ENTERPRISE, claim_id)
    assert owner.claim is not None
    assert own.claim is not None
    assert owner.claim.ledger is not None
    assert owner.claim.why_path is not None
    assert own.claim.ledger is None
    assert own.claim.payments == ()
    await tell(admin, town.departments[0], claim_id, "claim_determination")
    told = (await read(ActorKind.DEPARTMENT, claim_id)).claim
    assert told is not None
    assert told.why_path is not None
    assert told.why_path.because == ()
    assert (told.other_paths, told.payable, told.reached, told.payments, told.ledger) == ((), "", "", (), None)
    assert own.claim.reached == "0.00 元"
    assert owner.kind is CaseKind.CLAIM
    assert owner.policy_number == "PA-1"
