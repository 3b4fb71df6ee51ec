"""Finds out what a hazard can become by trying every command at every stage with the real decisions; draws nothing."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import NAMESPACE_URL, uuid5

from domain.hazard import life
from models.contracts import hazard as commands
from models.contracts.base import Actor, Attachment, Command, Given
from models.contracts.hazard import HazardBirth, HazardState
from models.contracts.policy import FoundHazard
from models.contracts.rulebook import RulesFor
from models.contracts.vocabulary import ActorKind, CaseKind, Event, HazardGrade, HazardStage, Sector, Size
from rules.library import Library

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NOBODY = uuid5(NAMESPACE_URL, "anze/pictures")
PROOF = Attachment(digest="0" * 64, name="凭证.pdf")
TRIED: tuple[Command, ...] = (
    commands.ConfirmTold(),
    commands.ClaimRectification(note="已整改", evidence=(PROOF,)),
    commands.RefuseRectification(note="不予整改"),
    commands.RecheckHazard(passed=True, note="合格"),
    commands.RecheckHazard(passed=False, note="不合格"),
)


@dataclass(frozen=True)
class Passage:
    """One way from stage to stage, and the event that makes it."""

    before: HazardStage
    after: HazardStage
    event: Event


def hazard_passages(library: Library) -> tuple[Passage, ...]:
    """Every passage the decisions allow, found from the first stage on."""
    waiting, met, found = [_found(library)], set[tuple[HazardStage, bool]](), dict[Passage, None]()
    while waiting:
        state = waiting.pop()
        known = (state.stage, Event.HAZARD_TOLD in state.facts)
        if known in met:
            continue
        met.add(known)
        for command in TRIED:
            after = _after(state, command)
            if after is not None:
                found |= dict.fromkeys(_passage(state, after))
                waiting.append(after)
    return tuple(sorted(found, key=lambda one: (one.before, one.after)))


def _passage(before: HazardState, after: HazardState) -> tuple[Passage, ...]:
    if before.stage is after.stage:
        return ()
    event = next(event for event, stage in life.STAGES.items() if stage is after.stage)
    return (Passage(before.stage, after.stage, event),)


def _after(state: HazardState, command: Command) -> HazardState | None:
    actor = Actor(kind=ActorKind.INSURER, id=str(NOBODY))
    if life.refuse(state, command, actor, NOW) is not None:
        return None
    given = Given[Command](command_id="tried", actor=actor, fingerprint="", command=command)
    return life.decide(state, given, NOW).state


def _found(library: Library) -> HazardState:
    asked = RulesFor(
        region="000000",
        sector=Sector.OTHER,
        size=Size.SMALL,
        on=date(2026, 1, 5),
        case=CaseKind.HAZARD,
        grade=HazardGrade.ORDINARY,
    )
    return life.open_hazard(_birth(), library.resolve(asked), NOW).state


def _birth() -> HazardBirth:
    return HazardBirth(
        case_id=NOBODY,
        policy_id=NOBODY,
        insurer_id=NOBODY,
        insurer_code="A",
        insurer_name="A",
        workflow_id="hazard/A/1/1",
        policy_workflow_id="policy/A/1",
        policy_number="1",
        region="000000",
        sector=Sector.OTHER,
        size=Size.SMALL,
        insured_id=NOBODY,
        insured_name="A",
        signed_on=date(2026, 1, 5),
        effective_on=date(2026, 1, 5),
        expires_on=date(2027, 1, 4),
        packs=(),
        found_on=date(2026, 3, 2),
        visit="1",
        hazard=FoundHazard(number="1", description="A", grade=HazardGrade.ORDINARY),
    )
