"""A list taken away as a workbook: one at a time, told what was asked for; how it is written is domain/workbook.py."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Response

from api.desk.exportwords import EVERYTHING, FILTERS, MINE, NO, ONE_AT_A_TIME, YES
from api.desk.frame import Visit
from api.desk.lists import Asked
from api.desk.words import namer, translator
from api.problems import Problem
from api.words import ProblemCode
from domain.places import region_name
from domain.workbook import MEDIA_TYPE, Sheet, Value, written
from models.contracts.vocabulary import Word

MOST_ROWS = 50_000
"""More than this is told to be narrowed down."""
L = TypeVar("L")


@contextmanager
def alone(visit: Visit) -> Iterator[None]:
    """One export at a time for each caller of this process. Raises Problem 429."""
    state = visit.request.app.state
    if not hasattr(state, "exporting"):
        state.exporting = set()
    busy, who = state.exporting, visit.caller.user_id or visit.caller.owner
    if who in busy:
        again = {"Retry-After": str(visit.entry.tools.budgets.retry_after)}
        raise Problem(ProblemCode.TOO_MANY, translator(visit.language)(ONE_AT_A_TIME), headers=again)
    busy.add(who)
    try:
        yield
    finally:
        busy.discard(who)


def asked_in_words(visit: Visit, asked: Asked) -> str:
    """行业：危险化学品；已逾期：是"""
    t, said = translator(visit.language), namer(visit.language)
    kinds: dict[str, tuple[Word, ...]] = {"stage": asked.stages, "grade": asked.grades}
    people, found = {"mine": t(MINE), **dict(asked.hands or ())}, list[str]()
    given: dict[str, Any] = asked.filters.model_dump(exclude_defaults=True, exclude={"cursor", "limit"})
    for name, value in given.items():
        shown = next((said(one) for one in kinds.get(name, ()) if one.value == value), said(value))
        shown = t(YES if value else NO) if isinstance(value, bool) else shown
        shown = people.get(str(value), shown) if name == "hand" else shown
        found.append(f"{t(FILTERS[name])}：{region_name(str(value)) if name == 'region' else shown}")
    return "；".join(found) or t(EVERYTHING)


async def workbook(sheet: Sheet, rows: Sequence[L], line: Callable[[L], Sequence[Value]]) -> bytes:
    """The file's bytes, made beside the requests: best called after the transaction that read the rows."""
    return await asyncio.to_thread(lambda: written(sheet, map(line, rows)))


def download(content: bytes, name: str) -> Response:
    """The workbook as an answer that is saved, never shown."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)
