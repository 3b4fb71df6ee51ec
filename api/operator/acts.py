"""How an operator's act is put on record: with a reason, for all operators and for each insurer concerned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData

from api.audit import AuditEntry, Origin, note
from api.desk.acting import Misfilled
from api.desk.frame import Visit
from api.reasons import bounded
from api.words import Reason
from models.contracts.vocabulary import AuditEvent
from models.tables.audit import COMMON_CHAIN

SHORTEST_REASON, LONGEST_REASON = 4, 500  # characters


@dataclass(frozen=True)
class Act:
    """What was done: a word for it, what it was done to, why, and small facts; nothing personal, no address."""

    name: str
    about: tuple[str, str]
    reason: str
    said: Mapping[str, Any] = field(default_factory=dict)
    insurers: Iterable[UUID] = ()


def reason_of(form: FormData) -> str:
    """Why the operator acts. Raises Misfilled where nothing is said."""
    said = str(form.get("reason") or "").strip()
    if len(said) < SHORTEST_REASON:
        raise Misfilled({"reason": bounded(Reason.SHORT, {"min_length": SHORTEST_REASON})})
    return said[:LONGEST_REASON]


async def record(visit: Visit, act: Act) -> None:
    """Call it last in the transaction. An act on an insurer's notices stands in that insurer's chain as well.

    The chains are locked in the order of their ids, so that two operators never wait for each other.
    """
    said = {"act": act.name, "reason": act.reason, **act.said}
    for chain in sorted({COMMON_CHAIN, *act.insurers}):
        entry = AuditEntry(
            AuditEvent.OPERATOR_ACT,
            chain=chain,
            who=visit.caller.actor,
            about=act.about,
            said=said,
            origin=Origin.of(visit.request),
        )
        await note(visit.entry.connection, entry)
