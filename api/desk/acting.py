"""A form of a page becomes a command: checked by its own contract, admitted and carried out as the API does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from api.admission import Admitted, admit_as, carry_out
from api.callers import speak_for
from api.desk.frame import Visit
from api.idempotency import attempt
from api.problems import field_problems
from models.contracts.base import Command, Contract
from models.contracts.vocabulary import ActorKind, CaseKind


@dataclass(frozen=True)
class Wanted:
    """What a form asks of a case: which update with which command, and the key that makes it happen once.

    `once` is the hidden field every form carries; a form sent twice is one command.
    """

    case_id: UUID
    kind: CaseKind
    update: str
    command: type[Command]
    once: str


class Misfilled(Exception):
    """The form does not make the command; `errors` says per field what is wrong, in Chinese."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(*errors)
        self.errors = dict(errors)

    @classmethod
    def of(cls, error: ValidationError) -> "Misfilled":
        """A contract's own reasons by field; of several about one field the first."""
        return cls({one.field: one.reason for one in reversed(field_problems(error.errors(), on_page=True))})


def filled(command: type[Command], body: Mapping[str, Any]) -> Command:
    """The command a form makes; what was left empty is left out. Raises Misfilled."""
    given = {name: value for name, value in body.items() if value not in ("", None)}
    try:
        return command.model_validate_json(json.dumps(given))
    except ValidationError as error:
        raise Misfilled.of(error) from error


async def admitted(visit: Visit, wanted: Wanted, body: Mapping[str, Any]) -> Admitted:
    """The visitor at this case, inside the visit's transaction; 404 for a case that is not theirs."""
    if visit.caller.kind is ActorKind.DEPARTMENT:
        await speak_for(visit.entry, wanted.case_id, body.get("duty"))
    canonical = json.dumps({wanted.update: dict(body)}, ensure_ascii=False, sort_keys=True).encode()
    made = attempt(visit.caller.user_id or visit.caller.owner, f"form:{wanted.once}", visit.request, canonical)
    return await admit_as(visit.entry, wanted.case_id, wanted.kind, made, dict(body))


async def done(admitted: Admitted, wanted: Wanted, body: Mapping[str, Any]) -> Contract:
    """One Temporal call, after the visit's transaction has ended. Raises Misfilled and Problem."""
    view, _ = await carry_out(admitted, wanted.update, filled(wanted.command, body))
    return view
