"""Records histories of claims by path and stage, open and closed: `python -m tests.workflows.record_claims`."""

import asyncio
from datetime import timedelta

from models.contracts import claim as commands
from models.contracts.vocabulary import ClaimPath, EmergencyPurpose, LossHead, OrderResult, PaymentKind, PaymentStatus
from tests.domain.claim_lives import ANNA, DENIED, SUPPLIER, SURVEYED, accident, death, paying, spending
from tests.domain.lives import FILE
from tests.fakes import FakeCashier
from tests.runtime.waiting import until
from tests.workflows.claims import ClaimDesk, Reported, working
from tests.workflows.record import PLACES, keep, keep_golden, server

TRANSFERRED = commands.RecordOutcome(number="W-1", result=OrderResult.CONFIRMED, reference="BANK-W")
RETURNED = commands.SetOffAdvance.model_validate(
    {"number": "W-1", "how": "recovered", "amount": "100.00", "line": "L-1", "reference": "BACK-W"}
)
REFUSE = commands.RefuseClaim(reasons="故意制造事故", clause="第七条", notice=FILE)


async def record(desk: ClaimDesk) -> None:
    """Each path, each end, and a run continued as new, in each place."""
    for place in PLACES:
        await _advanced(await desk.reported(f"C-{place}-advanced", region=place), place)
        await _large(await desk.reported(f"C-{place}-large", region=place), place)
        await _small(await desk.reported(f"C-{place}-small", region=place), place)
        await _refused(await desk.reported(f"C-{place}-refused", region=place), place)
        await _withdrawn(await desk.reported(f"C-{place}-withdrawn", region=place), place)


async def _advanced(claim: Reported, place: str) -> None:
    """An advance beside the ordinary path, then forty silent days."""
    await keep(claim.handle, f"claim-reported-{place}")
    await claim.act("choose_path", commands.ChoosePath(path=ClaimPath.EMERGENCY_ADVANCE, reason="抢救伤员"))
    payee = {"kind": "supplier", "ref": SUPPLIER}
    bill = spending(LossHead.RESCUE, "5000.00")
    await claim.act(
        "propose_payment", paying("A-1", PaymentKind.ADVANCE, bill, payee=payee, purpose=EmergencyPurpose.RESCUE)
    )
    await claim.approve("A-1")
    await _paid(claim, "A-1")
    await claim.pass_days(40)
    await keep(claim.handle, f"claim-advanced-{place}")


async def _large(claim: Reported, place: str) -> None:
    """Three deaths: 较大事故, and the determined part is paid first."""
    graver = accident(deaths=3).model_dump(include={"deaths", "serious_injuries", "direct_loss"})
    await claim.act(
        "update_casualties", commands.UpdateCasualties.model_validate({"casualties": graver, "note": "又有两人不治"})
    )
    await claim.act("record_survey", SURVEYED)
    lost = death("L-1", "800000.00", ANNA)
    await claim.act("assess_loss", commands.AssessLoss(lines=(lost,)))
    await claim.act("propose_payment", paying("P-1", PaymentKind.PREPAYMENT, lost))
    await claim.approve("P-1")
    await _paid(claim, "P-1")
    await keep(claim.handle, f"claim-large_prepay-{place}")


async def _small(claim: Reported, place: str) -> None:
    """Ten bills and more: the run is continued as new with an order on its way."""
    await claim.settled()
    await claim.propose("Z-1")
    await claim.approve("Z-1")
    await _paid(claim, "Z-1")
    await keep(claim.handle, f"claim-small_fast-{place}")
    before = (await claim.handle.describe()).run_id
    for number in range(2, 11):
        await claim.propose(f"Z-{number}", number)
    while (await claim.handle.describe()).run_id == before:
        await asyncio.sleep(0.05)
    for number in range(2, 11):
        await claim.approve(f"Z-{number}")
    await _paid(claim, "Z-10")
    first = claim.desk.client.get_workflow_handle(claim.birth.workflow_id, run_id=before)
    await keep(first, f"claim-continuing-{place}")
    await keep(claim.handle, f"claim-continued-{place}")


async def _refused(claim: Reported, place: str) -> None:
    await claim.act("determine", DENIED)
    await claim.act("refuse_claim", REFUSE)
    await keep(claim.handle, f"claim-refused-{place}")


async def _withdrawn(claim: Reported, place: str) -> None:
    """The answer of the bank comes by a person, the money comes back, the claim is given up."""
    assert isinstance(claim.desk.cashier, FakeCashier)
    claim.desk.cashier.script["W-1"] = OrderResult.UNKNOWN
    await claim.settled()
    await claim.propose("W-1")
    await claim.approve("W-1")
    await claim.until("W-1", PaymentStatus.UNKNOWN)
    await claim.act("record_outcome", TRANSFERRED)
    await claim.act("set_off_advance", RETURNED)
    before = (await claim.handle.describe()).run_id
    await claim.act("withdraw_claim", commands.WithdrawClaim(reason="被保险人书面撤回索赔"))
    while (await claim.handle.describe()).run_id == before:
        await asyncio.sleep(0.05)
    first = claim.desk.client.get_workflow_handle(claim.birth.workflow_id, run_id=before)
    await keep(first, f"claim-withdrawn-{place}")


async def _paid(claim: Reported, number: str) -> None:
    cashier = claim.desk.cashier
    assert isinstance(cashier, FakeCashier)
    await until(lambda: any(one["number"] == number and one["reference"] for one in _payments(claim)))
    await asyncio.sleep(timedelta(milliseconds=200).total_seconds())  # the step that follows the answer is in history


def _payments(claim: Reported) -> list[dict[str, str]]:
    return claim.steps[-1].row.view["payments"]


async def main() -> None:
    async with server() as client, working(ClaimDesk(client, "record-claims")) as desk:
        await record(desk)
    await keep_golden()


if __name__ == "__main__":
    asyncio.run(main())
