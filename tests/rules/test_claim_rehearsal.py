"""What an example says of a claim is what the claim itself does: the same terms, met and told on the same days."""

from collections.abc import Iterable
from datetime import date, datetime

import pytest

from domain.calendar import SHANGHAI, local_date
from domain.rehearsal import Life, rehearse
from domain.retelling import Fact
from models.contracts import claim as commands
from models.contracts.clock import RunningDuty
from models.contracts.vocabulary import CaseKind, Event, Sector, Size
from runtime.trial import Situation, books
from tests.domain.claim_lives import COVERED, DENIED, FIGURES, SURVEYED, Claim, line
from tests.domain.lives import FILE, library

REPORTED = datetime(2024, 6, 3, 10, 30, tzinfo=SHANGHAI)
LOSS = commands.AssessLoss(lines=(line("L1", "third_party_property", "600000.00"),))
REFUSED = commands.RefuseClaim(reasons="不属于保险责任", clause="第五条", notice=FILE)
ASKED = commands.RequestDocuments(documents=("事故证明",))
CAME = commands.ReceiveDocuments(complete=True)
Course = list[tuple[str, Event, commands.Command]]
COURSES: dict[str, tuple[bool, Course]] = {
    "nothing happens": (True, []),
    "documents are asked for and come": (
        False,
        [
            ("2024-06-07T09:00", Event.DOCUMENTS_REQUESTED, ASKED),
            ("2024-06-25T16:00", Event.DOCUMENTS_RECEIVED, CAME),
        ],
    ),
    "documents never come": (False, [("2024-06-07T09:00", Event.DOCUMENTS_REQUESTED, ASKED)]),
    "covered, and the sum stays open": (
        True,
        [
            ("2024-06-10T09:00", Event.CLAIM_SURVEYED, SURVEYED),
            ("2024-06-20T09:00", Event.CLAIM_DETERMINED, COVERED),
        ],
    ),
    "agreed and not paid": (
        True,
        [
            ("2024-06-10T09:00", Event.CLAIM_SURVEYED, SURVEYED),
            ("2024-06-11T09:00", Event.LOSS_ASSESSED, LOSS),
            ("2024-06-20T09:00", Event.CLAIM_DETERMINED, COVERED),
            (
                "2024-06-24T09:00",
                Event.SETTLEMENT_AGREED,
                commands.AgreeSettlement(amount=LOSS.lines[0].amount, agreement=FILE),
            ),
        ],
    ),
    "denied and refused late": (
        True,
        [
            ("2024-06-20T09:00", Event.CLAIM_DETERMINED, DENIED),
            ("2024-06-28T09:00", Event.CLAIM_REFUSED, REFUSED),
        ],
    ),
}
UNTIL = date(2024, 9, 30)
Stood = set[tuple[str, date, date | None, int]]


def lived(region: str, complete: bool, course: Course) -> Stood:
    claim = Claim.reported(REPORTED, complete, region=region)
    for instant, _, command in course:
        claim.until(datetime.fromisoformat(instant + "+08:00")).act(command)
    claim.until(datetime(2024, 9, 30, 23, tzinfo=SHANGHAI))
    return stood(claim.state.clock.duties)


def rehearsed(region: str, complete: bool, course: Course) -> Stood:
    situation = Situation(region, Sector.HAZARDOUS_CHEMICALS, Size.MEDIUM, date(2024, 3, 1), terms=FIGURES)
    facts = [
        Fact(Event.POLICY_SIGNED, datetime(2024, 3, 1, 10, tzinfo=SHANGHAI)),
        Fact(Event.CLAIM_REPORTED, REPORTED, documents_complete=complete),
        *(_fact(*one) for one in course),
    ]
    lives = rehearse(books(library(), situation), facts, UNTIL).lives
    return stood(_claim(lives).clock.duties)


def _fact(instant: str, event: Event, command: commands.Command) -> Fact:
    covered = not isinstance(command, commands.DetermineClaim) or command.covered
    return Fact(event, datetime.fromisoformat(instant + "+08:00"), covered=covered)


def _claim(lives: Iterable[Life]) -> Life:
    return next(life for life in lives if life.kind is CaseKind.CLAIM)


def stood(duties: Iterable[RunningDuty]) -> Stood:
    """Every term with the day it began, the day it was met, and how many rungs of its ladder have fired."""
    return {(one.key, local_date(one.anchor_at), one.met_at and local_date(one.met_at), one.rung) for one in duties}


@pytest.mark.parametrize("region", ["341300", "350200", "110000"])
@pytest.mark.parametrize("name", COURSES)
def test_the_rehearsal_and_the_life_of_a_claim_agree(region: str, name: str) -> None:
    complete, course = COURSES[name]
    assert rehearsed(region, complete, course) == lived(region, complete, course)
