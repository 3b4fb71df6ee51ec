"""Who reads what of a case on its page; what parts an enterprise's own pages show stands in api/enterprise."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement

from api.drawings.words import Translate, same
from models.contracts.vocabulary import ActorKind, CaseKind, Event, Role


class Part(StrEnum):
    """A part of a case page beyond its head, its stage, its dates and its clauses."""

    DESCRIPTION = "description"
    """What a hazard is, where, by which criterion; what an accident was."""
    SAID = "said"
    """The sentences of the timeline, of the events in SAID_TO."""
    EVIDENCE = "evidence"
    LADDER = "ladder"
    NOTICES = "notices"
    TERMS = "terms"
    """Premium, limits, headcount."""
    SPENDING = "spending"
    SPENDING_SHARE = "spending_share"
    """What was spent as a share of the premium, against the floor; no amount."""
    HAZARDS = "hazards"
    CLAIMS = "claims"
    CLAIM_WAY = "claim_way"
    """Path and grade, and why."""
    CLAIM_SUM = "claim_sum"
    """What is to be paid in all, and what has reached somebody."""
    CLAIM_MONEY = "claim_money"
    """How the amount came about, the figures agreed, each payment with who signed it."""
    ENGINE = "engine"
    """The name of the case in the workflow engine."""


SEES: dict[ActorKind, frozenset[Part]] = {
    ActorKind.INSURER: frozenset(Part) - {Part.ENGINE, Part.SPENDING_SHARE},
    ActorKind.DEPARTMENT: frozenset(
        {
            Part.DESCRIPTION,
            Part.SAID,
            Part.EVIDENCE,
            Part.LADDER,
            Part.NOTICES,
            Part.SPENDING_SHARE,
            Part.HAZARDS,
            Part.CLAIMS,
            Part.CLAIM_WAY,
        }
    ),
    ActorKind.ENTERPRISE: frozenset(
        {
            Part.DESCRIPTION,
            Part.SAID,
            Part.EVIDENCE,
            Part.NOTICES,
            Part.HAZARDS,
            Part.CLAIMS,
            Part.CLAIM_SUM,
        }
    ),
    ActorKind.PROVIDER: frozenset({Part.DESCRIPTION, Part.SAID, Part.EVIDENCE, Part.HAZARDS}),
    ActorKind.OPERATOR: frozenset({Part.SAID, Part.LADDER, Part.NOTICES, Part.HAZARDS, Part.CLAIMS, Part.ENGINE}),
}
"""promises.md 5.1 with docs/decisions/0041: a department reads no premium and no payment, an operator no free text."""

BY_THE_SYSTEM = frozenset(
    {
        Event.RUNG_FIRED,
        Event.RUNG_PASSED_OVER,
        Event.CALENDAR_ADOPTED,
        Event.RULES_ADOPTED,
        Event.POLICY_YEAR_STARTED,
    }
)
"""Sentences nobody typed."""
OF_SERVICE = frozenset(
    {
        Event.POLICY_OPENED,
        Event.POLICY_UPLOADED,
        Event.PROVIDER_NAMED,
        Event.PLAN_FILED,
        Event.PLAN_CONFIRMED,
        Event.VISIT_RECORDED,
        Event.SERVICE_COMPLETED,
        Event.POLICY_EXPIRED,
        Event.POLICY_LAPSED,
        Event.POLICY_RENEWED,
        Event.POLICY_SURRENDERED,
        Event.OUT_OF_AREA_FILED,
        Event.RATE_REVIEW_MARKED,
        Event.CLOCK_SUSPENDED,
        Event.CLOCK_RESUMED,
        Event.DUTY_EXTENDED,
        Event.DUTY_EXCUSED,
    }
)
OF_VISITS = frozenset(
    {
        Event.PLAN_FILED,
        Event.PLAN_CONFIRMED,
        Event.VISIT_RECORDED,
        Event.SERVICE_COMPLETED,
        Event.CLOCK_SUSPENDED,
        Event.CLOCK_RESUMED,
    }
)
"""What a service provider works by; who served before it is not among it."""
OF_HAZARDS = frozenset(
    {
        Event.HAZARD_FOUND,
        Event.HAZARD_TOLD,
        Event.RECTIFICATION_CLAIMED,
        Event.RECTIFICATION_REFUSED,
        Event.RECTIFICATION_OVERDUE,
        Event.RECHECK_PASSED,
        Event.RECHECK_FAILED,
        Event.HAZARD_OBJECTED,
        Event.OBJECTION_UPHELD,
        Event.OBJECTION_REJECTED,
        Event.MORE_TIME_ASKED,
        Event.MORE_TIME_DECLINED,
        Event.HAZARD_REPORTED,
        Event.HAZARD_CLOSED,
    }
)
OF_DEPARTMENTS = frozenset(
    {
        Event.DUTY_ACKNOWLEDGED,
        Event.DUTY_TAKEN_OVER,
        Event.DUTY_PASSED_ON,
        Event.DEPARTMENT_ANSWERED,
        Event.HAZARD_ANSWERED,
    }
)
SAID_TO: dict[ActorKind, frozenset[Event]] = {
    ActorKind.INSURER: frozenset(Event),
    ActorKind.DEPARTMENT: BY_THE_SYSTEM | OF_SERVICE | OF_HAZARDS | OF_DEPARTMENTS | {Event.ACCIDENT_REGRADED},
    ActorKind.ENTERPRISE: OF_SERVICE | OF_HAZARDS | {Event.SERVICE_RATED, Event.DOCUMENTS_REQUESTED},
    ActorKind.PROVIDER: OF_VISITS | OF_HAZARDS,
    ActorKind.OPERATOR: BY_THE_SYSTEM,
}
"""Of which events somebody reads the sentence; of all others the event and its day alone."""
DEPARTMENTS = frozenset(
    {
        Role.EMERGENCY,
        Role.INDUSTRY,
        Role.FINANCIAL,
        Role.LOCAL_FINANCE,
        Role.JOINT_CONFERENCE,
        Role.SAFETY_OFFICE,
        Role.HUMAN_QUEUE,
    }
)
TOLD_TO: dict[ActorKind, frozenset[Role]] = {
    ActorKind.INSURER: frozenset(Role),
    ActorKind.DEPARTMENT: DEPARTMENTS,
    ActorKind.ENTERPRISE: frozenset({Role.INSURED}),
    ActorKind.PROVIDER: frozenset(),
    ActorKind.OPERATOR: frozenset(Role),
}
"""Whose notices somebody sees listed: kind, addressee and delivery; nobody reads the text of another's mail."""
FOLLOWED_BY: dict[ActorKind, frozenset[Event]] = {
    ActorKind.INSURER: frozenset(Event),
    ActorKind.DEPARTMENT: frozenset(Event),
    ActorKind.ENTERPRISE: frozenset(Event),
    ActorKind.PROVIDER: OF_VISITS,
    ActorKind.OPERATOR: frozenset(Event),
}
"""With which events the stages end that the bar of a policy's life shows somebody."""


@dataclass(frozen=True)
class Reader:
    """For whom a case is written out, where other cases stand in their room, and in which language.

    `children` are further conditions on the hazards and claims of a policy, beside row-level security.
    """

    kind: ActorKind
    address: Callable[[CaseKind, UUID], str]
    t: Translate = same
    children: tuple[ColumnElement[bool], ...] = ()

    def sees(self, part: Part) -> bool:
        return part in SEES[self.kind]

    def hears(self, event: Event) -> bool:
        """Whether the sentence of this event is for this reader."""
        return self.sees(Part.SAID) and event in SAID_TO[self.kind]

    def follows(self, event: Event) -> bool:
        """Whether the bar of a policy's life shows this reader the stage that ends with this event."""
        return event in FOLLOWED_BY[self.kind]

    def reads_of(self, role: Role) -> bool:
        """Whether this reader sees that this role was told something."""
        return self.sees(Part.NOTICES) and role in TOLD_TO[self.kind]
