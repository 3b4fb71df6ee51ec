"""From rungs and happenings to notices with stable keys; routing finds departments, templates find words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain import clock as clocks
from domain.calendar import local_date
from domain.routing import departments
from domain.wording import counting
from models.contracts.calendar import WorkCalendar
from models.contracts.claim_state import ClaimState
from models.contracts.clock import Clock, PassedOn
from models.contracts.hazard import HazardState
from models.contracts.ids import notice_key
from models.contracts.notice import About, Firing, Notice
from models.contracts.policy_state import PolicyState
from models.contracts.rulebook import Citation, Rulebook
from models.contracts.vocabulary import DayMark, NoticeKind, Role, Sector, Urgency

AT_ONCE = frozenset(
    {
        (NoticeKind.MAJOR_HAZARD_REPORT, Role.EMERGENCY),
        (NoticeKind.MAJOR_HAZARD_REPORT, Role.INDUSTRY),
        (NoticeKind.MAJOR_HAZARD_REPORT, Role.HUMAN_QUEUE),
        (NoticeKind.HAZARD_NOTICE, Role.INSURED),
        (NoticeKind.OBJECTION_ANSWER, Role.INSURED),
        (NoticeKind.MORE_TIME_ANSWER, Role.INSURED),
        (NoticeKind.PLAN_CONFIRMATION, Role.INSURED),
        (NoticeKind.POLICY_OPENED, Role.INSURED),
        (NoticeKind.CLAIM_OPENED, Role.INSURED),
        (NoticeKind.DOCUMENTS_REQUESTED, Role.INSURED),
        (NoticeKind.CLAIM_RESULT, Role.INSURED),
        (NoticeKind.CLAIM_REFUSED, Role.INSURED),
        (NoticeKind.CLAIM_WITHDRAWN, Role.INSURED),
        (NoticeKind.ACCIDENT_REGRADED, Role.INSURER),
        (NoticeKind.PAYMENT_STUCK, Role.INSURER),
        (NoticeKind.PAYMENT_STUCK, Role.HUMAN_QUEUE),
    }
)
"""What waits neither for office hours nor for a digest, and for whom; a portfolio's insurer gets one digest."""
Case = PolicyState | HazardState | ClaimState
PARTIES = frozenset({Role.INSURER, Role.INSURED, Role.PROVIDER, Role.BROKER, Role.HUMAN_QUEUE})


@dataclass(frozen=True)
class CaseFacts:
    """What notices need to know of a case, of whatever kind."""

    case_id: UUID
    region: str
    sector: Sector
    rulebook: Rulebook
    calendar: WorkCalendar
    clock: Clock


def facts_of(case: Case) -> CaseFacts:
    place = case.terms if isinstance(case, PolicyState) else case.birth
    return CaseFacts(
        case_id=case.birth.case_id,
        region=place.region,
        sector=place.sector,
        rulebook=case.rulebook,
        calendar=case.calendar,
        clock=case.clock,
    )


def about_duty(case: CaseFacts, key: str, note: str = "") -> tuple[About, Citation]:
    """What a notice says of a duty, in figures, with its citation."""
    running = clocks.running(case.clock, key)
    if running is None:
        raise KeyError(key)
    bound = clocks.rule(case.rulebook, running)
    due = clocks.project(bound.duty, running, case.clock, case.calendar)
    anchored = local_date(running.anchor_at)
    return (
        About(
            duty=running.duty,
            duty_key=key,
            label=bound.duty.label,
            owed_by=bound.duty.owed_by,
            anchor_on=anchored,
            anchor_label=running.anchor.label,
            nominal=due.nominal,
            effective=due.effective,
            due_at=due.due_at,
            provisional=due.provisional,
            counting=counting(bound.duty, anchored, due, _suspended_days(case, key), sum(running.extensions)),
            note=note,
        ),
        bound.cites,
    )


def _suspended_days(case: CaseFacts, key: str) -> int:
    """How many days of a term were suspended; only a suspended clock is walked day by day."""
    running = clocks.running(case.clock, key)
    if running is None or not case.clock.suspensions:
        return 0
    duty = clocks.rule(case.rulebook, running).duty
    days = clocks.explain(duty, running, case.clock, case.calendar).days
    return sum(day.mark is DayMark.SUSPENDED for day in days)


@dataclass(frozen=True)
class Message:
    """What is to be told, before it is known to whom; `moment` tells it from others about the same duty."""

    kind: NoticeKind
    moment: str
    at: datetime
    about: About = field(default_factory=About)
    cites: Citation | None = None


def notice(case: CaseFacts, message: Message, to: Role) -> Notice:
    """One notice to one role; the same case, duty, moment and role always give the same key.

    Where the department of that role has passed the duty on, the notice goes to the one it named.
    """
    running = clocks.running(case.clock, message.about.duty_key)
    passed = running.passed_from(to) if running else None
    return Notice(
        key=notice_key(case.case_id, message.about.duty_key or message.kind.value, message.moment, to.value),
        kind=message.kind,
        to=to,
        at=message.at,
        urgency=Urgency.NOW if (message.kind, to) in AT_ONCE else Urgency.DIGEST,
        about=message.about.model_copy(update={"passed_on": _because(passed)}) if passed else message.about,
        cites=message.cites,
        departments=((passed.region, passed.department),) if passed else _departments(case, to),
    )


def _departments(case: CaseFacts, to: Role) -> tuple[tuple[str, str], ...]:
    return () if to in PARTIES else departments(case.rulebook, to, case.region, case.sector)


def _because(passed: PassedOn) -> str:
    return f"{passed.by.name or passed.by.kind.label}转来：{passed.reason.rstrip('。')}"


def of_firing(case: CaseFacts, firing: Firing, note: str = "") -> tuple[Notice, ...]:
    """A rung that fires becomes one notice for each role it tells."""
    about, cites = about_duty(case, firing.key, note)
    running = clocks.running(case.clock, firing.key)
    moment = firing.moment + (running.edition if running else "")
    message = Message(firing.notice, moment, firing.at, about, cites)
    return tuple(notice(case, message, role) for role in firing.tell)


def of_firings(case: CaseFacts, firings: Iterable[Firing], note: str = "") -> tuple[Notice, ...]:
    return tuple(told for firing in firings for told in of_firing(case, firing, note))


def of_the_insured(case: CaseFacts, told: Notice) -> Notice:
    """The duty to tell of a hazard is the insurer's; what the letter gives the insured is the term of rectification."""
    if told.kind is not NoticeKind.HAZARD_NOTICE or told.to is not Role.INSURED:
        return told
    for running in case.clock.duties:
        if running.is_open and clocks.rule(case.rulebook, running).duty.owed_by is Role.INSURED:
            about, cites = about_duty(case, running.key, told.about.note)
            return told.model_copy(update={"about": about, "cites": cites})
    return told


def standing(case: CaseFacts, passed: Iterable[Firing], now: datetime, note: str) -> tuple[Notice, ...]:
    """For a case entered late: each open duty is told once, to everybody whom its passed rungs would have told."""
    by_key: dict[str, list[Firing]] = {}
    for firing in passed:
        by_key.setdefault(firing.key, []).append(firing)
    return tuple(told for key, firings in by_key.items() for told in _standing_duty(case, key, firings, now, note))


def _standing_duty(case: CaseFacts, key: str, firings: list[Firing], now: datetime, note: str) -> tuple[Notice, ...]:
    after_due = [firing for firing in firings if not firing.moment.startswith("-")] or firings[-1:]
    roles = dict.fromkeys(role for firing in after_due for role in firing.tell)
    message = Message(NoticeKind.DUTY_STANDING, "standing", now, *about_duty(case, key, note))
    return tuple(notice(case, message, role) for role in roles)
