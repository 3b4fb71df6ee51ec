"""Why a policy says no: every code once, with the clause where the place says so."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.calendar import local_date
from domain.policy.refusals import refuse_opening
from models.contracts import policy as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, ExtendDuty, TakeOverDuty
from models.contracts.pack import Rate
from models.contracts.policy import PastFact
from models.contracts.rulebook import BoundRate
from models.contracts.vocabulary import (
    By,
    Combine,
    Event,
    RateBase,
    Sector,
    ServiceItem,
    SpendPurpose,
    SurrenderReason,
)
from tests.domain.lives import (
    ANHUI,
    ENTERPRISE,
    FILE,
    JILIN,
    SUZHOU,
    XIAMEN,
    ZHEJIANG,
    Life,
    application,
    at,
    found,
    rules,
    visit,
)
from tests.makers import DEPARTMENT, SOMEBODY, citation

UPLOAD = commands.UploadPolicy(file=FILE)
PROVIDER = commands.NameProvider(provider_name="某评估公司")
PLAN = commands.FilePlan(items=(ServiceItem.HAZARD_INSPECTION,), goals="查清储罐区隐患")
CONFIRM = commands.ConfirmPlan()
COMPLETE = commands.CompleteService(confirmed_by_insured=True)
RENEW = commands.RenewPolicy(next_number="P-2")
DAY1, DAY2 = date(2024, 3, 4), date(2024, 3, 8)


def spend(number: str = "S-1", **more: Any) -> commands.RecordSpend:
    plain = {"number": number, "amount": "800.00", "purpose": SpendPurpose.TRAINING, "on": DAY1}
    return commands.RecordSpend.model_validate(plain | more)


def surrender(reason: SurrenderReason, **more: Any) -> commands.SurrenderPolicy:
    return commands.SurrenderPolicy(reason=reason, note="见证明", evidence=FILE, on=more.pop("on", DAY1))


def suspend(from_on: date = DAY1, until_on: date | None = None, *duties: str) -> commands.SuspendClock:
    plain = {"reason": "production_stopped", "note": "停产", "from_on": from_on, "until_on": until_on, "duties": duties}
    return commands.SuspendClock.model_validate(plain)


def endorse(number: str = "E-1", **more: Any) -> commands.EndorsePolicy:
    return commands.EndorsePolicy(number=number, effective_on=DAY1, reason="变更", **more)


def planned(region: str = SUZHOU) -> Life:
    life = Life.opened(region=region).until("2024-03-08T12:00")
    for command in (UPLOAD, PROVIDER, PLAN):
        life.act(command)
    return life


def serving(region: str = SUZHOU) -> Life:
    life = planned(region)
    life.act(CONFIRM)
    life.act(visit("V-1", DAY2, found("H-1")))
    return life


def code(life: Life, command: Command, actor: Actor = SOMEBODY) -> str | None:
    refusal = life.refused(command, actor)
    return refusal.code if refusal else None


@pytest.mark.obligation("SZ-04", "SZ-19", "AH-06a", "JL-06c")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (PLAN, "step_skipped"),
        (CONFIRM, "step_skipped"),
        (visit("V-1", DAY1), "step_skipped"),
        (COMPLETE, "step_skipped"),
        (UPLOAD, None),
        (PROVIDER, None),
    ],
)
@pytest.mark.parametrize("region", [SUZHOU, ANHUI, JILIN, ZHEJIANG, XIAMEN])
def test_no_step_is_skipped_in_any_place(region: str, command: Command, expected: str | None) -> None:
    assert code(Life.opened(region=region).until("2024-03-08T12:00"), command) == expected


@pytest.mark.obligation("SZ-04", "SZ-23")
def test_a_service_is_not_completed_before_the_insured_agreed_to_the_plan() -> None:
    life = planned()
    life.act(visit("V-1", DAY2))
    refusal = life.refused(COMPLETE)
    assert refusal
    assert (refusal.code, "二(五)" in refusal.clause) == ("gate_closed", True)


@pytest.mark.obligation("SZ-10b")
def test_insured_outside_the_city_no_plan_before_the_filing() -> None:
    life = Life.opened(out_of_area=True).until("2024-03-08T12:00")
    life.act(UPLOAD)
    life.act(PROVIDER)
    refusal = life.refused(PLAN)
    assert refusal
    assert refusal.code == "gate_closed"
    assert "二(三)" in refusal.clause
    life.act(commands.FileOutOfArea(filing="BB-1"))
    assert code(life, PLAN) is None
    assert code(life, commands.FileOutOfArea(filing="BB-2")) == "already_done"


@pytest.mark.obligation("AH-07a")
def test_in_anhui_a_plan_the_insured_has_not_confirmed_does_not_hold_the_service_up() -> None:
    life = planned(ANHUI)
    life.act(visit("V-1", DAY2))
    assert code(life, COMPLETE) is None


REFUSALS: list[tuple[str, Command, str]] = [
    ("uploaded twice", UPLOAD, "already_done"),
    ("the same visit twice", visit("V-1", DAY2), "already_done"),
    ("the same hazard twice", visit("V-2", DAY2, found("H-1")), "already_done"),
    ("a visit of tomorrow", visit("V-2", date(2024, 3, 9)), "date_in_future"),
    ("a visit before signing", visit("V-2", date(2024, 2, 29)), "date_out_of_range"),
    ("told before it was found", visit("V-2", DAY2, found("H-2", told_on=DAY1, receipt=FILE)), "date_out_of_range"),
    ("due before it was found", visit("V-2", DAY2, found("H-2", due_on=DAY1)), "date_out_of_range"),
    ("not confirmed", commands.CompleteService(confirmed_by_insured=False), "not_confirmed"),
    ("resumed though running", commands.ResumeClock(last_day_on=DAY2, note="复产"), "not_suspended"),
    ("ends before it begins", suspend(DAY2, DAY1), "date_out_of_range"),
    ("suspended far back", suspend(date(2024, 2, 1)), "date_out_of_range"),
    ("a duty nobody has", suspend(DAY1, None, "yearly_report"), "unknown_duty"),
    ("an expiry that is past", endorse(expires_on=date(2024, 3, 7)), "date_out_of_range"),
    ("more time for an upload", ExtendDuty(duty="policy_upload", days=3, reason="来不及"), "duty_closed"),
    (
        "more time for a plan",
        ExtendDuty(duty="service_completion", days=3, reason="忙"),
        "extension_not_allowed",
    ),
    ("an excuse the place does not know", commands.ExcuseDuty(duty="service_completion", reason="忙"), "not_excusable"),
    ("a duty of nobody", commands.ExcuseDuty(duty="recheck", reason="忙"), "unknown_duty"),
]


@pytest.mark.parametrize(("command", "expected"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_what_cannot_be_is_refused_with_its_code(command: Command, expected: str) -> None:
    refusal = serving().refused(command)
    assert refusal
    assert refusal.code == expected
    assert refusal.says


def test_repeats_are_known_by_their_numbers() -> None:
    life = serving()
    life.act(spend())
    life.act(endorse())
    life.act(suspend())
    assert code(life, spend()) == "already_done"
    assert code(life, endorse()) == "already_done"
    assert code(life, suspend()) == "already_suspended"
    assert code(life, commands.ResumeClock(last_day_on=date(2024, 3, 3), note="复产")) == "date_out_of_range"
    assert code(life, commands.ResumeClock(last_day_on=DAY2, note="复产")) is None


@pytest.mark.obligation("XM-30", "ZJ-25")
@pytest.mark.parametrize(("region", "says"), [(XIAMEN, "系统约定"), (ZHEJIANG, "法规规定")])
def test_nothing_is_set_aside_where_only_actual_cost_is_booked(region: str, says: str) -> None:
    """Zhejiang forbids it; Xiamen only wants actual cost booked, and that nothing else is registered is our reading."""
    refusal = Life.opened(region=region).until("2024-03-08T12:00").refused(spend(provision=True))
    assert refusal
    assert refusal.code == "provision_forbidden"
    assert says in refusal.clause


@pytest.mark.obligation("JL-18", "AH-05a", "SZ-27a")
@pytest.mark.parametrize("region", [JILIN, ANHUI, SUZHOU])
def test_a_sum_may_be_set_aside_where_the_notice_speaks_of_it(region: str) -> None:
    assert code(Life.opened(region=region).until("2024-03-08T12:00"), spend(provision=True)) is None


@pytest.mark.obligation("XM-31")
def test_xiamen_takes_every_purpose_of_prevention_for_its_list_is_open() -> None:
    life = Life.opened(region=XIAMEN).until("2024-03-08T12:00")
    assert [purpose for purpose in SpendPurpose if code(life, spend(purpose=purpose))] == []


def test_a_place_that_names_all_its_purposes_takes_no_other() -> None:
    life = Life.opened(region=XIAMEN).until("2024-03-08T12:00")
    (bound,) = life.state.rulebook.fees
    closed = bound.model_copy(update={"fees": bound.fees.model_copy(update={"purposes": (SpendPurpose.TRAINING,)})})
    life.state = life.state.model_copy(update={"rulebook": life.state.rulebook.model_copy(update={"fees": (closed,)})})
    assert code(life, spend(purpose=SpendPurpose.TRAINING)) is None
    assert code(life, spend(purpose=SpendPurpose.SAFETY_REWARD)) == "purpose_not_allowed"


@pytest.mark.obligation("XM-14", "ZJ-31b")
@pytest.mark.parametrize(
    ("region", "lawful"),
    [
        (XIAMEN, {SurrenderReason.CLOSED_BY_LAW, SurrenderReason.FULLY_STOPPED}),
        (ZHEJIANG, set(SurrenderReason) - {SurrenderReason.OTHER}),
        (SUZHOU, set(SurrenderReason)),
    ],
)
def test_a_policy_ends_early_only_for_the_reasons_of_its_place(region: str, lawful: set[SurrenderReason]) -> None:
    life = Life.opened(region=region).until("2024-03-08T12:00")
    refused = {reason: life.refused(surrender(reason)) for reason in SurrenderReason}
    assert {reason for reason, refusal in refused.items() if refusal is None} == lawful
    assert all(refusal.code == "surrender_not_lawful" and refusal.clause for refusal in refused.values() if refusal)


@pytest.mark.obligation("XM-14", "ZJ-31b")
@pytest.mark.parametrize("region", [XIAMEN, ZHEJIANG])
def test_who_insures_of_its_own_will_may_end_it_for_any_reason(region: str) -> None:
    life = Life.opened(region=region, sector=Sector.OTHER).until("2024-03-08T12:00")
    assert [reason for reason in SurrenderReason if code(life, surrender(reason))] == []


@pytest.mark.parametrize(
    ("region", "says"),
    [(XIAMEN, "厦应急规〔2022〕2号 二(三)（法规规定）"), (ZHEJIANG, "浙应急法规〔2022〕133号 二(五)（系统约定）")],
)
def test_a_refusal_says_whether_the_law_or_our_reading_of_it_stands_behind_it(region: str, says: str) -> None:
    life = Life.opened(region=region).until("2024-03-08T12:00")
    refusal = life.refused(surrender(SurrenderReason.OTHER))
    assert refusal
    assert refusal.clause == says


def test_an_order_of_steps_that_is_our_own_is_not_shown_as_the_notices() -> None:
    life = Life.opened(out_of_area=True).until("2024-03-04T09:00")
    life.act(PROVIDER)
    refusal = life.refused(PLAN)
    assert refusal
    assert (refusal.code, refusal.clause) == ("gate_closed", "应急监二〔2023〕84号 二(三)（系统约定）")


@pytest.mark.parametrize("command", [AcknowledgeDuty, TakeOverDuty])
def test_nobody_acknowledges_in_a_departments_name(command: type[Command]) -> None:
    heard = command.model_validate({"duty": "policy_upload"})
    life = Life.opened()
    for actor in (SOMEBODY, ENTERPRISE):
        refusal = life.refused(heard, actor)
        assert refusal
        assert (refusal.code, refusal.status) == ("not_a_department", 403)
    assert life.refused(heard, DEPARTMENT) is None


def test_after_the_end_only_what_completes_the_record_is_taken() -> None:
    ended = Life.opened().until("2025-03-06")
    assert code(ended, UPLOAD) == "case_closed"
    assert code(ended, suspend()) == "case_closed"
    assert code(ended, spend(on=date(2025, 3, 1))) is None
    assert code(ended, RENEW) is None
    closed = Life.opened().until("2025-04-30")
    assert code(closed, RENEW) == "case_closed"


class TestOpening:
    """Before a policy exists: what the place requires of a contract."""

    TODAY = date(2024, 3, 1)

    def code(self, region: str = SUZHOU, today: date = TODAY, facts: tuple[Any, ...] = (), **more: Any) -> str | None:
        command = application(facts, region=region, **more)
        refusal = refuse_opening(rules(command.terms).rulebook, command, today)
        assert refusal is None or refusal.status == 422
        return refusal.code if refusal else None

    def test_dates_must_make_sense(self) -> None:
        assert self.code(today=date(2024, 2, 29)) == "signed_in_future"
        assert self.code(today=date(2025, 3, 5)) == "already_expired"
        assert self.code(today=date(2025, 3, 4)) is None, "the last day of cover is a day of cover"

    def test_past_facts_must_be_of_this_policy_and_not_of_tomorrow(self) -> None:
        past = PastFact(event=Event.POLICY_UPLOADED, on=date(2024, 3, 4))
        assert self.code(facts=(past,)) == "date_out_of_range"
        assert self.code(today=date(2024, 3, 4), facts=(past,)) is None
        expired = PastFact(event=Event.POLICY_EXPIRED, on=self.TODAY)
        assert self.code(facts=(expired,)) == "fact_not_enterable"

    @pytest.mark.obligation("XM-09", "ZJ-33", "SZ-06c")
    def test_all_employees_where_the_place_demands_it(self) -> None:
        part: dict[str, Any] = {"headcount": 50, "insured_headcount": 49}
        assert self.code(XIAMEN, **part) == "required_field_missing"
        assert self.code(ZHEJIANG, **part) == "required_field_missing"
        assert self.code(SUZHOU, **part) is None

    def test_a_service_before_the_cover_is_not_entered_as_its_first_one(self) -> None:
        first = PastFact(event=Event.FIRST_SERVICE_DONE, on=date(2024, 3, 4))
        assert self.code(today=date(2024, 3, 8), facts=(first,)) == "date_out_of_range"
        assert self.code(today=date(2024, 3, 8), facts=(first,), effective_on=date(2024, 3, 4)) is None

    @pytest.mark.obligation("XM-16a", "JL-06b")
    def test_the_fields_a_contract_must_have(self) -> None:
        assert self.code(XIAMEN, limit_per_person=None) == "required_field_missing"
        assert self.code(JILIN, service_items=()) == "required_field_missing"
        assert self.code(JILIN, services_per_year=None) == "required_field_missing"
        assert self.code(SUZHOU, limit_per_person=None, service_items=(), services_per_year=None) is None

    def test_a_limit_below_a_floor_that_is_in_force_is_refused(self) -> None:
        """The national floor is known from reports only and switched off; what it would do is proved all the same."""
        rate = Rate(
            value="400000", base=RateBase.PER_PERSON, combine=Combine.MAX, label="下限", clause="十五", by=By.LAW
        )
        floor = {"limit_per_person_floor": BoundRate(rate=rate, cites=citation("十五"))}
        low = application(limit_per_person="399999.99")
        rulebook = rules(low.terms).rulebook
        assert refuse_opening(rulebook, low, self.TODAY) is None
        refusal = refuse_opening(rulebook.model_copy(update={"rates": floor}), low, self.TODAY)
        assert refusal
        assert refusal.code == "limit_below_floor"
        enough = application(limit_per_person=Decimal("400000.00"))
        assert refuse_opening(rulebook.model_copy(update={"rates": floor}), enough, self.TODAY) is None


@pytest.mark.obligation("XM-09", "ZJ-33")
@pytest.mark.parametrize("region", [XIAMEN, ZHEJIANG])
def test_an_endorsement_leaves_nobody_uncovered_where_all_must_be(region: str) -> None:
    life = planned(region)
    assert code(life, endorse(insured_headcount=49)) == "required_field_missing"
    assert code(life, endorse(headcount=51)) == "required_field_missing"
    assert code(life, endorse(headcount=51, insured_headcount=51)) is None
    assert code(life, endorse(premium_total="1.00")) is None
    assert code(planned(SUZHOU), endorse(insured_headcount=49)) is None


def test_time_for_an_extension_is_before_the_term_has_run_out() -> None:
    """Only rectification may be extended; its table stands with the hazards."""
    life = serving()
    assert local_date(life.now) == DAY2
    life.until(at("2024-04-16") + timedelta(hours=1))
    assert code(life, ExtendDuty(duty="service_completion", days=1, reason="忙")) == "extension_not_allowed"
