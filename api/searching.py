"""What a search asks of cases: a number, a part of a name or a credit code; which cases are shown, the lists say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, ColumnElement, Select, Uuid, any_, func, literal, or_, select
from stdnum.cn import uscc

from api import reads
from api.callers import Entry
from api.rows import CASE_FIGURES, CASES, INSURED_NAMES, INSUREDS
from models.contracts.vocabulary import ActorKind

MOST_COUNTED = 1_000
"""Counting further costs more than anybody gains from it."""
MOST_OPENED = 1_500
"""So many hits are opened to put them in order; of more, the first of a list are sooner met by following its order."""
KEPT_PART = 16
"""Letters of a part of a name in `insured_names` (migration 20261122_21)."""
LAST = "\U0010ffff"
"""Comes after every letter."""
BY_INDEX = frozenset({ActorKind.INSURER, ActorKind.DEPARTMENT, ActorKind.OPERATOR})
"""Who may see many cases; of the few that anybody else sees, each is looked at."""


@dataclass(frozen=True)
class Named:
    """Conditions on cases: as a list is read in its order, and as what fits is counted."""

    in_order: tuple[ColumnElement[bool], ...] = ()
    counted: tuple[tuple[ColumnElement[bool], ...], ...] = ((),)
    """The last holds all that fits; one before it holds a part that is counted sooner and may be enough."""


async def searched(entry: Entry, given: str, among: tuple[ColumnElement[bool], ...]) -> Named:
    """How a number begins or a part of a name, each looked for in an index; `among` says in which figures."""
    if uscc.is_valid(given):
        known = (_coded(given),)
        return Named(known, (known,))
    met = or_(func.starts_with(CASES.c.number, given), func.strpos(CASES.c.insured_name, given) > 0)
    if entry.caller.kind not in BY_INDEX:
        return Named((met,), ((met,),))
    figures = CASE_FIGURES.c
    numbered = await _ids(entry, select(figures.case_id).where(*among, *_begins(figures.number, given)))
    insureds = await _called(entry, given)
    found = (or_(_one_of(CASES.c.id, numbered), _one_of(CASES.c.insured_id, insureds)), met)
    if max(len(numbered), len(insureds)) > MOST_OPENED:
        return Named((met,), (found, (met,)))
    return Named(found, (found,))


async def of_insured(entry: Entry, given: str | None) -> tuple[ColumnElement[bool], ...]:
    """What `insured` asks of a list of the API: a credit code names one enterprise, anything else is how a name begins.

    Pages find any part of a name; both look in the same index. Empty where nothing is asked.
    """
    if given is None:
        return ()
    if uscc.is_valid(given):
        return (_coded(given),)
    met, insureds = func.starts_with(CASES.c.insured_name, given), await _called(entry, given)
    return (met,) if len(insureds) > MOST_OPENED else (_one_of(CASES.c.insured_id, insureds), met)


def _coded(given: str) -> ColumnElement[bool]:
    return CASES.c.insured_id.in_(select(INSUREDS.c.id).where(INSUREDS.c.credit_code == given))


async def _called(entry: Entry, given: str) -> Sequence[UUID]:
    """Enterprises whose name has this part, be it a new name or one of before."""
    called = (*reads.own(entry.caller, INSURED_NAMES), *_begins(INSURED_NAMES.c.part, given[:KEPT_PART]))
    return await _ids(entry, select(INSURED_NAMES.c.insured_id).where(*called))


async def _ids(entry: Entry, found: Select[Any]) -> Sequence[UUID]:
    """Those it finds, up to one more than are opened."""
    return (await entry.connection.execute(found.limit(MOST_OPENED + 1))).scalars().all()


def _begins(column: Column[str], with_: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """As bounds, which leak nothing: behind row-level security no index is used for LIKE."""
    return column >= with_, column < with_ + LAST


def _one_of(column: Column[Any], ids: Sequence[UUID]) -> ColumnElement[bool]:
    return column == any_(literal(ids, ARRAY(Uuid)))
