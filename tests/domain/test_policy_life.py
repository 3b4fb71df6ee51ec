"""A policy's life under the packs of five places: what is owed when, who is told, and how it ends."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import clock as clocks
from domain.policy import life as decisions
from domain.policy import views
from models.contracts import policy as commands
from models.contracts.case import AcknowledgeDuty, AnswerDuty, TakeOverDuty
from models.contracts.hazard import HazardNews
from models.contracts.vocabulary import (
    Event,
    HazardGrade,
    HazardStage,
    NoticeKind,
    PolicyKind,
    PolicyStage,
    Sector,
    ServiceItem,
    Size,
    SpendPurpose,
    StopReason,
    SurrenderReason,
)
from tests.domain.lives import ANHUI, FILE, JILIN, SUZHOU, XIAMEN, ZHEJIANG, Life, at, found, visit
from tests.domain.test_policy_refusals import CONFIRM, PLAN, PROVIDER, UPLOAD, endorse, planned, spend, surrender
from tests.makers import DEPARTMENT

COMPLETE = commands.CompleteService(confirmed_by_insured=True)


def due(life: Life, duty: str) -> date | None:
    running = clocks.running(life.state.clock, duty)
    assert running
    bound = clocks.bound(life.state.rulebook, running.duty)
    return clocks.project(bound.duty, running, life.state.clock, life.state.calendar).effective


def served(region: str = SUZHOU) -> Life:
    life = planned(region)
    for command in (CONFIRM, visit("V-1", date(2024, 3, 8)), COMPLETE):
        life.act(command)
    return life


class TestTheWay:
    def test_each_command_brings_the_policy_one_stage_further(self) -> None:
        life, stages = Life.opened().until("2024-03-08T12:00"), []
        for command in (UPLOAD, PROVIDER, PLAN, CONFIRM, visit("V-1", date(2024, 3, 8)), COMPLETE):
            life.act(command)
            stages.append(life.state.stage)
        assert stages == list(PolicyStage)[1:7]

    def test_a_later_step_never_takes_the_stage_back(self) -> None:
        life = served()
        life.act(commands.NameProvider(provider_name="另一家"))
        assert (life.state.stage, life.state.provider_name) == (PolicyStage.SERVED, "另一家")

    @pytest.mark.obligation("SZ-23")
    def test_the_insured_is_asked_to_agree_with_every_plan(self) -> None:
        life = planned()
        life.act(PLAN)
        asked = [notice for notice in life.record.notices if notice.kind is NoticeKind.PLAN_CONFIRMATION]
        assert len({notice.key for notice in asked}) == 2

    @pytest.mark.obligation("SZ-20", "SZ-21a", "SZ-21b", "SZ-21c", "SZ-35", "SZ-37")
    def test_nothing_done_in_suzhou_is_told_on_the_days_of_the_notice(self) -> None:
        told = (
            Life.opened()
            .until("2024-05-31")
            .record.told("policy_upload", "provider_naming", "plan_filing", "service_completion")
        )
        assert told == [
            ("2024-03-06", "-2d", "insurer"),
            ("2024-03-09", "due", "insurer"),
            ("2024-03-09", "due", "emergency"),
            ("2024-03-11", "-35d", "insurer"),
            ("2024-03-16", "-30d", "insurer"),
            ("2024-03-16", "+7d", "financial"),
            ("2024-04-12", "-3d", "insurer"),
            ("2024-04-16", "due", "insurer"),
            ("2024-04-16", "due", "emergency"),
            ("2024-04-23", "+7d", "financial"),
        ]

    @pytest.mark.obligation("SZ-20", "SZ-21c")
    def test_what_was_done_in_time_is_spoken_of_no_more(self) -> None:
        told = served().until("2024-05-31").record.told("policy_upload", "service_completion")
        assert told == [("2024-03-06", "-2d", "insurer")]

    @pytest.mark.obligation("SZ-A2")
    @pytest.mark.parametrize(("size", "held"), [(Size.LARGE, True), (Size.MEDIUM, True), (Size.SMALL, False)])
    def test_the_first_service_counts_from_effect_for_medium_and_larger(self, size: Size, held: bool) -> None:
        life = Life.opened(size=size, effective_on=date(2024, 3, 20), expires_on=date(2025, 3, 19))
        running = clocks.running(life.state.clock, "first_service")
        assert (running is not None) is held
        if running:
            assert due(life, "first_service") == date(2024, 5, 6), "4 May is a Saturday of the Labour Day holiday"
            assert life.until("2024-06-30").record.told("first_service") == [], "it scores, it does not escalate"

    @pytest.mark.obligation("SZ-A2")
    def test_a_stated_reason_ends_the_first_service_and_nothing_else(self) -> None:
        life = Life.opened().until("2024-03-08T12:00")
        life.act(commands.ExcuseDuty(duty="first_service", reason="企业停产"))
        reasons = {one.duty: one.stop_reason for one in life.state.clock.duties if not one.is_open}
        assert reasons == {"first_service": StopReason.EXCUSED}


class TestYears:
    @pytest.mark.obligation("JL-20")
    def test_jilin_owes_a_qualified_service_in_every_policy_year(self) -> None:
        life = Life.opened(region=JILIN, kind=PolicyKind.PROJECT, expires_on=date(2027, 3, 4)).until("2024-06-01")
        life.act(PROVIDER)
        life.act(visit("V-1", date(2024, 6, 1), items=(ServiceItem.TRAINING,)))
        assert clocks.running(life.state.clock, "yearly_service").is_open, "training is neither kind"  # pyright: ignore
        life.act(visit("V-2", date(2024, 6, 1)))
        life.until("2026-06-01")
        met = {one.key: one.met_at is not None for one in life.state.clock.duties if one.duty == "yearly_service"}
        assert met == {"yearly_service": True, "yearly_service#2": False, "yearly_service#3": False}
        assert [day for day, moment, _ in life.record.told("yearly_service#2") if moment == "due"] == ["2026-03-05"] * 2

    @pytest.mark.obligation("JL-06a", "XM-25b")
    @pytest.mark.parametrize("region", [JILIN, XIAMEN])
    def test_the_frequency_of_the_contract_is_counted_anew_each_year(self, region: str) -> None:
        life = Life.opened(region=region, expires_on=date(2026, 3, 4)).until("2024-06-01")
        life.act(PROVIDER)
        for number in ("V-1", "V-2"):
            assert clocks.running(life.state.clock, "contract_services").is_open  # pyright: ignore
            life.act(visit(number, date(2024, 6, 1)))
        assert not clocks.running(life.state.clock, "contract_services").is_open  # pyright: ignore
        life.until("2025-03-06")
        assert life.state.visits_this_year == 0
        life.act(visit("V-3", date(2025, 3, 5)))
        second = clocks.running(life.state.clock, "contract_services#2")
        assert second
        assert second.is_open, "one of two in the second year"

    def test_a_contract_without_a_frequency_owes_none(self) -> None:
        life = Life.opened(services_per_year=None)
        assert clocks.running(life.state.clock, "contract_services") is None
        assert clocks.running(life.state.clock, "service_in_year")

    def test_a_long_sleep_starts_every_year_it_slept_through(self) -> None:
        life = Life.opened(kind=PolicyKind.PROJECT, expires_on=date(2027, 3, 4))
        life.ring(at("2026-06-01"))
        assert life.state.year == 3
        alarm = decisions.next_alarm(life.state)
        assert alarm
        assert alarm > life.now


class TestMoney:
    @pytest.mark.obligation("SZ-27a", "SZ-28a", "SZ-28b", "AH-05c", "XM-30", "ZJ-25")
    def test_spending_adds_up_and_setting_aside_is_kept_apart(self) -> None:
        life = planned()
        life.act(spend("S-1", amount="8000.10"))
        life.act(spend("S-2", amount="0.90", purpose=SpendPurpose.EMERGENCY_DRILL))
        life.act(spend("S-3", amount="5000.00", provision=True))
        view = views.view(life.state)
        assert (view.spent, view.provided, view.spend_floor) == (Decimal("8001.00"), Decimal(5000), Decimal(12000))
        purposes = [line.data["purpose"] for line in life.record.lines(Event.SPEND_RECORDED)]
        assert purposes == ["training", "emergency_drill", "training"]

    @pytest.mark.obligation("SZ-27a", "XM-30", "JL-18", "AH-05a")
    @pytest.mark.parametrize(
        ("region", "floor"),
        [(SUZHOU, "12000"), (XIAMEN, "20000"), (JILIN, "10000"), (ANHUI, "10000"), (ZHEJIANG, None)],
    )
    def test_the_floor_is_the_share_of_the_place(self, region: str, floor: str | None) -> None:
        assert views.spend_floor(Life.opened(region=region).state) == (Decimal(floor) if floor else None)

    @pytest.mark.obligation("SZ-27a", "XM-30", "JL-18", "AH-05a")
    @pytest.mark.parametrize(
        ("region", "floor"), [(SUZHOU, "1481.49"), (XIAMEN, "2469.14"), (JILIN, "1234.57"), (ANHUI, "1234.57")]
    )
    def test_a_fraction_of_a_fen_makes_the_floor_a_whole_one_for_less_would_be_below_it(
        self, region: str, floor: str
    ) -> None:
        """12 %, 20 % and 10 % of 12345.67 are 1481.4804, 2469.134 and 1234.567."""
        life = Life.opened(region=region, premium_total="12345.67")
        assert views.spend_floor(life.state) == Decimal(floor)


class TestSuspension:
    def test_a_stopped_plant_gets_its_days_back(self) -> None:
        life = Life.opened().until("2024-03-08T12:00")
        before = due(life, "service_completion")
        life.act(commands.SuspendClock(reason="production_stopped", note="停产", from_on=date(2024, 3, 8)))  # pyright: ignore
        assert due(life, "service_completion") is None
        assert life.until("2024-04-30").record.told("service_completion") == []
        life.act(commands.ResumeClock(last_day_on=date(2024, 4, 17), note="复产"))
        assert before
        assert due(life, "service_completion") == date(2024, 5, 27), "41 days later is Sunday 26 May"

    def test_only_the_named_duty_stands_still(self) -> None:
        life = Life.opened().until("2024-03-04T12:00")
        plain = {"reason": "disaster", "note": "洪水", "from_on": "2024-03-04", "duties": ["service_completion"]}
        life.act(commands.SuspendClock.model_validate(plain))
        assert due(life, "policy_upload") == date(2024, 3, 8)
        assert due(life, "service_completion") is None


class TestHearing:
    def test_taking_over_silences_the_ladder_and_leaves_the_duty_open(self) -> None:
        life = Life.opened().until("2024-03-09T09:00")
        life.act(TakeOverDuty(duty="policy_upload"), DEPARTMENT)
        told = life.until("2024-04-01").record.told("policy_upload")
        assert ("2024-03-16", "+7d", "financial") not in told
        assert clocks.running(life.state.clock, "policy_upload").is_open  # pyright: ignore
        assert life.refused(UPLOAD) is None

    def test_an_acknowledged_duty_still_climbs_to_the_next_recipient(self) -> None:
        life = Life.opened().until("2024-03-09T09:00")
        life.act(AcknowledgeDuty(duty="policy_upload", note="已阅"), DEPARTMENT)
        assert ("2024-03-16", "+7d", "financial") in life.until("2024-04-01").record.told("policy_upload")

    def test_an_answer_is_on_record_with_who_gave_it(self) -> None:
        life = Life.opened().until("2024-03-09T09:00")
        life.act(AnswerDuty(duty="policy_upload", answer="已约谈该机构"), DEPARTMENT)
        (line,) = life.record.lines(Event.DEPARTMENT_ANSWERED)
        assert "市应急局" in line.said
        assert "已约谈该机构" in line.said


class TestEnds:
    @pytest.mark.obligation("XM-13", "XM-14", "ZJ-31a")
    def test_reminded_three_times_lapsed_once_told_to_the_sector_department(self) -> None:
        told = Life.opened(region=XIAMEN).until("2025-06-30").record.told("renewal")
        assert told == [
            *(("2025-02-02", "-30d", who) for who in ("insured", "insurer")),
            *(("2025-02-17", "-15d", who) for who in ("insured", "insurer")),
            *(("2025-02-25", "-7d", who) for who in ("insured", "insurer")),
            *(("2025-03-05", "due", who) for who in ("insured", "insurer", "industry")),
        ]

    @pytest.mark.obligation("XM-13", "XM-14")
    @pytest.mark.parametrize("more", [{"kind": PolicyKind.PROJECT}, {"sector": Sector.OTHER}])
    def test_the_end_of_a_building_site_or_of_voluntary_cover_is_no_lapse_for_a_department(
        self, more: dict[str, Any]
    ) -> None:
        told = Life.opened(region=XIAMEN, **more).until("2025-06-30").record.told("renewal")
        assert {who for _, _, who in told} == {"insured", "insurer"}
        assert told[-1][:2] == ("2025-03-05", "due")

    def test_a_renewal_in_time_ends_quietly_as_renewed(self) -> None:
        life = served().until("2025-02-10")
        life.act(commands.RenewPolicy(next_number="P-2"))
        life.act(visit("V-2", date(2025, 2, 10)))
        life.until("2025-03-06")
        assert (life.state.stage, decisions.over(life.state)) == (PolicyStage.RENEWED, True)
        assert all(moment != "due" for _, moment, _ in life.record.told("renewal"))

    def test_what_was_missed_climbs_on_after_the_end_of_cover_and_then_the_case_closes(self) -> None:
        life = Life.opened().until("2025-03-05")
        assert (life.state.stage, life.state.ended_at) == (PolicyStage.EXPIRED, None)
        life.until("2025-04-01")
        assert life.state.ended_at == at("2025-03-12")
        assert ("2025-03-12", "+7d", "financial") in life.record.told("service_in_year")
        assert all(not one.is_open for one in life.state.clock.duties)
        assert decisions.next_alarm(life.state) is None

    def test_a_late_renewal_is_still_put_on_record(self) -> None:
        life = Life.opened().until("2025-03-06T10:00")
        life.act(commands.RenewPolicy(next_number="P-2", on=date(2025, 3, 6)))
        assert life.state.stage is PolicyStage.RENEWED
        assert life.until("2025-04-01").state.ended_at

    @pytest.mark.obligation("XM-14")
    def test_a_surrender_stops_every_clock_with_its_reason_and_tells_three(self) -> None:
        life = planned(XIAMEN)
        life.act(CONFIRM)
        life.act(visit("V-1", date(2024, 3, 8), found("H-1"), found("H-2")))
        news = HazardNews(number="H-2", grade=HazardGrade.ORDINARY, stage=HazardStage.CLOSED)
        life.state = decisions.hear(life.state, news, life.now).state  # pyright: ignore[reportOptionalMemberAccess]
        decision = life.act(surrender(SurrenderReason.FULLY_STOPPED, on=date(2024, 3, 8)))
        assert decision.stopped == ("hazard/pingan/P-1/H-1",), "a closed hazard needs no stopping"
        assert {one.stop_reason for one in life.state.clock.duties if one.met_at is None} == {StopReason.SURRENDERED}
        told = [notice.to.value for notice in decision.notices if notice.kind is NoticeKind.POLICY_SURRENDERED]
        assert told == ["insurer", "insured", "industry"]
        assert decisions.over(life.state)
        assert decisions.next_alarm(life.state) is None


class TestEndorsement:
    def test_terms_change_and_what_was_pinned_stays(self) -> None:
        life = planned()
        before = life.state.rulebook
        life.act(endorse(premium_total="200000.00", headcount=60, insured_headcount=60))
        assert views.spend_floor(life.state) == Decimal(24000)
        assert life.state.rulebook == before

    def test_a_later_end_moves_renewal_year_and_expiry(self) -> None:
        life = served()
        life.act(endorse(expires_on=date(2025, 6, 30)))
        assert due(life, "renewal#2") == date(2025, 6, 30)
        (told,) = [notice for notice in life.record.notices if notice.kind is NoticeKind.DATE_MOVED]
        assert (told.to.value, told.about.effective) == ("insured", date(2025, 6, 30))
        life.until("2025-07-01")
        assert life.state.stage is PolicyStage.EXPIRED
        assert life.record.told("renewal#2")[1] == ("2025-05-31", "-30d", "insured")

    def test_reminders_of_the_old_end_are_no_reminders_of_the_new_one(self) -> None:
        life = served().until("2025-02-20T09:00")
        life.act(endorse(expires_on=date(2025, 6, 30)))
        life.until("2025-07-02")
        days = [day for day, _, role in life.record.told() if role == "insured" and day > "2025-02-20"]
        assert days == ["2025-05-31", "2025-06-15", "2025-06-23", "2025-07-01"]
        assert len({notice.key for notice in life.record.notices}) == len(life.record.notices)

    def test_an_end_brought_forward_makes_no_flood_of_reminders(self) -> None:
        life = served().until("2025-01-10T09:00")
        life.act(endorse(expires_on=date(2025, 1, 15)))
        told = [row for row in life.until("2025-01-17").record.told() if row[2] == "insured" and row[0] >= "2025-01-10"]
        assert len([row for row in told if row[0] == "2025-01-10"]) == 1
        assert told[-1][:2] == ("2025-01-16", "due")


class TestRateReview:
    def heard(self, grade: HazardGrade, refused: bool) -> Life:
        life = planned(XIAMEN)
        life.act(visit("V-1", date(2024, 3, 8), found("H-1", grade=grade)))
        decision = decisions.hear(
            life.state, HazardNews(number="H-1", grade=grade, stage=HazardStage.REFUSED, refused=refused), life.now
        )
        assert decision
        life.state = decision.state
        life.record.keep(decision)
        return life

    @pytest.mark.obligation("XM-28b", "JL-17a")
    def test_a_refused_major_hazard_marks_the_policy_and_raises_nothing(self) -> None:
        life = self.heard(HazardGrade.MAJOR, refused=True)
        assert life.state.rate_review
        assert len(life.record.lines(Event.RATE_REVIEW_MARKED)) == 1
        assert life.state.terms.premium_total == Decimal(100000)

    @pytest.mark.parametrize(("grade", "refused"), [(HazardGrade.ORDINARY, True), (HazardGrade.MAJOR, False)])
    def test_anything_less_does_not(self, grade: HazardGrade, refused: bool) -> None:
        assert not self.heard(grade, refused).state.rate_review

    def test_news_of_an_unknown_hazard_or_for_an_ended_policy_change_nothing(self) -> None:
        life = self.heard(HazardGrade.MAJOR, refused=True)
        unknown = HazardNews(number="H-9", grade=HazardGrade.MAJOR, stage=HazardStage.CLOSED)
        assert decisions.hear(life.state, unknown, life.now) is None
        over = life.until(datetime.fromisoformat("2025-12-01T00:00:00+08:00"))
        known = unknown.model_copy(update={"number": "H-1"})
        assert decisions.hear(over.state, known, over.now + timedelta(days=1)) is None


def test_what_was_found_is_told_after_the_summary_whichever_sign_that_ends_with() -> None:
    told = {
        planned().act(visit("V-1", date(2024, 3, 8), summary=summary)).happened[0].said
        for summary in ("现场排查", "现场排查。", "现场排查；")
    }
    assert told == {"第 1 次服务：现场排查；发现隐患 0 处"}


def test_a_hazard_carries_what_it_needs_of_its_policy() -> None:
    life = planned()
    decision = life.act(visit("V-1", date(2024, 3, 8), found("H-1", told_on=date(2024, 3, 8), receipt=FILE)))
    (birth,) = decision.births
    assert birth.packs == life.state.rulebook.packs
    assert (birth.workflow_id, birth.policy_workflow_id) == ("hazard/pingan/P-1/H-1", "policy/pingan/P-1")
    assert life.state.hazards[0].stage is HazardStage.TOLD
