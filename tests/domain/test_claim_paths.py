"""Each path starts only with its facts and its agreed figures, says why, and leaves running clocks alone."""

from typing import Any

import pytest

from domain.claim import views
from domain.claim_paths import large_prepay
from models.contracts import claim as commands
from models.contracts.claim_terms import ClaimTerms
from models.contracts.vocabulary import ClaimPath, Event, LossHead, OrderResult, PathFact, PaymentKind
from tests.domain.claim_lives import (
    ANNA,
    BO,
    COVERED,
    FIGURES,
    SOURCE,
    SUPPLIER,
    SURVEYED,
    Claim,
    death,
    line,
    paying,
    spending,
)

SMALL = line("L1", "medical", "50000.00", ANNA)
LARGE = death("L1", "600000.00", ANNA)
OPEN = death("L2", "600000.00", BO, determined=False)
HOSPITAL = {"kind": "supplier", "ref": SUPPLIER}


def choose(path: ClaimPath) -> commands.ChoosePath:
    return commands.ChoosePath(path=path, reason="经复核")


def assess(*lines: Any) -> commands.AssessLoss:
    return commands.AssessLoss(lines=lines)


@pytest.mark.obligation("XM-19", "XM-20")
def test_a_small_clear_claim_takes_the_fast_path_by_rule_and_says_why() -> None:
    claim = Claim.reported(region="350200").act(SURVEYED, assess(SMALL))
    assert claim.state.path is ClaimPath.SMALL_FAST
    taken = claim.state.paths[-1]
    assert not taken.by_person
    for words in ("查勘认定事故真实", "责任明确", "未超过标准 50,000.00 元"):
        assert words in taken.because
    assert "二(四)" in taken.clause
    assert SOURCE in taken.clause
    assert claim.due("small_fast_payment") == "2024-06-06"
    brief = next(one for one in views.view(claim.state).duties if one.key == "small_fast_payment")
    assert (brief.clause, brief.by) == (SOURCE, "contract")


@pytest.mark.obligation("XM-20")
@pytest.mark.parametrize(
    ("survey", "amount"),
    [
        ({"facts_true": None, "liability_clear": True}, "50000.00"),
        ({"facts_true": False, "liability_clear": True}, "50000.00"),
        ({"facts_true": True, "liability_clear": None}, "50000.00"),
        ({"facts_true": True, "liability_clear": True}, "50000.01"),
    ],
)
def test_one_missing_condition_keeps_a_claim_off_the_fast_path(survey: dict[str, Any], amount: str) -> None:
    claim = Claim.reported().act(commands.RecordSurvey(note="查勘", **survey))
    claim.act(assess(line("L1", "medical", amount, ANNA)))
    assert claim.state.path is ClaimPath.ORDINARY
    assert claim.code(choose(ClaimPath.SMALL_FAST)) == "path_not_suitable"


def test_a_fast_claim_is_paid_without_a_separate_agreement() -> None:
    claim = Claim.reported().act(SURVEYED, assess(SMALL), COVERED).paid(paying("P1", PaymentKind.SETTLEMENT, SMALL))
    assert claim.record.lines(Event.CLAIM_COMPLETED)
    assert claim.state.agreed is None
    assert "small_fast_payment" not in claim.open_duties()


@pytest.mark.obligation("XM-19")
@pytest.mark.parametrize("path", [ClaimPath.SMALL_FAST, ClaimPath.LARGE_PREPAY, ClaimPath.EMERGENCY_ADVANCE])
def test_a_path_without_its_figures_refuses_and_names_what_is_missing(path: ClaimPath) -> None:
    claim = Claim.reported(terms=ClaimTerms(), accident={"deaths": 3}).act(SURVEYED, assess(SMALL))
    assert claim.state.path is ClaimPath.ORDINARY
    refusal = claim.refused(choose(path))
    assert refusal is not None
    assert refusal.code == "path_figures_missing"
    assert path.label in refusal.says
    assert not {"small_fast_payment", "large_prepayment", "emergency_advance"} & claim.open_duties()


@pytest.mark.obligation("XM-19", "XM-21")
def test_a_serious_accident_prepays_what_is_determined_and_more_as_more_is() -> None:
    claim = Claim.reported(region="350200", accident={"deaths": 3}).act(SURVEYED, assess(LARGE, OPEN))
    assert claim.state.path is ClaimPath.LARGE_PREPAY
    assert claim.due("large_prepayment") == "2024-06-18"
    assert claim.code(paying("P1", PaymentKind.PREPAYMENT, OPEN)) == "line_undetermined"
    claim.paid(paying("P1", PaymentKind.PREPAYMENT, LARGE))
    assert "large_prepayment" not in claim.open_duties()
    certain = OPEN.model_copy(update={"determined": True})
    claim.act(assess(LARGE, certain)).paid(paying("P2", PaymentKind.PREPAYMENT, certain))
    claim.act(COVERED).agreed()
    assert claim.record.lines(Event.CLAIM_COMPLETED)
    sums = views.view(claim.state).money
    assert (sums.payable, sums.prepaid, sums.paid, sums.open) == (1200000, 1200000, 0, 0)


@pytest.mark.obligation("XM-21")
def test_an_ordinary_accident_or_unclear_liability_is_not_prepaid() -> None:
    claim = Claim.reported(accident={"deaths": 2}).act(SURVEYED, assess(LARGE))
    assert claim.code(choose(ClaimPath.LARGE_PREPAY)) == "path_not_suitable"
    unclear = Claim.reported(accident={"deaths": 3}).act(assess(LARGE))
    assert unclear.code(choose(ClaimPath.LARGE_PREPAY)) == "path_not_suitable"


def test_a_small_claim_that_turns_out_large_changes_path_and_keeps_its_clocks() -> None:
    claim = Claim.reported().act(SURVEYED, assess(SMALL))
    determination = claim.due("claim_determination")
    grown = commands.UpdateCasualties(casualties=commands.Casualties(deaths=3), note="重伤者不治")
    claim.until("2024-06-05T09:00").act(grown)
    assert [entry.path for entry in claim.state.paths] == [
        ClaimPath.ORDINARY,
        ClaimPath.SMALL_FAST,
        ClaimPath.LARGE_PREPAY,
    ]
    assert claim.due("claim_determination") == determination
    assert claim.due("small_fast_payment") == "2024-06-06"
    assert claim.due("large_prepayment") == "2024-06-20"


def test_what_a_person_chose_no_rule_changes() -> None:
    claim = Claim.reported().act(SURVEYED, assess(SMALL), choose(ClaimPath.ORDINARY))
    claim.act(assess(line("L1", "medical", "40000.00", ANNA)))
    assert claim.state.path is ClaimPath.ORDINARY
    assert claim.state.paths[-1].by_person
    assert "经复核" in claim.state.paths[-1].because


@pytest.mark.obligation("XM-19")
def test_an_advance_runs_beside_the_path_on_its_own_line_until_it_is_set_off() -> None:
    claim = Claim.reported().act(choose(ClaimPath.EMERGENCY_ADVANCE))
    assert claim.due_at("emergency_advance") == "2024-06-04T10:30:00+08:00"
    advance = paying(
        "A1", PaymentKind.ADVANCE, spending(LossHead.MEDICAL, "30000.00", ANNA), payee=HOSPITAL, purpose="medical"
    )
    claim.paid(advance)
    assert "emergency_advance" not in claim.open_duties()
    claim.act(SURVEYED, assess(SMALL))
    assert claim.state.path is ClaimPath.SMALL_FAST
    claim.act(COVERED)
    assert claim.code(paying("P1", PaymentKind.SETTLEMENT, SMALL)) == "over_limit"
    claim.paid(paying("P2", PaymentKind.SETTLEMENT, SMALL.model_copy(update={"amount": SMALL.amount - 30000})))
    claim.act(commands.UploadResult(receipt="SZ-1"))
    assert claim.code(commands.CloseClaim()) == "advance_open"
    claim.act(commands.SetOffAdvance.model_validate({"number": "A1", "how": "set_off", "amount": "30000.00"}))
    claim.act(commands.CloseClaim())
    sums = views.view(claim.state).money
    assert (sums.advanced, sums.set_off, sums.paid, sums.payable) == (30000, 30000, 20000, 50000)


def test_advances_keep_to_their_cap_and_their_purposes() -> None:
    claim = Claim.reported().act(choose(ClaimPath.EMERGENCY_ADVANCE))
    rescue = spending(LossHead.RESCUE, "200000.00")
    funeral = paying("A1", PaymentKind.ADVANCE, rescue, payee=HOSPITAL, purpose="funeral")
    assert claim.code(funeral) == "purpose_not_allowed"
    claim.act(paying("A1", PaymentKind.ADVANCE, rescue, payee=HOSPITAL, purpose="rescue"))
    cent = paying("A2", PaymentKind.ADVANCE, spending(LossHead.RESCUE, "0.01"), payee=HOSPITAL, purpose="rescue")
    assert claim.code(cent) == "over_ceiling"
    claim.act(commands.VoidPayment(number="A1", reason="改由消防部门承担"))
    claim.act(cent)


def test_an_advance_for_a_claim_that_is_refused_must_come_back_before_closing() -> None:
    claim = Claim.reported().act(choose(ClaimPath.EMERGENCY_ADVANCE))
    rescue = spending(LossHead.RESCUE, "1000.00")
    claim.paid(paying("A1", PaymentKind.ADVANCE, rescue, payee=HOSPITAL, purpose="rescue"))
    notice = commands.Attachment(digest="b" * 64, name="拒赔通知书.pdf")
    refusal = commands.RefuseClaim(reasons="责任免除", clause="第五条", notice=notice)
    claim.act(commands.DetermineClaim(covered=False, note="责任免除"), refusal)
    claim.act(commands.UploadResult(receipt="SZ-1"))
    assert claim.code(commands.CloseClaim()) == "advance_open"
    recovered = {"number": "A1", "how": "recovered", "amount": "1000.00", "reference": "back-1"}
    claim.act(commands.SetOffAdvance.model_validate(recovered), commands.CloseClaim())
    assert [release.pots[0].amount for release in claim.releases] == [1000]


def test_the_determinable_part_is_paid_on_any_path_and_ends_the_sixty_days() -> None:
    claim = Claim.reported().act(SURVEYED, assess(LARGE, OPEN))
    assert claim.state.path is ClaimPath.ORDINARY
    claim.until("2024-07-30T10:00").paid(paying("M1", PaymentKind.MINIMUM, LARGE))
    assert "minimum_prepayment" not in claim.open_duties()
    claim.answered("M1", OrderResult.CONFIRMED, "bank-M1")
    assert len(claim.record.lines(Event.MINIMUM_PREPAID)) == 1


def test_every_path_is_explained_to_the_reader() -> None:
    shown = views.view(Claim.reported(terms=FIGURES.model_copy(update={"emergency_cap": None})).state)
    assert {choice.path for choice in shown.choices} == set(ClaimPath)
    assert all(choice.because or choice.missing for choice in shown.choices)
    emergency = next(choice for choice in shown.choices if choice.path is ClaimPath.EMERGENCY_ADVANCE)
    assert emergency.missing == ("紧急垫付的总额上限",)


def test_a_place_that_asks_for_more_is_obeyed() -> None:
    """A local pack may add a fact to a path without any change of code."""
    claim = Claim.reported(region="350200", accident={"deaths": 3}).act(SURVEYED)
    bound = claim.state.rulebook.path(ClaimPath.LARGE_PREPAY)
    assert bound is not None
    stricter = bound.model_copy(update={"rule": bound.rule.model_copy(update={"facts": (PathFact.PART_DETERMINED,)})})
    others = tuple(one for one in claim.state.rulebook.paths if one != bound)
    rulebook = claim.state.rulebook.model_copy(update={"paths": (*others, stricter)})
    asked = large_prepay.suits(claim.state.model_copy(update={"rulebook": rulebook}))
    assert large_prepay.suits(claim.state).applies
    assert not asked.applies
    assert "已能确定的损失 0.00 元" in asked.because
