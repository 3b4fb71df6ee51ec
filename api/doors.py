"""How a table of doors (path, command, update) becomes routes that OpenAPI describes exactly; no table is here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, get_type_hints
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from fastapi.openapi.models import Example as OpenAPIExample

from api.admission import Admitted, carry_out
from api.gateway import VIEWS
from api.idempotency import Key
from models.contracts.base import Command, Contract
from models.contracts.vocabulary import CaseKind

REPLAYED = "Idempotent-Replayed"
SHELVES = {
    CaseKind.POLICY: ("policies", "policy_id"),
    CaseKind.HAZARD: ("hazards", "hazard_id"),
    CaseKind.CLAIM: ("claims", "claim_id"),
}

Admit = Callable[[Request, UUID, CaseKind, str], Awaitable[Admitted]]
Example = Callable[[date], dict[str, Any]]


@dataclass(frozen=True)
class Door:
    """One command of one kind of case: where it is posted, which update it becomes, and how it is explained.

    `example` is a body that passes on the day it is given.
    """

    kind: CaseKind
    path: str
    command: type[Command]
    update: str
    summary: str
    english: str
    example: Example
    tag: str
    shown: Callable[[Admitted, Any, Any], Awaitable[Contract]] | None = None
    """How the case's view is shown to who knocks here (admitted, view, command); without it as it is."""

    @property
    def url(self) -> str:
        shelf, name = SHELVES[self.kind]
        return f"/{shelf}/{{{name}:uuid}}/{self.path}"

    @property
    def name(self) -> str:
        return f"{self.kind.value}_{self.update}"


def build(router: APIRouter, door: Door, admit: Admit, today: date) -> None:
    """Add the door's route: one transaction, one Temporal call, the new view or what of it is shown here."""
    admitted, handle = _admission(door, admit), _handler(door)
    handle.__annotations__["admitted"] = Annotated[Admitted, Depends(admitted)]
    handle.__annotations__["command"] = Annotated[door.command, Body(openapi_examples=example(door.example(today)))]
    handle.__name__ = door.name
    router.add_api_route(
        door.url,
        handle,
        methods=["POST"],
        response_model=VIEWS[door.kind] if door.shown is None else get_type_hints(door.shown)["return"],
        summary=f"{door.summary} / {door.english}",
        description=f"{door.summary}。 / {(door.command.__doc__ or '').strip()}",
        operation_id=door.name,
        tags=[door.tag],
    )


def fixed(**body: Any) -> Example:
    """A body that passes on any day."""
    return lambda today: body


def example(body: dict[str, Any]) -> dict[str, OpenAPIExample]:
    """One example of a request body, as OpenAPI 3.1 lists them."""
    return {"example": {"summary": "示例 / example", "value": body}}


def answered(view: Contract, *, replayed: bool, status: int = 200) -> Response:
    """The view as it was stored or just given; the header tells a repeated answer from a fresh one."""
    headers = {REPLAYED: "true"} if replayed else None
    return Response(view.model_dump_json(), status, headers, media_type="application/json")


def _admission(door: Door, admit: Admit) -> Callable[..., Awaitable[Admitted]]:
    async def admission(request: Request, case_id: UUID, key: Key) -> Admitted:
        return await admit(request, case_id, door.kind, key)

    label = f"{door.kind.label}编号 / id of the {door.kind.value}"
    admission.__annotations__["case_id"] = Annotated[UUID, Path(alias=SHELVES[door.kind][1], description=label)]
    return admission


def _handler(door: Door) -> Callable[..., Awaitable[Response]]:
    async def handle(admitted: Any, command: Any) -> Response:
        view, replayed = await carry_out(admitted, door.update, command)
        shown = await door.shown(admitted, view, command) if door.shown else view
        return answered(shown, replayed=replayed)

    return handle
