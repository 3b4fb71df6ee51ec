"""A claim on the real engine: opened once, room before approval, one order per payment, whatever happens around it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.contracts import claim as commands
from models.contracts.vocabulary import ClaimPath, ClaimStage, OrderResult, PaymentStatus
from tests.domain.claim_lives import SURVEYED
from tests.fakes import FakeCashier, FakeTreasury
from tests.runtime.waiting import until
from tests.workflows.claims import RESCUE_BILL, ClaimDesk, fresh_key, given, working


@pytest.fixture
def cashier() -> FakeCashier:
    return FakeCashier()


@pytest.fixture
def treasury() -> FakeTreasury:
    return FakeTreasury()


@pytest.fixture
async def desk(
    temporal: Client, task_queue: str, cashier: FakeCashier, treasury: FakeTreasury
) -> AsyncIterator[ClaimDesk]:
    async with working(ClaimDesk(temporal, task_queue, treasury=treasury, cashier=cashier)) as open_desk:
        yield open_desk


def refusal(failed: WorkflowUpdateFailedError) -> str:
    assert isinstance(failed.cause, ApplicationError)
    assert failed.cause.type == "refused", failed.cause
    return failed.cause.details[0]["code"]


async def test_a_claim_is_opened_once_and_the_same_report_gives_the_same_claim(desk: ClaimDesk) -> None:
    claim = await desk.reported()
    again = await desk.open(claim.birth, given(claim.command, fresh_key()))
    assert (again, len(claim.steps)) == (claim.view, 1)
    other = claim.command.model_copy(update={"documents_complete": False})
    with pytest.raises(WorkflowUpdateFailedError) as taken:
        await desk.open(claim.birth, given(other, fresh_key()))
    assert refusal(taken.value) == "number_taken"


async def test_an_accident_outside_the_time_of_cover_is_refused_and_nothing_is_on_record(desk: ClaimDesk) -> None:
    claim = await desk.reported()
    before = claim.birth.signed_on
    ended = claim.birth.model_copy(
        update={"expires_on": before, "effective_on": before, "workflow_id": f"{claim.birth.workflow_id}-late"}
    )
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.open(ended, given(claim.command, fresh_key()))
    assert refusal(refused.value) == "not_in_force"
    assert len(claim.steps) == 1


async def test_a_payment_is_reserved_approved_instructed_once_and_confirmed(
    desk: ClaimDesk, cashier: FakeCashier, treasury: FakeTreasury
) -> None:
    claim = await (await desk.reported()).settled()
    await claim.propose("Z-1")
    approved = await claim.approve("Z-1")
    assert approved.payments[0].status is PaymentStatus.APPROVED
    await claim.until("Z-1", PaymentStatus.CONFIRMED)
    assert list(treasury.held) == ["Z-1"]
    assert cashier.asked == [f"pingan:{claim.birth.number}:Z-1"]
    assert claim.steps[-1].row.view["payments"][0]["reference"] == "BANK-Z-1"


async def test_the_same_approval_repeated_and_two_people_at_once_give_one_order(
    desk: ClaimDesk, cashier: FakeCashier, treasury: FakeTreasury
) -> None:
    claim = await (await desk.reported()).settled()
    await claim.propose("Z-1")
    key = fresh_key()
    first, second, third = await asyncio.gather(
        claim.approve("Z-1", key), claim.approve("Z-1", key), claim.approve("Z-1"), return_exceptions=True
    )
    granted = [one for one in (first, second, third) if not isinstance(one, BaseException)]
    assert len(granted) in {1, 2}
    await claim.until("Z-1", PaymentStatus.CONFIRMED)
    again = await claim.approve("Z-1", key) if first in granted else granted[0]
    assert again.payments[0].status is PaymentStatus.APPROVED  # the answer it got then
    assert (len(cashier.asked), list(treasury.held)) == (1, ["Z-1"])


async def test_without_room_in_the_limits_the_approval_is_refused_and_the_payment_stays_proposed(
    temporal: Client, task_queue: str, cashier: FakeCashier
) -> None:
    narrow = FakeTreasury(Decimal("150.00"))
    async with working(ClaimDesk(temporal, task_queue, treasury=narrow, cashier=cashier)) as desk:
        claim = await (await desk.reported()).settled()
        await claim.propose("Z-1")
        await claim.propose("Z-2", 2)
        await claim.approve("Z-1")
        with pytest.raises(WorkflowUpdateFailedError) as over:
            await claim.approve("Z-2")
        assert refusal(over.value) == "over_aggregate"
        await claim.until("Z-1", PaymentStatus.CONFIRMED)
        assert claim.status("Z-2") is PaymentStatus.PROPOSED
        assert (len(cashier.orders), narrow.used) == (1, Decimal("100.00"))


async def test_a_refused_payment_keeps_its_room_until_it_is_voided(
    desk: ClaimDesk, cashier: FakeCashier, treasury: FakeTreasury
) -> None:
    cashier.script["Z-1"] = OrderResult.REFUSED
    claim = await (await desk.reported()).settled()
    await claim.propose("Z-1")
    await claim.approve("Z-1")
    await claim.until("Z-1", PaymentStatus.FAILED)
    assert treasury.used == Decimal("100.00")
    await claim.act("void_payment", commands.VoidPayment(number="Z-1", reason="账户已注销"))
    await until(lambda: treasury.used == 0)
    assert claim.status("Z-1") is PaymentStatus.VOIDED


async def test_an_unknown_outcome_waits_for_a_person_and_is_never_sent_again(
    desk: ClaimDesk, cashier: FakeCashier
) -> None:
    cashier.script["Z-1"] = OrderResult.UNKNOWN
    claim = await (await desk.reported()).settled()
    await claim.propose("Z-1")
    await claim.approve("Z-1")
    await claim.until("Z-1", PaymentStatus.UNKNOWN)
    await claim.pass_days(9)
    assert len(cashier.asked) == 1
    told = commands.RecordOutcome(number="Z-1", result=OrderResult.CONFIRMED, reference="BANK-9")
    view = await claim.act("record_outcome", told)
    assert view.payments[0].status is PaymentStatus.CONFIRMED
    await until(lambda: len(cashier.kept) == 1)
    assert cashier.kept[0].outcome.reference == "BANK-9"


async def test_while_the_core_system_is_away_the_claim_goes_on_and_the_order_goes_out_later(
    desk: ClaimDesk, cashier: FakeCashier
) -> None:
    cashier.away = 8  # more than one patient attempt
    claim = await (await desk.reported()).settled()
    await claim.propose("Z-1")
    await claim.approve("Z-1")
    await until(lambda: len(cashier.asked) >= 1)
    await claim.propose("Z-2", 2)
    await claim.pass_days(0.05)
    await claim.until("Z-1", PaymentStatus.CONFIRMED)
    assert list(cashier.orders) == [f"pingan:{claim.birth.number}:Z-1"]


async def test_when_everything_agreed_is_paid_the_claim_is_complete_and_can_be_closed_and_reopened(
    desk: ClaimDesk, cashier: FakeCashier
) -> None:
    claim = await (await desk.reported()).settled()
    for number in range(1, 41):
        await claim.propose(f"Z-{number}", number)
        await claim.approve(f"Z-{number}")
    await until(lambda: claim.steps[-1].row.stage == ClaimStage.COMPLETED.value)
    assert (len(cashier.orders), len(set(cashier.asked))) == (40, 40)
    await claim.act("upload_result", commands.UploadResult(receipt="R-1"))
    closed = await claim.act("close_claim", commands.CloseClaim())
    assert closed.stage is ClaimStage.CLOSED
    assert closed.money.paid == Decimal("4000.00")
    reopened = await claim.act("reopen_claim", commands.ReopenClaim(reason="发现新的损失"))
    assert reopened.money.paid == Decimal("4000.00")
    assert [step.seq for step in claim.steps] == list(range(1, len(claim.steps) + 1))


async def test_after_ten_payments_a_new_run_goes_on_with_the_same_keys(desk: ClaimDesk, cashier: FakeCashier) -> None:
    claim = await (await desk.reported()).settled()
    first = (await claim.handle.describe()).run_id
    for number in range(1, 10):
        await claim.propose(f"Z-{number}", number)
    key = fresh_key()
    await claim.approve("Z-1", key)
    await claim.propose("Z-10", 10)
    await until_run_changes(claim.handle, first)
    again = await claim.approve("Z-1", key)
    assert again.payments[0].status is PaymentStatus.APPROVED
    await claim.approve("Z-10")
    await claim.until("Z-10", PaymentStatus.CONFIRMED)
    number = claim.birth.number
    assert sorted(cashier.asked) == [f"pingan:{number}:Z-1", f"pingan:{number}:Z-10"]


async def until_run_changes(handle: WorkflowHandle[Any, Any], first: str | None) -> None:
    async def is_another() -> bool:
        return (await handle.describe()).run_id != first

    await until(is_another)


async def test_facts_choose_the_path_and_a_person_may_choose_another(desk: ClaimDesk) -> None:
    claim = await desk.reported()
    await claim.act("record_survey", SURVEYED)
    small = await claim.act("assess_loss", RESCUE_BILL)
    assert small.path is ClaimPath.SMALL_FAST
    ordinary = await claim.act("choose_path", commands.ChoosePath(path=ClaimPath.ORDINARY, reason="另有争议"))
    assert (ordinary.path, ordinary.paths[-1].by_person) == (ClaimPath.ORDINARY, True)


async def test_no_names_accounts_or_files_are_in_the_history_of_a_claim(desk: ClaimDesk) -> None:
    claim = await (await desk.reported()).settled()
    await claim.propose("Z-1")
    await claim.approve("Z-1")
    await claim.until("Z-1", PaymentStatus.CONFIRMED)
    history = (await claim.handle.fetch_history()).to_json()
    assert "bank_account" not in history
    assert "identity_number" not in history
