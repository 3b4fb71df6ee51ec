"""Policies and hazards under the real packs, led command by command and alarm by alarm through the pure decisions."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from domain.calendar import midnight
from domain.decision import Decision
from domain.hazard import life as hazards
from domain.policy import life, refusals
from models.contracts.base import Actor, Attachment, Command, Given
from models.contracts.hazard import HazardBirth, HazardState
from models.contracts.ids import hazard_id, policy_id, policy_workflow_id
from models.contracts.notice import Notice
from models.contracts.policy import FoundHazard, OpenPolicy, RecordVisit
from models.contracts.policy_state import Birth, PolicyState
from models.contracts.policy_terms import Terms
from models.contracts.rulebook import Resolved, RulesFor
from models.contracts.step import Happening, Refusal
from models.contracts.vocabulary import ActorKind, CaseKind, Event, HazardGrade, Sector, ServiceItem, Size
from rules.library import Library
from tests.makers import SOMEBODY

INSURER_ID = UUID("00000000-0000-4000-8000-0000000000aa")
INSURED_ID = UUID("00000000-0000-4000-8000-0000000000bb")
ENTERPRISE = Actor(kind=ActorKind.ENTERPRISE, id="insured-1", name="企业")
OPERATOR = Actor(kind=ActorKind.OPERATOR, id="operator-1", name="运维")
FILE = Attachment(digest="a" * 64, name="凭证.pdf", media_type="application/pdf")
SUZHOU, XIAMEN, ZHEJIANG, JILIN, ANHUI = "341300", "350200", "330100", "220100", "340100"
SIGNED = datetime.fromisoformat("2024-03-01T10:00:00+08:00")


@cache
def library() -> Library:
    """The packs and calendars of this version, read once."""
    return Library()


def at(text: str) -> datetime:
    """Shanghai time; a bare day is its midnight."""
    return datetime.fromisoformat(text + "+08:00") if "T" in text else midnight(date.fromisoformat(text))


def terms(**more: Any) -> Terms:
    """A policy of a medium chemical plant in Suzhou that lacks nothing any place requires."""
    plain: dict[str, Any] = {
        "number": "P-1",
        "region": SUZHOU,
        "sector": Sector.HAZARDOUS_CHEMICALS,
        "size": Size.MEDIUM,
        "signed_at": SIGNED,
        "effective_on": date(2024, 3, 5),
        "expires_on": date(2025, 3, 4),
        "premium_total": "100000.00",
        "headcount": 50,
        "insured_headcount": 50,
        "limit_per_person": "800000.00",
        "service_items": (ServiceItem.HAZARD_INSPECTION,),
        "services_per_year": 2,
    }
    return Terms.model_validate(plain | more)


def application(facts: tuple[Any, ...] = (), **more: Any) -> OpenPolicy:
    return OpenPolicy(terms=terms(**more), insured_id=INSURED_ID, insured_name="某化工厂", facts=facts)


def rules(of: Terms, case: CaseKind = CaseKind.POLICY, grade: HazardGrade | None = None) -> Resolved:
    asked = RulesFor(
        region=of.region,
        sector=of.sector,
        size=of.size,
        on=of.signed_at.date(),
        case=case,
        grade=grade,
        out_of_area=of.out_of_area,
        kind=of.kind,
    )
    return library().resolve(asked)


def given(command: Command, key: str = "key", actor: Actor = SOMEBODY) -> Given[Any]:
    return Given[Any](command_id=key, actor=actor, fingerprint="f" * 64, command=command)


def policy_birth(number: str = "P-1", insurer_code: str = "pingan") -> Birth:
    return Birth(
        case_id=policy_id(INSURER_ID, number),
        insurer_id=INSURER_ID,
        insurer_code=insurer_code,
        insurer_name="甲保险",
        workflow_id=policy_workflow_id(insurer_code, number),
    )


@dataclass
class Record:
    """What a life left behind, decision by decision."""

    happened: list[Happening] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    keys: int = 0

    def keep(self, decision: Decision[Any]) -> None:
        self.happened += decision.happened
        self.notices += decision.notices

    def told(self, *duties: str) -> list[tuple[str, str, str]]:
        """(day, moment, role) of every notice, of the named duties where any are named."""
        return [
            (notice.at.astimezone(SIGNED.tzinfo).date().isoformat(), notice.key.split(":")[2], notice.to.value)
            for notice in self.notices
            if not duties or notice.about.duty_key in duties
        ]

    def lines(self, *events: Event) -> list[Happening]:
        return [happening for happening in self.happened if happening.event in events]


@dataclass
class Life:
    """One policy on its way."""

    state: PolicyState
    now: datetime
    record: Record = field(default_factory=Record)

    @classmethod
    def opened(cls, now: datetime | None = None, facts: tuple[Any, ...] = (), **more: Any) -> "Life":
        command = application(facts, **more)
        now = now or command.terms.signed_at + timedelta(minutes=5)
        decision = life.open_policy(policy_birth(), given(command, "open"), rules(command.terms), now)
        led = cls(decision.state, now)
        led.record.keep(decision)
        return led

    def until(self, instant: datetime | str) -> "Life":
        """Every alarm up to the instant, each at its own time."""
        end = at(instant) if isinstance(instant, str) else instant
        while (alarm := life.next_alarm(self.state)) is not None and alarm <= end:
            self.ring(max(alarm, self.now))
        self.now = max(self.now, end)
        return self

    def ring(self, now: datetime) -> Decision[PolicyState]:
        self.now = now
        return self._kept(life.ring(self.state, now))

    def refused(self, command: Command, actor: Actor = SOMEBODY) -> Refusal | None:
        return refusals.refuse(self.state, command, actor, self.now)

    def act(self, command: Command, actor: Actor = SOMEBODY) -> Decision[PolicyState]:
        refusal = self.refused(command, actor)
        assert refusal is None, refusal
        self.record.keys += 1
        return self._kept(life.decide(self.state, given(command, f"key-{self.record.keys}", actor), self.now))

    def _kept(self, decision: Decision[PolicyState]) -> Decision[PolicyState]:
        assert decision.state.seq == self.state.seq + 1
        self.state = decision.state
        self.record.keep(decision)
        return decision


@dataclass
class Danger:
    """One hazard on its way."""

    state: HazardState
    now: datetime
    record: Record = field(default_factory=Record)

    @classmethod
    def found(
        cls, region: str = SUZHOU, grade: HazardGrade = HazardGrade.MAJOR, now: datetime | None = None, **more: Any
    ) -> "Danger":
        found_on = more.pop("found_on", date(2024, 4, 1))
        of = terms(**{"region": region, **more.pop("terms", {})})
        birth = danger_birth(of, grade, found_on, **more)
        now = now or datetime.combine(found_on, SIGNED.timetz()) + timedelta(hours=4)
        decision = hazards.open_hazard(birth, rules(of, CaseKind.HAZARD, grade), now)
        led = cls(decision.state, now)
        led.record.keep(decision)
        return led

    def until(self, instant: datetime | str) -> "Danger":
        end = at(instant) if isinstance(instant, str) else instant
        while (alarm := hazards.next_alarm(self.state)) is not None and alarm <= end:
            self.now = max(alarm, self.now)
            self._kept(hazards.ring(self.state, self.now))
        self.now = max(self.now, end)
        return self

    def refused(self, command: Command, actor: Actor = SOMEBODY) -> Refusal | None:
        return hazards.refuse(self.state, command, actor, self.now)

    def act(self, command: Command, actor: Actor = SOMEBODY) -> Decision[HazardState]:
        refusal = self.refused(command, actor)
        assert refusal is None, refusal
        self.record.keys += 1
        return self._kept(hazards.decide(self.state, given(command, f"key-{self.record.keys}", actor), self.now))

    def _kept(self, decision: Decision[HazardState]) -> Decision[HazardState]:
        assert decision.state.seq == self.state.seq + 1
        self.state = decision.state
        self.record.keep(decision)
        return decision


def danger_birth(of: Terms, grade: HazardGrade, found_on: date, **more: Any) -> HazardBirth:
    hazard = found(grade=grade, **more)
    policy = policy_birth()
    return HazardBirth(
        case_id=hazard_id(policy.case_id, hazard.number),
        policy_id=policy.case_id,
        insurer_id=INSURER_ID,
        insurer_code=policy.insurer_code,
        insurer_name=policy.insurer_name,
        workflow_id=f"hazard/{policy.insurer_code}/{of.number}/{hazard.number}",
        policy_workflow_id=policy.workflow_id,
        policy_number=of.number,
        region=of.region,
        sector=of.sector,
        size=of.size,
        insured_id=INSURED_ID,
        insured_name="某化工厂",
        signed_on=of.signed_at.date(),
        effective_on=of.effective_on,
        expires_on=of.expires_on,
        packs=rules(of).rulebook.packs,
        found_on=found_on,
        visit="V-1",
        hazard=hazard,
    )


def found(number: str = "H-1", grade: HazardGrade = HazardGrade.ORDINARY, **more: Any) -> FoundHazard:
    criterion = "重大事故隐患判定标准 第3项" if grade is HazardGrade.MAJOR else None
    plain = {"number": number, "description": "储罐区泄漏", "grade": grade, "criterion": criterion}
    return FoundHazard.model_validate(plain | more)


def visit(number: str, on: date, *hazard: FoundHazard, **more: Any) -> RecordVisit:
    plain: dict[str, Any] = {
        "number": number,
        "on": on,
        "items": (ServiceItem.HAZARD_INSPECTION,),
        "place": "罐区",
        "staff_count": 2,
        "summary": "现场排查",
        "hazards": hazard,
    }
    return RecordVisit.model_validate(plain | more)


def departments(notice: Notice) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, name in notice.departments))
