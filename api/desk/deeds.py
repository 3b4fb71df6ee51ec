"""What an enterprise or a department may do in its room or behind a link, and the command each form becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from api.desk.acting import filled
from api.offices import named
from models.contracts.base import Attachment, Command
from models.contracts.case import AcknowledgeDuty, AnswerDuty, PassOn, TakeOverDuty
from models.contracts.hazard import AskMoreTime, ClaimRectification, ConfirmTold, ObjectToHazard
from models.contracts.policy import ConfirmPlan, RateService
from models.contracts.vocabulary import HazardStage, ServiceDimension

MOST_FILES = 12
"""In one form; a form sent again after a mistake keeps what it had."""
BEFORE_CLAIM = frozenset({HazardStage.FOUND, HazardStage.TOLD, HazardStage.FAILED, HazardStage.REFUSED})


class Deed(StrEnum):
    """One form; named as the update it becomes."""

    CONFIRM_TOLD = "confirm_told"
    CLAIM_RECTIFICATION = "claim_rectification"
    OBJECT = "object"
    ASK_MORE_TIME = "ask_more_time"
    CONFIRM_PLAN = "confirm_plan"
    RATE_SERVICE = "rate_service"
    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    ANSWER = "answer"
    PASS_ON = "pass_on"  # noqa: S105 - the name of an update


COMMANDS: dict[Deed, type[Command]] = {
    Deed.CONFIRM_TOLD: ConfirmTold,
    Deed.CLAIM_RECTIFICATION: ClaimRectification,
    Deed.OBJECT: ObjectToHazard,
    Deed.ASK_MORE_TIME: AskMoreTime,
    Deed.CONFIRM_PLAN: ConfirmPlan,
    Deed.RATE_SERVICE: RateService,
    Deed.ACKNOWLEDGE: AcknowledgeDuty,
    Deed.TAKE_OVER: TakeOverDuty,
    Deed.ANSWER: AnswerDuty,
    Deed.PASS_ON: PassOn,
}
TEXTS: dict[Deed, str] = {
    Deed.OBJECT: "reason",
    Deed.ASK_MORE_TIME: "reason",
    Deed.RATE_SERVICE: "comment",
    Deed.ANSWER: "answer",
    Deed.PASS_ON: "reason",
}
"""What the command calls the form's `note`, where it calls it otherwise."""
LEGAL = frozenset({Deed.CLAIM_RECTIFICATION, Deed.OBJECT, Deed.ANSWER, Deed.PASS_ON})
"""Acts with legal effect: whoever holds a mere link types a code mailed to the registered address first (section 6)."""
FOR_DEPARTMENTS = (Deed.ACKNOWLEDGE, Deed.TAKE_OVER, Deed.ANSWER, Deed.PASS_ON)
STARS = tuple(dimension.value for dimension in ServiceDimension)
TYPED = ("note", "days", "to", *STARS)
"""Every field of every form, apart from files."""


@dataclass(frozen=True)
class Sent:
    """What a form said: its fields by name, and the files that were handed in with it or before."""

    typed: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Topic:
    """What a form speaks of besides its case: a duty of it, or one service."""

    duty: str = ""
    visit: str = ""


def body(deed: Deed, sent: Sent, topic: Topic) -> dict[str, Any]:
    """The command's body as a form makes it; what was left empty is left out later."""
    typed = sent.typed
    made: dict[str, Any] = {TEXTS.get(deed, "note"): typed.get("note", "").strip()}
    files = [file.model_dump(mode="json") for file in sent.files]
    if deed in FOR_DEPARTMENTS:
        made["duty"] = topic.duty
    if deed in {Deed.CLAIM_RECTIFICATION, Deed.OBJECT}:
        made["evidence"] = files
    elif deed is Deed.ANSWER:
        made["file"] = files[0] if files else None
    elif deed is Deed.ASK_MORE_TIME:
        made["days"] = _number(typed.get("days", ""))
    elif deed is Deed.RATE_SERVICE:
        made |= {"visit": topic.visit} | {name: _number(typed.get(name, "")) for name in STARS}
    elif deed is Deed.PASS_ON:
        made["to_region"], made["to_department"] = named(typed.get("to", ""))
    return made


def command(deed: Deed, made: Mapping[str, Any]) -> Command:
    """The command of a body. Raises Misfilled, by the names of the form's own fields."""
    return filled(COMMANDS[deed], made)


def field_of(path: str) -> str:
    """The form's field a part of the command was typed in, to show a mistake beside it."""
    name = path.partition(".")[0]
    if name in {"evidence", "file"}:
        return "files"
    if name.startswith("to_"):
        return "to"
    return name if name in TYPED else "note"


def of_hazard(stage: str, *, objected: bool, extendable: int) -> tuple[Deed, ...]:
    """What the insured may do about a hazard at this stage."""
    if stage not in BEFORE_CLAIM:
        return ()
    told = (Deed.CONFIRM_TOLD,) if stage == HazardStage.FOUND else ()
    objecting = () if objected else (Deed.OBJECT,)
    asking = (Deed.ASK_MORE_TIME,) if extendable else ()
    return (Deed.CLAIM_RECTIFICATION, *asking, *objecting, *told)


def _number(typed: str) -> int | str | None:
    """Digits are a number; what is none stays as it was typed and is refused as such."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else typed or None
