"""The format of example files, and their reader: what is given and what is expected; running them is done elsewhere."""

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter

from models.contracts.base import Identifier, Money, Region, Strict, Wording
from models.contracts.claim_terms import ClaimTerms
from models.contracts.vocabulary import (
    AccidentGrade,
    AccidentKind,
    ClaimPath,
    EmergencyPurpose,
    Event,
    LossHead,
    PolicyKind,
    Role,
    Sector,
    Size,
)
from rules.complaints import validated
from rules.findings import RulesRefused
from rules.packfile import read_document

SHANGHAI = timezone(timedelta(hours=8))
NOON = 12  # hours; the time of day of an event whose time is not told
SOURCE = "保险合同"
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
INSTANT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def _calendar_day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"没有 {value} 这一天") from error


def _moment(value: object) -> object:
    """A date is noon in Shanghai; an instant keeps its offset."""
    if isinstance(value, str) and DATE.fullmatch(value):
        day = _calendar_day(value)
        return datetime(day.year, day.month, day.day, NOON, tzinfo=SHANGHAI)
    if isinstance(value, str):
        try:
            return INSTANT.validate_strings(value)
        except ValueError as error:
            raise ValueError("时间须写作 2024-03-01 或 2024-03-01T09:30:00+08:00") from error
    raise ValueError("时间须写作 2024-03-01 或 2024-03-01T09:30:00+08:00")


def _day(value: object) -> object:
    if isinstance(value, str) and DATE.fullmatch(value):
        return _calendar_day(value)
    raise ValueError("日期须写作 2024-03-01")


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]


class Occurrence(Strict):
    """One event: when, and what it carries where it is about a hazard or acts on a clock."""

    on: Moment
    major: bool = False
    due: Day | None = None
    number: Wording | None = None
    duty: Identifier | None = None
    """The duty suspended, extended, excused, acknowledged or taken over."""
    role: Role | None = None
    """The department that acknowledges or takes over; all who were told where nothing is said."""
    days: int = Field(default=0, ge=0, le=3660)
    """Days granted (`duty_extended`)."""
    until: Day | None = None
    """The last suspended day (`clock_suspended`)."""
    documents_complete: bool = False
    """Request and documents came together (`claim_reported`)."""
    covered: bool = True
    """The accident is covered (`claim_determined`)."""


def _occurrences(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    return tuple(item if isinstance(item, dict) else {"on": item} for item in items)


class Agreed(Strict):
    """Figures of the contract, as plain values; what is left out is not agreed."""

    determination_days: int | None = None
    payment_days: int | None = None
    small_fast_threshold: Money | None = None
    small_fast_days: int | None = None
    large_prepay_days: int | None = None
    emergency_cap: Money | None = None
    emergency_purposes: tuple[EmergencyPurpose, ...] | None = None
    emergency_hours: int | None = None

    @property
    def terms(self) -> ClaimTerms:
        """The same as the terms of a claim. Raises ValidationError for a figure out of range."""
        told = self.model_dump(exclude_none=True)
        return ClaimTerms.model_validate({name: {"value": value, "source": SOURCE} for name, value in told.items()})


class Lost(Strict):
    """One line of the loss of an example."""

    head: LossHead = LossHead.THIRD_PARTY_PROPERTY
    amount: Money
    determined: bool = True
    grade: int | None = None


class ClaimGiven(Strict):
    """A claim as it stands when its path is chosen."""

    kind: AccidentKind = AccidentKind.GENERAL
    deaths: int = 0
    serious_injuries: int = 0
    direct_loss: Money = Decimal("0.00")
    facts_true: bool | None = None
    liability_clear: bool | None = None
    covered: bool | None = None
    losses: tuple[Lost, ...] = ()


class ExpectedPath(Strict):
    """The path the rules choose; words that its reasons hold, and words of the reasons against other paths."""

    chosen: ClaimPath
    grade: AccidentGrade | None = None
    because: tuple[Wording, ...] = ()
    against: dict[ClaimPath, tuple[Wording, ...]] = Field(default_factory=dict)


class Given(Strict):
    """The case of an example; the clock runs to the end of `until`."""

    region: Region
    sector: Sector
    size: Size
    out_of_area: bool = False
    kind: PolicyKind = PolicyKind.ANNUAL
    events: dict[Event, Annotated[tuple[Occurrence, ...], BeforeValidator(_occurrences), Field(min_length=1)]]
    until: Day
    agreed: Agreed = Agreed()
    """Figures of the insurance contract."""
    claim: ClaimGiven = ClaimGiven()


class Expected(Strict):
    """The last day of a term; what is left out is not compared."""

    nominal: date | None = None
    effective: date | None = None
    due_at: AwareDatetime | None = None
    provisional: bool = False


class Example(Strict):
    """What a pack means for one case, in one Chinese sentence and in dates."""

    name: Wording
    given: Given
    due: dict[Identifier, Expected | None] = Field(default_factory=dict)
    """Only the duties one cares about; `null` says that the duty does not arise."""
    told: dict[date, dict[Identifier, tuple[Role, ...]]] = Field(default_factory=dict)
    """For each duty it names, every rung that fires, by the day it fires."""
    to: dict[Identifier, tuple[Wording, ...]] = Field(default_factory=dict)
    """The departments a duty's rungs reach, or [human_queue]."""
    path: ExpectedPath | None = None
    """Which path a claim takes."""

    @property
    def duties(self) -> frozenset[str]:
        """Every duty the example speaks of."""
        return frozenset({*self.due, *self.to, *(duty for told in self.told.values() for duty in told)})


def read_examples(path: Path) -> tuple[Example, ...]:
    """The examples of one file. Raises RulesRefused with every complaint, also for a misspelt key."""
    document = read_document(path)
    if not isinstance(document.data, list) or not document.data:
        raise RulesRefused((document.finding((), "文件须是示例的列表，每个示例以 - name: 开头"),))
    examples: list[Example] = []
    findings = []
    for index in range(len(document.data)):
        try:
            examples.append(validated(document, Example, (index,)))
        except RulesRefused as refused:
            findings += refused.findings
    if findings:
        raise RulesRefused(tuple(findings))
    return tuple(examples)
