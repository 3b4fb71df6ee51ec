"""Small valid values for tests, every field of which may be replaced; facts of law are in rules/, not here."""

from datetime import date, datetime, timedelta
from typing import Any

from domain.calendar import noon
from models.contracts.base import Actor
from models.contracts.calendar import CalendarYear, WorkCalendar
from models.contracts.clock import Clock, RunningDuty, Suspension
from models.contracts.duty import Duty, Rung
from models.contracts.rulebook import BoundDuty, Citation, Rulebook
from models.contracts.vocabulary import ActorKind, By, Event, NoticeKind, Role, Sector, Size, SuspendReason

SOMEBODY = Actor(kind=ActorKind.INSURER, id="insurer-1", name="甲保险")
DEPARTMENT = Actor(kind=ActorKind.DEPARTMENT, id="department-1", name="市应急局")


def days(first: str, last: str) -> set[date]:
    """Every day from the first to the last."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return {start + timedelta(days=step) for step in range((end - start).days + 1)}


def calendar_year(year: int, off: set[date] | None = None, work: set[date] | None = None) -> CalendarYear:
    """A published year; without arguments one in which only weekends are off."""
    return CalendarYear(
        year=year, notice=f"{year} 年放假通知", off=frozenset(off or set()), work=frozenset(work or set())
    )


def calendar_2024() -> CalendarYear:
    """The Spring Festival and National Day of 2024, with their make-up working weekends."""
    off = days("2024-01-01", "2024-01-01") | days("2024-02-10", "2024-02-17") | days("2024-10-01", "2024-10-07")
    work = {date(2024, 2, 4), date(2024, 2, 18), date(2024, 9, 29), date(2024, 10, 12)}
    return calendar_year(2024, off, work)


def calendar(*years: CalendarYear) -> WorkCalendar:
    """The years given, else 2024 and plain 2025 and 2026."""
    return WorkCalendar(years=years or (calendar_2024(), calendar_year(2025), calendar_year(2026)))


def rung(at: str, *tell: Role, **more: Any) -> Rung:
    kind = NoticeKind.DUTY_REMINDER if at.startswith("-") else NoticeKind.DUTY_OVERDUE
    return Rung.model_validate({"at": at, "tell": tell or (Role.INSURER,), "notice": kind} | more)


def duty(amount: int = 7, unit: str = "natural_day", *, ladder: tuple[Rung, ...] = (), **more: Any) -> Duty:
    """A duty of the insurer from signing to upload; `first_day` and `on_holiday` go into its term."""
    within = {"amount": amount, "unit": unit}
    within |= {name: more.pop(name) for name in ("first_day", "on_holiday") if name in more}
    plain: dict[str, Any] = {
        "id": "policy_upload",
        "label": "上传电子保单",
        "owed_by": Role.INSURER,
        "anchor": Event.POLICY_SIGNED,
        "met_by": Event.POLICY_UPLOADED,
        "clause": "二(五)",
        "by": "law",
    }
    return Duty.model_validate(plain | {"within": within, "ladder": ladder} | more)


def rulebook(*duties: Duty, **more: Any) -> Rulebook:
    bound = tuple(BoundDuty(duty=one, cites=citation(one.clause)) for one in duties)
    plain: dict[str, Any] = {
        "packs": (),
        "region": "341300",
        "sector": Sector.HAZARDOUS_CHEMICALS,
        "size": Size.MEDIUM,
        "duties": bound,
    }
    return Rulebook.model_validate(plain | more)


def citation(clause: str = "二(五)", by: By = By.LAW) -> Citation:
    return Citation(region="341300", number="应急监二〔2023〕84号", clause=clause, by=by)


def running(of: Duty, anchor: date | datetime, **more: Any) -> RunningDuty:
    """A running duty anchored at noon of a day, or at an instant."""
    at = anchor if isinstance(anchor, datetime) else noon(anchor)
    return RunningDuty(key=of.id, duty=of.id, anchor=of.anchor[0], anchor_at=at, **more)


def suspension(from_on: date, until_on: date | None = None, *duties: str, note: str = "停产") -> Suspension:
    return Suspension(
        from_on=from_on,
        until_on=until_on,
        duties=duties,
        reason=SuspendReason.PRODUCTION_STOPPED,
        note=note,
        by=SOMEBODY,
    )


def clock(*duties: RunningDuty, suspensions: tuple[Suspension, ...] = (), ends_on: date | None = None) -> Clock:
    return Clock(duties=duties, suspensions=suspensions, ends_on=ends_on)
