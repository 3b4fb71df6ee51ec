"""What the holder of a link may do, and the command each form becomes; pages and rows are elsewhere."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from api.portal.links import OpenedLink
from domain.routing import is_department
from models.contracts.base import Attachment, Command, Given
from models.contracts.hazard import ClaimRectification, ConfirmTold
from models.contracts.policy import AcknowledgeDuty, AnswerDuty, ConfirmPlan, TakeOverDuty
from models.contracts.vocabulary import HazardStage, LinkPurpose, NoticeKind, PolicyStage, Role

MOST_FILES = 12
BEFORE_CLAIM = frozenset({HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED, HazardStage.REFUSED})


class Deed(StrEnum):
    """One form on a link's page; named as the update it becomes."""

    CONFIRM_TOLD = "confirm_told"
    CLAIM_RECTIFICATION = "claim_rectification"
    CONFIRM_PLAN = "confirm_plan"
    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    ANSWER = "answer"


WITH_FILES = frozenset({Deed.CLAIM_RECTIFICATION, Deed.ANSWER})
FOR_DEPARTMENTS = (Deed.ACKNOWLEDGE, Deed.TAKE_OVER, Deed.ANSWER)


class Incomplete(Exception):
    """The form lacks something the command needs."""


def offered(link: OpenedLink) -> tuple[Deed, ...]:
    """The forms that are shown now: allowed by the link, sensible at this stage, and not used yet."""
    return tuple(deed for deed in _allowed(link) if deed not in link.used)


def given(link: OpenedLink, deed: Deed, note: str, files: tuple[Attachment, ...]) -> Given[Any]:
    """The command of a form, the same one however often and with whatever words it is sent. Raises Incomplete."""
    try:
        command = COMMANDS[deed](link, note, files)
    except ValidationError as error:
        raise Incomplete from error
    return Given(
        command_id=command_id(link, deed),
        actor=link.actor,
        fingerprint=sha256(command_id(link, deed).encode()).hexdigest(),
        command=command,
    )


def command_id(link: OpenedLink, deed: Deed) -> str:
    return f"link:{link.id}:{deed}"


def is_only_noted(link: OpenedLink, deed: Deed) -> bool:
    """A department acknowledges a letter that names no duty: nothing in the case changes, the delivery ledger does."""
    return deed is Deed.ACKNOWLEDGE and not link.duty_key


def _allowed(link: OpenedLink) -> tuple[Deed, ...]:
    if link.purpose is LinkPurpose.DEPARTMENT:
        return _of_department(link)
    if link.case.ended_at is not None:
        return ()
    if link.purpose is LinkPurpose.PLAN:
        return () if link.case.stage == PolicyStage.PLAN_CONFIRMED else (Deed.CONFIRM_PLAN,)
    told = (Deed.CONFIRM_TOLD,) if link.case.stage == HazardStage.FOUND else ()
    return (*told, Deed.CLAIM_RECTIFICATION) if link.case.stage in BEFORE_CLAIM else ()


def _of_department(link: OpenedLink) -> tuple[Deed, ...]:
    if not link.duty_key:
        return (Deed.ACKNOWLEDGE,)
    return FOR_DEPARTMENTS if is_open(link) else ()


def is_open(link: OpenedLink) -> bool:
    return standing_duty(link) is not None


def standing_duty(link: OpenedLink) -> dict[str, Any] | None:
    """The open duty a department's link speaks of; after a report, what the department owes from then on."""
    view = link.case.view
    named = brief(view, link.duty_key)
    if named or link.notice is None or link.notice.kind is not NoticeKind.MAJOR_HAZARD_REPORT:
        return named
    return next((one for one in view.get("duties", ()) if is_department(Role(one["owed_by"]))), None)


def brief(view: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """An open duty as the case's view tells it."""
    return next((one for one in view.get("duties", ()) if one["key"] == key), None)


def _claim(link: OpenedLink, note: str, files: tuple[Attachment, ...]) -> Command:
    return ClaimRectification(note=note, evidence=files)


def _answer(link: OpenedLink, note: str, files: tuple[Attachment, ...]) -> Command:
    return AnswerDuty(duty=link.duty_key, answer=note, file=files[0] if files else None)


COMMANDS: dict[Deed, Callable[[OpenedLink, str, tuple[Attachment, ...]], Command]] = {
    Deed.CONFIRM_TOLD: lambda link, note, files: ConfirmTold(note=note or None),
    Deed.CLAIM_RECTIFICATION: _claim,
    Deed.CONFIRM_PLAN: lambda link, note, files: ConfirmPlan(note=note or None),
    Deed.ACKNOWLEDGE: lambda link, note, files: AcknowledgeDuty(duty=link.duty_key, note=note or None),
    Deed.TAKE_OVER: lambda link, note, files: TakeOverDuty(duty=link.duty_key, note=note or None),
    Deed.ANSWER: _answer,
}
