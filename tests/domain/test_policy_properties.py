"""Whatever people do in whatever order: a policy answers with a decision or a refusal, counts its steps, and rests."""

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.calendar import local_date
from domain.decision import Decision
from domain.hazard import life as hazards
from domain.hazard import views as hazard_views
from domain.policy import life, views
from models.contracts import hazard as hazard_commands
from models.contracts import policy as commands
from models.contracts.base import Actor, Command
from models.contracts.case import AcknowledgeDuty, AdoptCalendar, AnswerDuty, ExtendDuty, TakeOverDuty
from models.contracts.hazard import HazardNews
from models.contracts.vocabulary import (
    Event,
    HazardGrade,
    HazardStage,
    PolicyKind,
    ServiceItem,
    Size,
    SpendPurpose,
    SurrenderReason,
    SuspendReason,
)
from tests.domain.lives import (
    ANHUI,
    ENTERPRISE,
    FILE,
    JILIN,
    OPERATOR,
    SIGNED,
    SUZHOU,
    XIAMEN,
    ZHEJIANG,
    Danger,
    Life,
    library,
    visit,
)
from tests.domain.lives import found as hazard
from tests.makers import DEPARTMENT, SOMEBODY

SEVERAL = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
REGIONS = st.sampled_from([SUZHOU, XIAMEN, ZHEJIANG, JILIN, ANHUI])
ACTORS = st.sampled_from([SOMEBODY, DEPARTMENT, ENTERPRISE, OPERATOR])
FACTS = st.none() | st.dates(date(2024, 2, 25), date(2025, 9, 1))
DAYS = st.dates(date(2024, 2, 25), date(2025, 9, 1))
DUTIES = st.sampled_from(
    [
        "policy_upload",
        "service_completion",
        "first_service",
        "renewal",
        "renewal#2",
        "service_in_year",
        "yearly_service",
        "contract_services",
        "rectification",
        "rectification#2",
        "recheck",
        "department_answer",
    ]
)
NUMBERS = st.sampled_from(["N-1", "N-2", "N-3"])
ITEMS = st.lists(st.sampled_from(ServiceItem), min_size=1, max_size=3, unique=True).map(tuple)


def made(kind: type[Command], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Command]:
    return st.fixed_dictionaries(fields).map(lambda values: kind.model_validate(values))


def visits() -> st.SearchStrategy[Command]:
    grades = st.lists(st.sampled_from(HazardGrade), max_size=2)
    return st.builds(
        lambda number, on, items, found: visit(
            number, on, *(hazard(f"{number}-{index}", grade=grade) for index, grade in enumerate(found)), items=items
        ),
        NUMBERS,
        DAYS,
        ITEMS,
        grades,
    )


OF_DUTIES = (
    made(ExtendDuty, duty=DUTIES, days=st.integers(1, 30), reason=st.just("事由")),
    made(AcknowledgeDuty, duty=DUTIES),
    made(TakeOverDuty, duty=DUTIES),
    made(AnswerDuty, duty=DUTIES, answer=st.just("已处理")),
)
COMMANDS = st.one_of(
    made(commands.UploadPolicy, file=st.just(FILE), on=FACTS),
    made(commands.NameProvider, provider_name=st.just("某评估公司"), on=FACTS),
    made(commands.FilePlan, items=ITEMS, goals=st.just("目标"), on=FACTS),
    made(commands.ConfirmPlan, on=FACTS),
    visits(),
    made(commands.CompleteService, confirmed_by_insured=st.booleans(), on=FACTS),
    made(commands.RecordSpend, number=NUMBERS, amount=st.just("10.00"), purpose=st.sampled_from(SpendPurpose), on=DAYS),
    made(
        commands.SuspendClock, reason=st.sampled_from(SuspendReason), note=st.just("事由"), from_on=DAYS, until_on=FACTS
    ),
    made(commands.ResumeClock, last_day_on=DAYS, note=st.just("恢复")),
    made(commands.ExcuseDuty, duty=DUTIES, reason=st.just("理由")),
    made(
        commands.EndorsePolicy,
        number=NUMBERS,
        effective_on=DAYS,
        reason=st.just("批改"),
        expires_on=st.none() | st.dates(date(2024, 3, 5), date(2026, 12, 31)),
    ),
    made(commands.RenewPolicy, next_number=st.just("P-2"), on=FACTS),
    made(commands.FileOutOfArea, filing=st.just("BB-1"), on=FACTS),
    made(AdoptCalendar, calendar=st.just(library().calendar())),
    *OF_DUTIES,
)
SURRENDER = made(
    commands.SurrenderPolicy,
    reason=st.sampled_from(SurrenderReason),
    on=DAYS,
    note=st.just("事由"),
    evidence=st.just(FILE),
)
NEWS = st.builds(
    HazardNews,
    number=st.sampled_from(["N-1-0", "N-2-0", "N-9-9"]),
    grade=st.sampled_from(HazardGrade),
    stage=st.sampled_from(HazardStage),
    refused=st.booleans(),
)
WAITS = st.timedeltas(timedelta(0), timedelta(days=60))
MOVES = st.lists(st.tuples(WAITS, st.booleans(), st.one_of(COMMANDS, SURRENDER, NEWS), ACTORS), max_size=25)
TERMS = st.fixed_dictionaries(
    {
        "region": REGIONS,
        "size": st.sampled_from(Size),
        "kind": st.sampled_from(PolicyKind),
        "out_of_area": st.booleans(),
        "expires_on": st.sampled_from([date(2024, 6, 30), date(2025, 3, 4), date(2027, 3, 4)]),
    }
)


def moved(life_led: Life, wait: timedelta, asleep: bool, move: Command | HazardNews, actor: Actor) -> None:
    """Some time passes, with or without a worker that rings in time; then somebody does something."""
    then = life_led.now + wait
    if asleep:
        life_led.now = then
    else:
        life_led.until(then)
    if isinstance(move, HazardNews):
        heard = life.hear(life_led.state, move, life_led.now)
        life_led.state = heard.state if heard else life_led.state
    elif life_led.refused(move, actor) is None:
        assert isinstance(life_led.act(move, actor), Decision)


def rests(life_led: Life) -> None:
    alarm = life.next_alarm(life_led.state)
    if alarm is not None and alarm <= life_led.now:
        life_led.ring(life_led.now)
        alarm = life.next_alarm(life_led.state)
    assert alarm is None or alarm > life_led.now, "the loop would spin"


@SEVERAL
@given(TERMS, MOVES, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_any_life_at_all(more: dict[str, Any], moves: list[Any], entered_after: timedelta) -> None:
    entered = SIGNED + timedelta(minutes=5) + entered_after
    if local_date(entered) > more["expires_on"]:
        entered = SIGNED + timedelta(minutes=5)
    led = Life.opened(entered, **more)
    for move in moves:
        moved(led, *move)
        rests(led)
        shown = views.view(led.state)
        assert views.row(led.state, shown, shown.model_dump(mode="json")).next_alarm_at == life.next_alarm(led.state)
    led.until(datetime(2029, 1, 1, tzinfo=SIGNED.tzinfo))
    assert life.over(led.state), "every life comes to an end"
    assert all(not one.is_open for one in led.state.clock.duties)
    keys = [notice.key for notice in led.record.notices]
    assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
    fired = [(line.duty_key, line.data["moment"]) for line in led.record.lines(Event.RUNG_FIRED)]
    assert len(fired) == len(set(fired)), "each rung at most once"


HAZARD_COMMANDS = st.one_of(
    made(hazard_commands.ConfirmTold, on=FACTS),
    made(hazard_commands.ClaimRectification, note=st.just("已整改"), evidence=st.just((FILE,)), on=FACTS),
    made(hazard_commands.RefuseRectification, note=st.just("不整改"), on=FACTS),
    made(hazard_commands.RecheckHazard, passed=st.just(True), note=st.just("合格"), on=FACTS),
    made(hazard_commands.RecheckHazard, passed=st.just(False), note=st.just("不合格"), on=FACTS, due_on=FACTS),
    made(AdoptCalendar, calendar=st.just(library().calendar())),
    *OF_DUTIES,
)


@SEVERAL
@given(
    REGIONS,
    st.sampled_from(HazardGrade),
    st.none() | st.dates(date(2024, 4, 1), date(2024, 6, 1)),
    st.lists(st.tuples(WAITS, HAZARD_COMMANDS, ACTORS), max_size=20),
)
def test_any_hazard_at_all(region: str, grade: HazardGrade, due_on: date | None, moves: list[Any]) -> None:
    led = Danger.found(region, grade, due_on=due_on)
    for wait, command, actor in moves:
        led.until(led.now + wait)
        if led.refused(command, actor) is None:
            led.act(command, actor)
        alarm = hazards.next_alarm(led.state)
        assert alarm is None or alarm > led.now, "the loop would spin"
        shown = hazard_views.view(led.state)
        hazard_views.row(led.state, shown, shown.model_dump(mode="json"))
    led.until("2026-01-01")
    assert hazards.next_alarm(led.state) is None
    keys = [notice.key for notice in led.record.notices]
    assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
    assert len(led.record.lines(Event.HAZARD_REPORTED)) <= 1
