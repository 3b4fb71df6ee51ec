"""What a newer version of a document changes in running cases, as a table: for the page and for the command line."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from api.operator.new_rules import Foreseen, Turn
from api.operator.words import CHANGES_HEADINGS, CHANGES_OF_CASES
from domain.places import full_region_name
from domain.workbook import Sheet, Value


def sheet(turn: Turn, now: datetime, counts: tuple[int, int], t: Callable[[str], str]) -> Sheet:
    """What the workbook says of itself; `counts` are the cases selected, and those whose changes were worked out."""
    facts: tuple[Value, ...] = (turn.before.pack.instrument.number, turn.after.pack.instrument.number, now, *counts)
    *labels, cover, name = (t(one) for one in CHANGES_OF_CASES)
    return Sheet(cover, name, list(zip(labels, facts, strict=True)), [t(one) for one in CHANGES_HEADINGS])


def lines(one: Foreseen, said: Callable[[Any], str]) -> list[Sequence[Value]]:
    """A line for each duty that changes."""
    case = one.case
    head = (said(case.kind), case.number, case.insured_name, full_region_name(case.region), said(case.sector))
    return [
        (*head, shift.label, said(shift.how), shift.before, shift.after, shift.clause, shift.because)
        for shift in one.shifts
    ]
