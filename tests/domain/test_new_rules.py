"""A running case takes newer documents: nobody is made late by it, nothing is told twice, all of it is on record."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain import clock as clocks
from domain import new_rules
from domain.claim import life as claims
from domain.hazard import life as hazards
from domain.policy import views
from models.contracts.base import Actor
from models.contracts.case import AcknowledgeDuty, AdoptRules
from models.contracts.duty import Within
from models.contracts.rulebook import BoundDuty, PackRef, Rulebook
from models.contracts.vocabulary import Event, NoticeKind, PolicyStage, Role, RuleShift, StopReason, TermUnit
from tests.domain.claim_lives import Claim
from tests.domain.lives import OPERATOR, Danger, Life, at, given
from tests.domain.test_policy_refusals import UPLOAD
from tests.makers import DEPARTMENT, SOMEBODY

SERVICE, UPLOADED = "service_completion", "policy_upload"
NEWER = PackRef(region="341300", in_force_on=date(2024, 3, 10), digest="e" * 64)


def newer(book: Rulebook, **duties: Any) -> Rulebook:
    """The rulebook under a newer document of its place: terms in days by duty, `None` takes a duty out."""
    packs = (*book.packs[:-1], NEWER.model_copy(update={"region": book.packs[-1].region}))
    cited = [one.model_copy(update={"cites": one.cites.model_copy(update={"number": "新文号"})}) for one in book.duties]
    held = tuple(_with(one, duties[one.duty.id]) if one.duty.id in duties else one for one in cited)
    return book.model_copy(update={"packs": packs, "duties": tuple(one for one in held if one)})


def _with(one: BoundDuty, days: int | None) -> BoundDuty | None:
    if days is None:
        return None
    within = Within(amount=days, unit=TermUnit.NATURAL_DAY)
    return one.model_copy(update={"duty": one.duty.model_copy(update={"within": within})})


def adopt(case: Life | Danger | Claim, book: Rulebook) -> AdoptRules:
    return AdoptRules(rulebook=book, instead_of=case.state.rulebook.packs, reason="新通知要求在办案卷照办")


def adopted(life: Life, on: str, **duties: Any) -> Life:
    life.until(on)
    life.act(adopt(life, newer(life.state.rulebook, **duties)), OPERATOR)
    return life


def due(life: Life, key: str) -> date | None:
    return {brief.key: brief.effective for brief in views.view(life.state).duties}.get(key)


def how(life: Life) -> dict[str, str]:
    return {line.duty_key: line.data["how"] for line in life.record.lines(Event.RULES_ADOPTED) if line.duty_key}


def told(life: Life) -> set[tuple[str, str]]:
    found = [notice for notice in life.record.notices if notice.kind is NoticeKind.RULES_CHANGED]
    return {(notice.about.duty_key, notice.to.value) for notice in found}


@pytest.mark.parametrize(
    ("on", "days", "expected", "last"),
    [
        ("2024-03-12", 60, RuleShift.LATER, date(2024, 4, 30)),
        ("2024-03-12", 30, RuleShift.EARLIER, date(2024, 4, 1)),
        ("2024-04-10", 30, RuleShift.KEPT, date(2024, 4, 15)),
        ("2024-04-20", 30, RuleShift.KEPT, date(2024, 4, 15)),
        ("2024-04-20", 60, RuleShift.LATER, date(2024, 4, 30)),
        ("2024-05-20", 60, RuleShift.KEPT, date(2024, 4, 15)),
        ("2024-03-12", None, RuleShift.GONE, None),
        ("2024-04-20", None, RuleShift.GONE, None),
    ],
)
def test_a_term_moves_where_nobody_is_made_late_by_it(
    on: str, days: int | None, expected: RuleShift, last: date | None
) -> None:
    """Signed on 1 March, 45 days: due on 15 April."""
    life = adopted(Life.opened(), on, **{SERVICE: days})
    assert how(life)[SERVICE] == expected.value
    assert due(life, SERVICE) == last


def test_the_case_is_pinned_to_the_new_documents_and_says_so_once() -> None:
    life = adopted(Life.opened(), "2024-03-12", **{SERVICE: 60})
    assert NEWER in life.state.rulebook.packs
    assert NEWER in views.view(life.state).packs
    first, *rest = life.record.lines(Event.RULES_ADOPTED)
    assert "2024年3月10日施行的一版" in first.said
    assert first.data["reason"] == "新通知要求在办案卷照办"
    assert [line.duty_key for line in rest] == [SERVICE], "other duties only cite another document"
    assert "由 2024年4月15日" in rest[0].said
    refusal = life.refused(adopt(life, life.state.rulebook), OPERATOR)
    assert refusal
    assert refusal.code == "already_done"


def test_reminders_follow_the_new_day_and_no_rung_is_told_twice_at_one_instant() -> None:
    life = adopted(Life.opened(), "2024-04-14", **{SERVICE: 60}).until("2024-05-10")
    moments = [(day, moment) for day, moment, _ in life.record.told(SERVICE)]
    assert [moment[:3] for day, moment in moments if day == "2024-05-01"] == ["due"] * 2
    assert [moment[:3] for day, moment in moments if day == "2024-04-27"] == ["-3d"], "a reminder of the new day"
    assert not any(day == "2024-04-16" for day, _ in moments), "the old day comes and nobody is called late"
    keys = [notice.key for notice in life.record.notices]
    assert len(set(keys)) == len(keys)


def test_adopting_at_the_very_instant_of_a_rung_does_not_tell_it_again() -> None:
    """Only who is told at the due day changes; the reminder of that midnight has gone out."""
    life = Life.opened().until("2024-04-12")
    before = [one for one in life.record.told(SERVICE) if one[0] == "2024-04-12"]
    assert before, "three days before"
    book = newer(life.state.rulebook)
    index = next(i for i, one in enumerate(book.duties) if one.duty.id == SERVICE)
    more = tuple(
        rung.model_copy(update={"tell": (*rung.tell, Role.INDUSTRY)}) if rung.at == "due" else rung
        for rung in book.duties[index].duty.ladder
    )
    duty = book.duties[index].duty.model_copy(update={"ladder": more})
    bound = book.duties[index].model_copy(update={"duty": duty})
    book = book.model_copy(update={"duties": (*book.duties[:index], bound, *book.duties[index + 1 :])})
    life.act(adopt(life, book), OPERATOR)
    assert how(life) == {SERVICE: "reworded"}
    life.until("2024-04-17")
    assert [one for one in life.record.told(SERVICE) if one[0] == "2024-04-12"] == before
    assert "industry" in {role for day, _, role in life.record.told(SERVICE) if day == "2024-04-16"}


def test_who_was_told_of_the_old_day_hears_of_the_new_one() -> None:
    """On 20 April emergency management had been told that the service is late."""
    life = adopted(Life.opened(), "2024-04-20", **{SERVICE: 60})
    assert told(life) >= {(SERVICE, "insurer"), (SERVICE, "emergency")}
    assert {key for key, _ in told(life)} == {SERVICE}


def test_what_has_run_out_goes_on_to_the_end_of_its_own_ladder() -> None:
    plain = Life.opened().until("2024-12-01").record.told(SERVICE)
    life = adopted(Life.opened(), "2024-04-20", **{SERVICE: 30}).until("2024-12-01")
    assert life.record.told(SERVICE) == plain
    assert told(life) == set()


def test_what_was_met_stays_met_under_the_rule_it_was_met_under() -> None:
    life = Life.opened()
    life.act(UPLOAD)
    adopted(life, "2024-03-12", **{UPLOADED: 3})
    running = clocks.running(life.state.clock, UPLOADED)
    assert running
    assert running.met_at
    assert clocks.rule(life.state.rulebook, running).cites.number == "应急监二〔2023〕84号"
    assert clocks.rule(life.state.rulebook, running).duty.within.amount == 7
    assert UPLOADED not in how(life)


def test_a_duty_the_new_documents_no_longer_know_stops_and_those_concerned_are_told() -> None:
    life = adopted(Life.opened(), "2024-04-20", **{SERVICE: None}).until("2025-03-01")
    running = clocks.running(life.state.clock, SERVICE)
    assert running
    assert running.stop_reason is StopReason.RULES_CHANGED
    assert told(life) >= {(SERVICE, "insurer"), (SERVICE, "emergency")}
    after = [day for day, moment, _ in life.record.told(SERVICE) if day > "2024-04-20"]
    assert after == []
    letter = next(notice for notice in life.record.notices if notice.kind is NoticeKind.RULES_CHANGED)
    assert letter.about.due_at is None
    assert "不再要求" in letter.about.note


@pytest.mark.parametrize(("days", "expected"), [(90, {UPLOADED: "new"}), (7, {UPLOADED: "past"})])
def test_a_duty_that_is_new_begins_where_its_end_lies_ahead(days: int, expected: dict[str, str]) -> None:
    life = Life.opened()
    whole = life.state.rulebook
    without = whole.model_copy(update={"duties": tuple(one for one in whole.duties if one.duty.id != UPLOADED)})
    clock = life.state.clock.model_copy(
        update={"duties": tuple(one for one in life.state.clock.duties if one.duty != UPLOADED)}
    )
    life.state = life.state.model_copy(update={"rulebook": without, "clock": clock})
    life.until("2024-04-10")
    life.act(adopt(life, newer(whole, **{UPLOADED: days})), OPERATOR)
    assert how(life) == expected
    assert (due(life, UPLOADED) is not None) == (days == 90)
    assert bool(told(life)) == (days == 90)


def test_what_is_new_and_already_done_is_not_asked_for() -> None:
    life = Life.opened()
    whole = life.state.rulebook
    clock = life.state.clock.model_copy(
        update={"duties": tuple(one for one in life.state.clock.duties if one.duty != UPLOADED)}
    )
    life.state = life.state.model_copy(update={"clock": clock})
    life.act(UPLOAD)
    adopted(life, "2024-04-10")
    assert how(life) == {}
    assert whole.packs != life.state.rulebook.packs


def test_what_a_department_said_is_still_said() -> None:
    life = Life.opened().until("2024-04-20")
    life.act(AcknowledgeDuty(duty=SERVICE), DEPARTMENT)
    adopted(life, "2024-04-20", **{SERVICE: 60})
    running = clocks.running(life.state.clock, SERVICE)
    assert running
    assert running.is_acknowledged


def test_adopting_twice_and_back_again_keeps_every_notice_apart() -> None:
    life = Life.opened()
    first = life.state.rulebook
    adopted(life, "2024-03-12", **{SERVICE: 60})
    life.now += timedelta(days=1)
    life.act(adopt(life, first), OPERATOR)
    assert due(life, SERVICE) == date(2024, 4, 15)
    life.until("2025-03-05")
    keys = [notice.key for notice in life.record.notices]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("back_on", "last"), [("2024-04-10", date(2024, 4, 15)), ("2024-04-20", None)])
def test_the_way_back_brings_back_what_had_gone(back_on: str, last: date | None) -> None:
    life = Life.opened()
    first = life.state.rulebook
    adopted(life, "2024-03-12", **{SERVICE: None}).until(back_on)
    life.act(adopt(life, first), OPERATOR)
    assert due(life, f"{SERVICE}#2") == last
    life.until("2025-03-05")
    keys = [notice.key for notice in life.record.notices]
    assert len(set(keys)) == len(keys)
    assert bool(life.record.told(f"{SERVICE}#2")) == (last is not None)


@pytest.mark.parametrize(
    ("change", "actor", "code"),
    [
        ({}, SOMEBODY, "not_an_operator"),
        ({"instead_of": ()}, OPERATOR, "rules_differ"),
        ({"region": "350200"}, OPERATOR, "rules_of_another"),
        ({"ahead": True}, OPERATOR, "rules_not_in_force"),
    ],
)
def test_what_is_not_taken(change: dict[str, Any], actor: Actor, code: str) -> None:
    life = Life.opened().until("2024-03-12")
    book = newer(life.state.rulebook)
    if "region" in change:
        book = book.model_copy(update=change)
    if "ahead" in change:
        ahead = NEWER.model_copy(update={"in_force_on": date(2024, 3, 13)})
        book = book.model_copy(update={"packs": (*book.packs[:-1], ahead)})
    command = adopt(life, book)
    command = command.model_copy(update={"instead_of": ()}) if "instead_of" in change else command
    refusal = life.refused(command, actor)
    assert refusal
    assert refusal.code == code


def test_a_policy_whose_cover_has_ended_keeps_its_rules() -> None:
    life = Life.opened().until("2025-03-06")
    assert life.state.stage is PolicyStage.EXPIRED
    refusal = life.refused(adopt(life, newer(life.state.rulebook)), OPERATOR)
    assert refusal
    assert refusal.code == "case_closed"


def test_a_hazard_takes_them_with_its_term_of_rectification() -> None:
    danger = Danger.found()
    book = newer(danger.state.rulebook, rectification=40)
    danger.act(adopt(danger, book), OPERATOR)
    assert how_of(danger.record.lines(Event.RULES_ADOPTED)) == {"rectification": "later"}
    assert hazards.next_alarm(danger.state)


def test_a_claim_takes_them_with_the_terms_of_its_contract() -> None:
    claim = Claim.reported()
    book = newer(claim.state.rulebook, claim_determination=20)
    before = {one.duty for one in claim.state.clock.duties}
    decision = claims.decide(claim.state, given(adopt(claim, book), "adopt", OPERATOR), claim.now)
    lines = [line for line in decision.happened if line.event is Event.RULES_ADOPTED]
    assert lines
    assert {one.duty for one in decision.state.clock.duties} >= before
    assert decision.state.rulebook.packs == book.packs


def how_of(lines: list[Any]) -> dict[str, str]:
    return {line.duty_key: line.data["how"] for line in lines if line.duty_key}


def test_what_is_foreseen_is_what_the_case_does() -> None:
    life = Life.opened().until("2024-04-20")
    book = newer(life.state.rulebook, **{SERVICE: 60, UPLOADED: None})
    _, foreseen = new_rules.shifted(new_rules.standing(life.state, book, at("2024-04-20")))
    life.act(adopt(life, book), OPERATOR)
    assert how(life) == {one.key: one.how.value for one in foreseen}
