"""Puts an example's claim before the rules of the paths and compares which one they choose and why; prints nothing."""

from datetime import date
from typing import Any
from uuid import UUID, uuid5

from domain.calendar import DAY, local_date, noon
from domain.claim import grading
from domain.claim_paths.registry import choices, chosen_by_rule
from models.contracts import ids
from models.contracts.calendar import WorkCalendar
from models.contracts.claim import Accident, Casualties, ClaimBirth
from models.contracts.claim_state import ClaimState
from models.contracts.payment import LossLine
from models.contracts.rulebook import Rulebook
from models.contracts.vocabulary import AccidentGrade, ClaimPath, Event
from rules.examples import ExpectedPath, Given, Lost

NOBODY = UUID(int=0)


def taken(given: Given, rulebook: Rulebook, calendar: WorkCalendar) -> dict[str, Any]:
    """The chosen path, the grade, and for every path whether it may be taken and why."""
    state = _state(given, rulebook, calendar)
    chosen = chosen_by_rule(state)
    return {
        "chosen": chosen.path,
        "grade": state.grade,
        "clause": chosen.clause,
        "paths": {
            one.path: {"applies": one.applies, "because": [*one.because], "missing": [*one.missing]}
            for one in choices(state)
        },
    }


def differences(wanted: ExpectedPath, came: dict[str, Any]) -> list[str]:
    """Each difference in a sentence; of reasons only the words that the example names are compared."""
    found = []
    chosen: ClaimPath = came["chosen"]
    if chosen is not wanted.chosen:
        telling = chosen if came["paths"][wanted.chosen]["applies"] else wanted.chosen
        found.append(
            f"路径应为 {wanted.chosen.label}，实际为 {chosen.label}；{telling.label}：{_reasons(came, telling)}"
        )
    grade: AccidentGrade = came["grade"]
    if wanted.grade and grade is not wanted.grade:
        found.append(f"事故等级应为 {wanted.grade.label}，实际为 {grade.label}")
    found += _unsaid(wanted.chosen, wanted.because, came)
    for path, words in wanted.against.items():
        if came["paths"][path]["applies"]:
            found.append(f"{path.label}不应可行，实际可行")
        found += _unsaid(path, words, came)
    return found


def _unsaid(path: ClaimPath, words: tuple[str, ...], came: dict[str, Any]) -> list[str]:
    said = _reasons(came, path)
    return [f"{path.label}的理由中没有“{word}”，实际为：{said}" for word in words if word not in said]


def _reasons(came: dict[str, Any], path: ClaimPath) -> str:
    one = came["paths"][path]
    return "；".join((*one["because"], *(f"缺{figure}" for figure in one["missing"])))


def _state(given: Given, rulebook: Rulebook, calendar: WorkCalendar) -> ClaimState:
    claim, reported = given.claim, _reported_on(given)
    casualties = Casualties(deaths=claim.deaths, serious_injuries=claim.serious_injuries, direct_loss=claim.direct_loss)
    accident = Accident(
        **casualties.model_dump(), at=noon(reported), place="示例地点", happened="示例", kind=claim.kind
    )
    grade, because = grading.grade(casualties)
    return ClaimState(
        birth=_birth(given, reported),
        accident=accident,
        reported_on=reported,
        opened_at=noon(reported),
        grade=grade,
        grade_because=because,
        facts_true=claim.facts_true,
        liability_clear=claim.liability_clear,
        covered=claim.covered,
        losses=tuple(_line(index, lost) for index, lost in enumerate(claim.losses, 1)),
        rulebook=rulebook,
        calendar=calendar,
    )


def _reported_on(given: Given) -> date:
    reported = given.events.get(Event.CLAIM_REPORTED)
    return local_date(reported[0].on) if reported else given.until


def _line(index: int, lost: Lost) -> LossLine:
    person = uuid5(NOBODY, str(index)) if lost.head.personal else None
    return LossLine(
        id=str(index), head=lost.head, amount=lost.amount, person=person, grade=lost.grade, determined=lost.determined
    )


def _birth(given: Given, on: date) -> ClaimBirth:
    """A claim nobody has: all that matters to the paths is the place and the terms."""
    return ClaimBirth(
        case_id=NOBODY,
        policy_id=NOBODY,
        insurer_id=NOBODY,
        insurer_code="example",
        insurer_name="示例保险机构",
        workflow_id=ids.claim_workflow_id("example", "1"),
        policy_number="1",
        region=given.region,
        sector=given.sector,
        size=given.size,
        insured_id=NOBODY,
        insured_name="示例投保单位",
        signed_on=on,
        effective_on=on,
        expires_on=on + DAY,
        packs=(),
        number="1",
        terms=given.agreed.terms,
    )
