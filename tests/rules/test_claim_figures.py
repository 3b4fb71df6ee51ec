"""Terms, recipients and paths of claims, written down once more by hand, against what a claim obeys in each place."""

from datetime import date
from decimal import Decimal

import pytest

from domain.claim.contract_terms import with_terms
from domain.claim_paths.registry import PATHS
from domain.routing import departments
from models.contracts.claim_terms import ClaimTerms
from models.contracts.duty import Duty
from models.contracts.rulebook import Rulebook, RulesFor
from models.contracts.vocabulary import (
    By,
    CaseKind,
    ClaimPath,
    EmergencyPurpose,
    Event,
    FirstDay,
    OnHoliday,
    PathFact,
    PathFigure,
    Role,
    Sector,
    Size,
    TermUnit,
)
from rules.examples import Agreed, ClaimGiven, Given, Lost
from rules.library import Library
from runtime import path_trial

LIBRARY = Library()
SUZHOU, XIAMEN, ZHEJIANG, JILIN, HEFEI, BEIJING = "341300", "350200", "330100", "220100", "340100", "110000"
PLACES = (SUZHOU, XIAMEN, ZHEJIANG, JILIN, HEFEI, BEIJING)
ON = date(2026, 1, 5)
INSURER, FINANCIAL = Role.INSURER, Role.FINANCIAL


def claim(region: str, on: date = ON, sector: Sector = Sector.FIREWORKS) -> Rulebook:
    """What a claim obeys under the packs its policy was pinned to."""
    asked = RulesFor(region=region, sector=sector, size=Size.MEDIUM, on=on, case=CaseKind.POLICY)
    pinned = LIBRARY.resolve(asked).rulebook.packs
    return LIBRARY.resolve(asked.model_copy(update={"case": CaseKind.CLAIM, "packs": pinned})).rulebook


def duty(rulebook: Rulebook, ident: str) -> Duty:
    return next(bound.duty for bound in rulebook.duties if bound.duty.id == ident)


@pytest.mark.obligation("XM-18a", "ZJ-29", "SZ-18")
@pytest.mark.parametrize("region", PLACES)
@pytest.mark.parametrize(
    ("ident", "days", "anchor", "clause"),
    [
        ("claim_determination", 30, Event.CLAIM_REPORTED, "第二十三条第一款"),
        ("claim_payment", 10, Event.SETTLEMENT_AGREED, "第二十三条第一款"),
        ("refusal_notice", 3, Event.COVERAGE_DENIED, "第二十四条"),
        ("minimum_prepayment", 60, Event.CLAIM_DOCUMENTS_COMPLETE, "第二十五条"),
    ],
)
def test_the_insurance_law_gives_every_claim_its_four_terms(
    region: str, ident: str, days: int, anchor: Event, clause: str
) -> None:
    bound = next(one for one in claim(region).duties if one.duty.id == ident)
    within = bound.duty.within
    assert (within.amount, within.unit, bound.duty.anchor) == (days, TermUnit.NATURAL_DAY, (anchor,))
    assert (within.first_day, within.on_holiday) == (FirstDay.EXCLUDED, OnHoliday.ROLL_FORWARD)
    assert (bound.cites.number, bound.cites.clause, bound.cites.by) == ("保险法", clause, By.LAW)
    assert bound.duty.owed_by is INSURER


@pytest.mark.parametrize("on", [date(2016, 3, 1), date(2020, 2, 1), date(2025, 3, 28), date(2025, 3, 29), ON])
def test_the_terms_of_the_law_do_not_depend_on_when_the_measures_changed(on: date) -> None:
    held = {bound.duty.id: bound.duty.within.amount for bound in claim(BEIJING, on).duties}
    expected = {"claim_determination": 30, "claim_payment": 10, "refusal_notice": 3, "minimum_prepayment": 60}
    assert held.items() >= expected.items()


@pytest.mark.obligation("SZ-18", "XM-18a", "ZJ-29")
def test_only_the_thirty_days_wait_for_documents() -> None:
    waiting = {one.duty.id: one.duty.suspended_between for one in claim(BEIJING).duties if one.duty.suspended_between}
    assert waiting == {"claim_determination": (Event.DOCUMENTS_REQUESTED, Event.DOCUMENTS_RECEIVED)}


def test_a_determination_without_a_sum_does_not_end_the_sixty_days() -> None:
    met_by = set(duty(claim(BEIJING), "minimum_prepayment").met_by)
    assert Event.CLAIM_DETERMINED not in met_by
    assert met_by >= {Event.MINIMUM_PREPAID, Event.LARGE_PREPAID, Event.SETTLEMENT_AGREED, Event.COVERAGE_DENIED}


@pytest.mark.parametrize("region", PLACES)
def test_a_missed_term_is_told_to_the_insurer_and_a_week_later_to_the_financial_regulator(region: str) -> None:
    for bound in claim(region).duties:
        rungs = {rung.at: rung.tell for rung in bound.duty.ladder}
        if bound.duty.id in ("claim_limitation", "claim_result_upload"):
            continue
        assert (rungs["due"], rungs["+7d"]) == ((INSURER,), (INSURER, FINANCIAL))
        assert bound.duty.by.ladder is By.PRODUCT


@pytest.mark.parametrize(
    ("region", "regulator"), [(SUZHOU, "国家金融监督管理总局宿州监管分局"), (XIAMEN, "厦门银保监局"), (BEIJING, None)]
)
def test_the_regulator_is_the_one_of_the_place(region: str, regulator: str | None) -> None:
    found = departments(claim(region), FINANCIAL, region, Sector.FIREWORKS)
    assert (found[0][1] if found else None) == regulator


@pytest.mark.obligation("SZ-A8")
def test_suzhou_alone_wants_the_result_uploaded_within_seven_days_of_completion() -> None:
    bound = next(one for one in claim(SUZHOU).duties if one.duty.id == "claim_result_upload")
    assert (bound.duty.within.amount, bound.duty.anchor) == (7, (Event.CLAIM_COMPLETED,))
    assert (bound.cites.clause, bound.cites.by) == ("附件 第8项", By.LAW)
    others = [region for region in PLACES if region != SUZHOU]
    assert not any(one.duty.id == "claim_result_upload" for region in others for one in claim(region).duties)


def test_the_limitation_is_only_reminded_of_and_never_overdue() -> None:
    limitation = duty(claim(BEIJING), "claim_limitation")
    assert (limitation.within.amount, limitation.within.unit) == (2, TermUnit.YEAR)
    assert [rung.at for rung in limitation.ladder] == ["-90d", "-30d"]


@pytest.mark.parametrize("region", PLACES)
def test_no_figure_of_a_fast_path_stands_in_any_pack(region: str) -> None:
    agreed = {one.duty.id: (one.duty.agreed, one.duty.within.amount, one.duty.by.within) for one in claim(region).duties
              if one.duty.agreed and not one.duty.within.amount}  # fmt: skip
    assert agreed == {
        "small_fast_payment": (PathFigure.SMALL_FAST_DAYS, 0, By.CONTRACT),
        "large_prepayment": (PathFigure.LARGE_PREPAY_DAYS, 0, By.CONTRACT),
        "emergency_advance": (PathFigure.EMERGENCY_HOURS, 0, By.CONTRACT),
    }


def test_every_figure_a_path_needs_is_one_of_the_claim_terms() -> None:
    assert {figure.value for figure in PathFigure} <= set(ClaimTerms.model_fields)


@pytest.mark.obligation("XM-01b", "XM-19", "XM-20", "XM-21")
def test_xiamen_names_three_fast_paths_with_their_conditions_and_elsewhere_they_are_our_reading() -> None:
    for region, number, by in ((XIAMEN, "厦应急规〔2022〕2号", By.LAW), (BEIJING, "保险法", By.PRODUCT)):
        book = claim(region)
        fast = {path: held for path in ClaimPath if (held := book.path(path)) and path is not ClaimPath.ORDINARY}
        assert {held.cites.number for held in fast.values()} == {number}
        assert {held.cites.by for held in fast.values()} == {by}
        assert set(fast[ClaimPath.SMALL_FAST].rule.facts) == {
            PathFact.FACTS_TRUE, PathFact.LIABILITY_CLEAR, PathFact.WITHIN_THRESHOLD,
        }  # fmt: skip
        assert set(fast[ClaimPath.LARGE_PREPAY].rule.facts) == {PathFact.SERIOUS_GRADE, PathFact.LIABILITY_CLEAR}
        assert set(fast[ClaimPath.LARGE_PREPAY].rule.pays) == {PathFact.PART_DETERMINED}
        assert fast[ClaimPath.SMALL_FAST].rule.figures == (PathFigure.SMALL_FAST_THRESHOLD, PathFigure.SMALL_FAST_DAYS)


GOOD = ClaimGiven(
    deaths=3, facts_true=True, liability_clear=True, losses=(Lost(amount=Decimal("9000.00")),), covered=True
)
WITHOUT = {
    PathFact.FACTS_TRUE: {"facts_true": None},
    PathFact.LIABILITY_CLEAR: {"liability_clear": None},
    PathFact.WITHIN_THRESHOLD: {"losses": (Lost(amount=Decimal("10000.01")),)},
    PathFact.SERIOUS_GRADE: {"deaths": 2},
}
AGREED = Agreed(
    small_fast_threshold=Decimal("10000.00"),
    small_fast_days=5,
    large_prepay_days=10,
    emergency_cap=Decimal("50000.00"),
    emergency_purposes=(EmergencyPurpose.RESCUE,),
    emergency_hours=24,
)


def applies(path: ClaimPath, stands: ClaimGiven, agreed: Agreed = AGREED) -> bool:
    events = {Event.CLAIM_REPORTED: [{"on": "2026-02-02"}]}
    given = Given.model_validate({
        "region": XIAMEN, "sector": "fireworks", "size": "small", "events": events, "until": "2026-02-03",
    }).model_copy(update={"claim": stands, "agreed": agreed})  # fmt: skip
    taken = path_trial.taken(given, claim(XIAMEN), LIBRARY.calendar())
    return taken["paths"][path]["applies"]


@pytest.mark.obligation("XM-20", "XM-21")
@pytest.mark.parametrize("path", list(PATHS))
def test_the_code_of_a_path_asks_for_every_fact_and_every_figure_its_rule_names(path: ClaimPath) -> None:
    held = claim(XIAMEN).path(path)
    assert held
    assert applies(path, GOOD)
    for fact in held.rule.facts:
        assert not applies(path, GOOD.model_copy(update=WITHOUT[fact])), fact
    for figure in held.rule.figures:
        assert not applies(path, GOOD, AGREED.model_copy(update={figure.value: None})), figure


def test_a_settlement_needs_a_determination_a_refusal_a_denial_and_an_upload_a_completion() -> None:
    gates = {(one.gate.before, one.gate.needs) for one in claim(SUZHOU).gates}
    assert gates >= {
        (Event.SETTLEMENT_AGREED, Event.CLAIM_DETERMINED),
        (Event.CLAIM_REFUSED, Event.COVERAGE_DENIED),
        (Event.CLAIM_RESULT_UPLOADED, Event.CLAIM_COMPLETED),
    }


@pytest.mark.parametrize(
    ("region", "ids"),
    [
        ("350200", {"XM-11", "XM-16b", "XM-17", "XM-18b"}),
        ("330000", {"ZJ-28", "ZJ-29"}),
        ("220000", {"JL-13"}),
        ("341300", {"SZ-18"}),
    ],
)
def test_what_is_only_recorded_says_where(region: str, ids: set[str]) -> None:
    pack = next(one.pack for one in LIBRARY.packs() if one.ref.region == region)
    assert ids <= pack.recorded.keys()


@pytest.mark.parametrize(
    ("agreed", "determination", "payment"),
    [
        ({}, 30, 10),
        ({"determination_days": 15}, 15, 10),
        ({"payment_days": 5}, 30, 5),
        ({"determination_days": 40}, 30, 10),
    ],
)
def test_a_contract_may_shorten_the_terms_of_the_law_and_never_lengthens_them(
    agreed: dict[str, int], determination: int, payment: int
) -> None:
    book = with_terms(claim(BEIJING), Agreed.model_validate(agreed).terms)
    held = {bound.duty.id: bound for bound in book.duties}
    lengths = [held[ident].duty.within.amount for ident in ("claim_determination", "claim_payment")]
    assert lengths == [determination, payment]
    shortened = [ident for ident in ("claim_determination", "claim_payment") if held[ident].cites.by is By.CONTRACT]
    assert len(shortened) == (determination < 30) + (payment < 10)
