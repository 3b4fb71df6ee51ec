"""What the page of an adoption tells of its selection: how many cases, and how the first would change; adopts nothing.

Over many cases it is worked out once in some minutes and says when; what is adopted is counted anew at that moment.
"""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Self
from uuid import UUID

from api.callers import Entry
from api.kept import Counted
from api.operator import new_rules
from api.operator.batches import Batch
from api.operator.new_rules import Foreseen, Obeying, Selection, Tally, Turn
from api.tools import Tools
from domain.new_rules import Shift
from models.contracts.vocabulary import CaseKind, Event
from models.tables.cases import Case

MOST_FORESEEN = 1_000
"""Cases whose changes the preview works out; the rest are counted."""
MOST_LISTED = 50
"""Cases the page shows one by one."""
Known = Sequence[tuple[Case, Mapping[Event, date]]]


@dataclass(frozen=True)
class Changing:
    """One case of which something would change, or whose changes cannot be worked out, and why not."""

    id: UUID
    kind: CaseKind
    number: str
    insured_name: str
    shifts: tuple[Shift, ...]
    why: str

    @classmethod
    def of(cls, one: Foreseen) -> Self:
        case = one.case
        return cls(case.id, case.kind, case.number, case.insured_name, one.shifts, one.why)


@dataclass(frozen=True)
class Outlook:
    """The cases of a selection, and what was worked out of the first of them."""

    obeying: Obeying = field(default_factory=Obeying)
    tally: Tally | None = None
    """Nothing was worked out: a batch is under way."""
    changing: tuple[Changing, ...] = ()
    more: bool = False
    """Not all that change are listed."""

    @property
    def rows(self) -> int:
        return self.obeying.rows


@dataclass(frozen=True)
class Asked:
    """Which outlook: of a turn and a selection, beside the batch of this process; what it has done is counted anew."""

    turn: Turn
    selection: Selection
    batch: Batch | None

    @property
    def scope(self) -> Hashable:
        batch = self.batch
        return ("outlook", self.turn.digest, self.selection, batch and (batch.begun_at, batch.ended_at))


async def outlook(entry: Entry, asked: Asked) -> Counted[Outlook]:
    """As it was lately worked out, where many cases had to be asked; else as it is now."""
    return await entry.tools.kept.figures(asked.scope, entry.tools.now(), lambda: _worked_out(entry, asked))


async def _worked_out(entry: Entry, asked: Asked) -> Outlook:
    connection, turn, selection = entry.connection, asked.turn, asked.selection
    obeying = await new_rules.count(connection, turn.before, selection.among(turn))
    if asked.batch is not None and asked.batch.runs:
        return Outlook(obeying)
    known = await new_rules.some(connection, turn, selection, MOST_FORESEEN)
    found = await asyncio.to_thread(foreseen, entry.tools, known, turn)
    changing = [Changing.of(one) for one in found if one.shifts or one.why]
    more = obeying.total > len(found) or len(changing) > MOST_LISTED
    return Outlook(obeying, Tally.of(found), tuple(changing[:MOST_LISTED]), more)


def foreseen(tools: Tools, known: Known, turn: Turn) -> list[Foreseen]:
    """What each would make of it, as things stand now."""
    return [new_rules.foreseen(tools.rules, case, facts, turn, tools.now()) for case, facts in known]
