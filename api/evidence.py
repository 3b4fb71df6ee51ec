"""Photographs and documents of a case: who may see which, how they leave the house; they are kept in api/files.py."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query, Response
from fastapi.responses import FileResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Entry
from api.files import JPEG, PNG, Kept, kept, small
from api.problems import not_found
from api.rows import STEPS
from models.contracts.vocabulary import ActorKind, CaseKind, Event
from models.tables import engine as settings

SHOWN_AS_PICTURES = frozenset({JPEG, PNG})
"""Made anew by ourselves when they came in: a page shows them small. Every whole file is given out to be saved."""
OPENED = "opened"
"""The first step of a hazard: its policy gives it, no command does."""
OF_EVERYBODY: Mapping[str, Event] = {
    OPENED: Event.HAZARD_FOUND,
    "RecordVisit": Event.VISIT_RECORDED,
    "FilePlan": Event.PLAN_FILED,
    "UploadPolicy": Event.POLICY_UPLOADED,
    "CompleteService": Event.SERVICE_COMPLETED,
    "ConfirmTold": Event.HAZARD_TOLD,
    "ClaimRectification": Event.RECTIFICATION_CLAIMED,
    "RefuseRectification": Event.RECTIFICATION_REFUSED,
    "RecheckHazard": Event.RECHECK_PASSED,
    "ObjectToHazard": Event.HAZARD_OBJECTED,
    "AnswerObjection": Event.OBJECTION_REJECTED,
}
OF_DEPARTMENTS: Mapping[str, Event] = {**OF_EVERYBODY, "AnswerDuty": Event.DEPARTMENT_ANSWERED}
OF_PROVIDERS: Mapping[str, Event] = {
    name: OF_EVERYBODY[name]
    for name in (
        OPENED,
        "RecordVisit",
        "FilePlan",
        "CompleteService",
        "ConfirmTold",
        "ClaimRectification",
        "RecheckHazard",
    )
}
"""What the work on the spot is about; the policy itself shows its premium."""
VISIBLE: Mapping[ActorKind, Mapping[str, Event]] = {
    ActorKind.ENTERPRISE: OF_EVERYBODY,
    ActorKind.DEPARTMENT: OF_DEPARTMENTS,
    ActorKind.PROVIDER: OF_PROVIDERS,
}
"""Which commands' files each kind of visitor sees; an insurer sees all of its own, operators none (5.1)."""
FOR_VISITORS = frozenset({CaseKind.POLICY, CaseKind.HAZARD})
"""Files of a claim speak of injured people; they are its insurer's alone."""
DIGEST = Path(pattern="^[0-9a-f]{64}$")
SMALL = Query(description="the small picture of a photograph")
HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class Piece:
    """A file as it stands in the record of a case: with what it was handed in, when and by whom."""

    case_id: UUID
    digest: str
    name: str
    is_picture: bool
    at: datetime
    by: str
    command: str
    hazard: str = ""
    """The hazard it stands under, where a visit's record carries files of several."""
    visit_of: tuple[str, ...] = ()
    """The hazards that were found at the same visit."""

    def speaks_of(self, hazard: str) -> bool:
        """Whether it was handed in about this hazard: under it, or as the record of the visit that found it."""
        return self.hazard == hazard or (not self.hazard and hazard in self.visit_of)

    @property
    def event(self) -> Event | None:
        """What it belongs to, in words."""
        return OF_DEPARTMENTS.get(self.command)


async def held_by(entry: Entry, insurer_id: UUID, case_id: UUID, digest: str, of_hazard: str = "") -> Kept:
    """The file, if the case's record refers to it in a way this kind of visitor sees; 404 otherwise.

    `of_hazard` narrows a policy's record down to what was handed in about one of its hazards.
    """
    commands = VISIBLE.get(entry.caller.kind)
    found = [one for one in await pieces(entry.connection, case_id, commands) if one.digest == digest]
    if not any(not of_hazard or one.speaks_of(of_hazard) for one in found):
        raise not_found()
    if entry.caller.kind is not ActorKind.PROVIDER:  # it sees its insurer's files, and never its insurer's cases
        await settings.tenant(entry.connection, insurer_id)
    return await kept(entry.tools, entry.connection, insurer_id, digest)


async def pieces(
    connection: AsyncConnection, case_id: UUID, commands: Mapping[str, Event] | None = OF_EVERYBODY
) -> list[Piece]:
    """Every file the record of a case refers to, in the order they came; `None` for those of every command."""
    columns = STEPS.c["at", "actor_name", "command_name", "cause"]
    found = select(*columns).where(STEPS.c.case_id == case_id).order_by(STEPS.c.seq)
    listed: dict[tuple[str, str, str], Piece] = {}
    for step in await connection.execute(found):
        command = step.command_name or OPENED
        if commands is not None and command not in commands:
            continue
        found_there = tuple(str(one.get("number")) for one in _command(step.cause).get("hazards", ()))
        for hazard, file in _files(step.cause or {}, ""):
            picture = file.get("media_type") in SHOWN_AS_PICTURES
            piece = Piece(
                case_id=case_id,
                digest=file["digest"],
                name=str(file.get("name") or ""),
                is_picture=picture,
                at=step.at,
                by=step.actor_name or "",
                command=command,
                hazard=hazard,
                visit_of=found_there,
            )
            listed.setdefault((command, piece.digest, hazard), piece)
    return list(listed.values())


def _command(cause: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What was asked, as the record keeps it; nothing for steps that time or other cases caused."""
    return ((cause or {}).get("body") or {}).get("command") or {}


def _files(body: Any, hazard: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every attachment anywhere in a recorded cause, with the number of the hazard it stands under."""
    if isinstance(body, list):
        for part in body:
            yield from _files(part, hazard)
    if not isinstance(body, dict):
        return
    if isinstance(body.get("digest"), str) and "name" in body:
        yield hazard, body
    for name, part in body.items():
        if name == "hazards" and isinstance(part, list):
            for one in part:
                yield from _files(one, str(one.get("number") or ""))
        elif isinstance(part, (dict, list)):
            yield from _files(part, hazard)


async def given_out(file: Kept, *, as_small: bool = False) -> Response:
    """A small picture for a page to show; every whole file, pictures too, to be saved. Nothing of either runs."""
    if as_small and file.media_type in SHOWN_AS_PICTURES:
        return FileResponse(await small(file), media_type=JPEG, headers={**HEADERS, "Content-Disposition": "inline"})
    headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
    return FileResponse(file.path, media_type=file.media_type, headers=headers)
